/** IPV6CP: both sides agree on interface identifiers, nothing else (RFC 5072 section 4.1). */
import { equalBytes, u8 } from '../bytes.ts'
import type { Entropy } from '../crypto.ts'
import type { PppOption } from './options.ts'
import { ack, nak, type OptionPolicy, reject, type Verdict } from './policy.ts'
import { protocols } from './protocol.ts'
import type { Ipv6Terms } from './types.ts'

const INTERFACE_IDENTIFIER = 1
const LENGTH = 8
/** The "universal/local" bit of an identifier's first octet; random ones must have it clear (RFC 5072 section 4.1). */
const UNIVERSAL = 0x02

/** IPV6CP: an interface identifier for each end (RFC 5072 section 4.1). */
export class Ipv6cpPolicy implements OptionPolicy<Ipv6Terms> {
  readonly protocol = protocols.ipv6cp
  readonly #entropy: Entropy
  /** What the peer must be called, if we assign it. */
  readonly #assigned: Uint8Array | undefined
  #own: Uint8Array
  #ask = true
  #peer: Uint8Array | undefined

  constructor(options: {
    readonly interfaceId: Uint8Array | undefined
    readonly assigned?: Uint8Array | undefined
    readonly entropy: Entropy
  }) {
    this.#entropy = options.entropy
    this.#assigned = options.assigned
    this.#own = usable(options.interfaceId) ? options.interfaceId : this.#randomId()
  }

  localOptions(): readonly PppOption[] {
    return this.#ask ? [{ type: INTERFACE_IDENTIFIER, data: this.#own }] : []
  }

  /** The peer may assign us one; a useless suggestion gets another random one instead. */
  onNak(options: readonly PppOption[]): void {
    const suggested = options.find(({ type }) => type === INTERFACE_IDENTIFIER)?.data
    if (suggested === undefined) return
    const collides = this.#peer !== undefined && equalBytes(suggested, this.#peer)
    this.#own = usable(suggested) && !collides ? suggested : this.#randomId()
  }

  onReject(options: readonly PppOption[]): void {
    if (options.some(({ type }) => type === INTERFACE_IDENTIFIER)) this.#ask = false
  }

  /** RFC 5072 section 4.1: zero and our own get a Nak with another one. */
  judge({ type, data }: PppOption): Verdict {
    if (type !== INTERFACE_IDENTIFIER) return reject
    if (this.#assigned) {
      return equalBytes(data, this.#assigned) ? ack : nak({ type, data: this.#assigned })
    }
    return usable(data) && !equalBytes(data, this.#own) ? ack : nak({ type, data: this.#randomId() })
  }

  onAgreed(options: readonly PppOption[]): void {
    this.#peer = options.find(({ type }) => type === INTERFACE_IDENTIFIER)?.data
  }

  result(): Ipv6Terms {
    return { interfaceId: this.#own, peerInterfaceId: this.#peer }
  }

  #randomId(): Uint8Array {
    const id = this.#entropy(LENGTH).slice()
    id[0] = u8(id, 0) & ~UNIVERSAL
    return usable(id) ? id : Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1)
  }
}

function usable(id: Uint8Array | undefined): id is Uint8Array {
  return id?.length === LENGTH && id.some((octet) => octet !== 0)
}
