/** IPCP of the side that is given an address (RFC 1332, RFC 1877). */
import { equalBytes } from '../bytes.ts'
import { formatIp, parseIp } from '../ip/address.ts'
import type { PppOption } from './options.ts'
import { ack, nak, type OptionPolicy, reject, type Verdict } from './policy.ts'
import { protocols } from './protocol.ts'
import type { RefusedTerm } from './types.ts'

/** RFC 1332 section 3.3 */
export const IP_ADDRESS = 3
/** RFC 1877 sections 1.1 and 1.3. */
export const PRIMARY_DNS = 129
/** RFC 1877 section 1.3 */
export const SECONDARY_DNS = 131

/**
 * What a peer that calls itself 0.0.0.0 is told to be called; acknowledging 0.0.0.0 makes some end IPCP. Any private
 * address does, since nothing is ever sent to it.
 */
const PLACEHOLDER = Uint8Array.of(10, 112, 112, 112)
/** Unanswered requests after which the name servers are left out: some peers ignore the whole request for them. */
const SILENT_REQUESTS = 6

/** What IPCP has agreed on. */
export interface IpcpTerms {
  /** Our address; undefined if the peer gives none, or one that is not to be used. */
  readonly address: string | undefined
  /** What it gave instead, and why that is not used, as a predicate: `is a loopback address`. */
  readonly refused?: RefusedTerm | undefined
  readonly peer: string | undefined
  readonly dns: readonly string[]
}

/** IPCP of a client: it asks for an address and resolvers (RFC 1332, RFC 1877). */
export class IpcpPolicy implements OptionPolicy<IpcpTerms> {
  readonly protocol = protocols.ipcp
  /** What we ask for, by type. What we had last time is asked for first: it saves the round trip of a Nak. */
  readonly #wanted = new Map<number, Uint8Array>()
  #lastAddress: Uint8Array | undefined
  /** The peer has rejected an address; since then we have asked for any. */
  #askedForAny = false
  #peer: Uint8Array | undefined
  readonly #unfit: (address: string) => string | undefined

  constructor(options: {
    readonly unfit?: ((address: string) => string | undefined) | undefined
    readonly lastAddress?: string
    readonly lastDns?: readonly string[]
    readonly wantDns: boolean
  }) {
    this.#unfit = options.unfit ?? (() => undefined)
    this.#lastAddress = options.lastAddress === undefined ? undefined : ipv4(options.lastAddress)
    this.#wanted.set(IP_ADDRESS, this.#lastAddress ?? new Uint8Array(4))
    if (!options.wantDns) return
    const last = (options.lastDns ?? []).map(ipv4).filter((server) => server !== undefined)
    const servers = last.length > 0 ? last : [new Uint8Array(4), new Uint8Array(4)]
    for (const [index, type] of [PRIMARY_DNS, SECONDARY_DNS].entries()) {
      const server = servers[index]
      if (server) this.#wanted.set(type, server)
    }
  }

  localOptions(): readonly PppOption[] {
    return [...this.#wanted].map(([type, data]) => ({ type, data }))
  }

  onNak(options: readonly PppOption[]): void {
    for (const { type, data } of options) {
      if (!this.#wanted.has(type) || data.length !== 4) continue
      if (type !== IP_ADDRESS && isZero(data)) this.#wanted.delete(type)
      else this.#wanted.set(type, data)
    }
  }

  onReject(options: readonly PppOption[]): void {
    for (const { type } of options) {
      const address = type === IP_ADDRESS ? this.#wanted.get(type) : undefined
      // Some mean the address with it, and not the option.
      if (address === undefined || isZero(address) || this.#askedForAny) this.#wanted.delete(type)
      else {
        this.#wanted.set(type, new Uint8Array(4))
        this.#askedForAny = true
      }
    }
  }

  onSilence(transmissions: number): void {
    if (transmissions < SILENT_REQUESTS) return
    this.#wanted.delete(PRIMARY_DNS)
    this.#wanted.delete(SECONDARY_DNS)
  }

  /** RFC 1332 section 3.3. Header compression (section 3.2) is none that the data path does. */
  judge({ type, data }: PppOption): Verdict {
    if (type !== IP_ADDRESS) return reject
    return data.length === 4 && !isZero(data) ? ack : nak({ type, data: PLACEHOLDER })
  }

  onAgreed(options: readonly PppOption[]): void {
    this.#peer = options.find(({ type }) => type === IP_ADDRESS)?.data
  }

  /** A peer that rejects the option leaves addresses to configuration: then the one of last time is ours. */
  result(): IpcpTerms {
    const given = this.#wanted.get(IP_ADDRESS) ?? this.#lastAddress
    const text = given === undefined || isZero(given) ? undefined : formatIp(given)
    const why = text === undefined ? undefined : this.#unfit(text)
    const refused = text === undefined || why === undefined ? undefined : { address: text, why }
    const address = refused === undefined ? given : undefined
    if (refused !== undefined) this.#lastAddress = undefined
    this.#askedForAny = false
    // Without any the next attempt asks again: over a lossy path a Reject may mean no more than too many Naks.
    if (address === undefined) this.#wanted.set(IP_ADDRESS, new Uint8Array(4))
    if (address !== undefined && !isZero(address)) this.#lastAddress = address
    const dns = [PRIMARY_DNS, SECONDARY_DNS].flatMap((type) => {
      const server = this.#wanted.get(type)
      return server === undefined || isZero(server) ? [] : [formatIp(server)]
    })
    return {
      address: refused === undefined ? text : undefined,
      refused,
      peer: this.#peer && formatIp(this.#peer),
      dns: [...new Set(dns)],
    }
  }
}

/** Octets of an IPv4 address; undefined if it is none. */
export function ipv4(text: string): Uint8Array | undefined {
  const bytes = parseIp(text)
  return bytes?.length === 4 ? bytes : undefined
}

function isZero(address: Uint8Array): boolean {
  return equalBytes(address, new Uint8Array(4))
}
