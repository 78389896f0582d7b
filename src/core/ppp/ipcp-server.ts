/** IPCP of the side that gives addresses: the client's must be the one assigned, name servers are told by Nak. */
import { formatIp } from '../ip/address.ts'
import { IP_ADDRESS, type IpcpTerms, ipv4, PRIMARY_DNS, SECONDARY_DNS } from './ipcp.ts'
import { equalOptions, type PppOption } from './options.ts'
import { ack, nak, type OptionPolicy, reject, type Verdict } from './policy.ts'
import { protocols } from './protocol.ts'
import type { PppAssignment } from './types.ts'

/** IPCP of an LNS: it gives an address and resolvers (RFC 1332, RFC 1877). */
export class IpcpServerPolicy implements OptionPolicy<IpcpTerms> {
  readonly protocol = protocols.ipcp
  #own: Uint8Array | undefined
  #given: readonly PppOption[]
  #peer: Uint8Array | undefined

  constructor({ address, ownAddress, dns }: PppAssignment) {
    this.#own = ipv4(ownAddress)
    this.#given = [address, ...dns].flatMap((text, index) => {
      const type = [IP_ADDRESS, PRIMARY_DNS, SECONDARY_DNS][index]
      const data = ipv4(text)
      return type !== undefined && data ? [{ type, data }] : []
    })
  }

  localOptions(): readonly PppOption[] {
    return this.#own ? [{ type: IP_ADDRESS, data: this.#own }] : []
  }

  onNak(): void {
    // Our address is not open to negotiation: we ask for the same again, and the limits of the automaton end it.
  }

  onReject(options: readonly PppOption[]): void {
    if (options.some(({ type }) => type === IP_ADDRESS)) this.#own = undefined
  }

  judge(option: PppOption): Verdict {
    const given = this.#given.find(({ type }) => type === option.type)
    if (given === undefined) return reject
    return equalOptions(given, option) ? ack : nak(given)
  }

  onAgreed(options: readonly PppOption[]): void {
    this.#peer = options.find(({ type }) => type === IP_ADDRESS)?.data
  }

  result(): IpcpTerms {
    return { address: this.#own && formatIp(this.#own), peer: this.#peer && formatIp(this.#peer), dns: [] }
  }
}
