/** LCP's Authentication-Protocol option (RFC 1661 section 6.2), as each role uses it. */
import { ByteWriter, u8, u16 } from '../bytes.ts'
import { equalOptions, type PppOption } from './options.ts'
import { ack, nak, reject, type Verdict } from './policy.ts'
import { protocols } from './protocol.ts'

/** RFC 1661 section 6.2 */
export const AUTHENTICATION_PROTOCOL = 3

/** How a peer may be asked to log in: RFC 1994, RFC 2759, RFC 1334. */
export type AuthMethod = 'chap' | 'mschapv2' | 'pap'

/** CHAP algorithms: RFC 1994 section 3, RFC 2433 section 2, RFC 2759 section 3. */
const MD5 = 0x05
const MS_CHAP_V1 = 0x80
const MS_CHAP_V2 = 0x81

/** The option that asks for a login by this method (RFC 1661 section 6.2; RFC 2759 section 3). */
export function authOption(method: AuthMethod): PppOption {
  const data = new ByteWriter(3)
  if (method === 'pap') data.u16(protocols.pap)
  else data.u16(protocols.chap).u8(method === 'chap' ? MD5 : MS_CHAP_V2)
  return { type: AUTHENTICATION_PROTOCOL, data: data.finish() }
}

/** The method that an option asks for; undefined if it is none of ours. */
export function authMethod(option: PppOption): AuthMethod | undefined {
  return (['pap', 'chap', 'mschapv2'] as const).find((method) => equalOptions(authOption(method), option))
}

/** What an option asks for, in a user's words. */
export function authName({ data }: PppOption): string {
  const protocol = u16(data, 0)
  if (protocol === protocols.pap) return 'PAP'
  if (protocol === protocols.eap) return 'EAP'
  if (protocol !== protocols.chap) return `protocol 0x${protocol.toString(16).padStart(4, '0')}`
  switch (u8(data, 2)) {
    case MD5:
      return 'CHAP'
    case MS_CHAP_V1:
      return 'MS-CHAPv1'
    case MS_CHAP_V2:
      return 'MS-CHAPv2'
    default:
      return `CHAP with algorithm ${u8(data, 2)}`
  }
}

/** A method that the peer asked for and did not get. */
export interface AskedMethod {
  /** In a user's words. */
  readonly name: string
  /** Undefined if it is none of ours, so that no configuration can allow it. */
  readonly method: AuthMethod | undefined
}

/**
 * The side that is asked to authenticate itself. What is allowed is agreed to at once, since some peers drop for good
 * what was Nak-ed although they need it; a Nak answers only what is not allowed.
 */
export class AuthConsent {
  readonly #allowed: readonly AuthMethod[]
  /** How often each was suggested since the last agreement. */
  readonly #suggested = new Map<AuthMethod, number>()
  readonly #refused = new Map<string, AskedMethod>()
  #agreed: AuthMethod | undefined

  /** `allowed` in the order in which they are suggested. */
  constructor(allowed: readonly AuthMethod[]) {
    this.#allowed = allowed
  }

  /** What we have agreed to do; undefined if the peer does not ask for it, as some do not when they renegotiate. */
  get agreed(): AuthMethod | undefined {
    return this.#agreed
  }

  /** All that the peer has asked for in vain, first one first, until it is content. */
  get refused(): readonly AskedMethod[] {
    return [...this.#refused.values()]
  }

  judge(option: PppOption): Verdict {
    const method = authMethod(option)
    if (method !== undefined && this.#allowed.includes(method)) return ack
    const name = authName(option)
    this.#refused.set(name, { name, method })
    const suggestion = this.#next(option)
    return suggestion === undefined ? reject : nak(authOption(suggestion))
  }

  onAgreed(option: PppOption | undefined): void {
    this.#agreed = option && authMethod(option)
    this.#suggested.clear()
    // Who asks no more may still mind: pppd goes on without, and then closes.
    if (this.#agreed !== undefined) this.content()
  }

  /** The peer goes on with what it got. */
  content(): void {
    this.#refused.clear()
  }

  /**
   * The next one each time, for peers that try one method after the other whatever they are told. Those of the protocol
   * that the peer asks for come first: pppd takes another protocol for a refusal of all that CHAP can do.
   */
  #next(asked: PppOption): AuthMethod | undefined {
    const times = (method: AuthMethod) => this.#suggested.get(method) ?? 0
    const strange = (method: AuthMethod) => (u16(authOption(method).data, 0) === u16(asked.data, 0) ? 0 : 1)
    const [next] = [...this.#allowed].sort((a, b) => times(a) - times(b) || strange(a) - strange(b))
    if (next !== undefined) this.#suggested.set(next, times(next) + 1)
    return next
  }
}

/** The side that demands authentication: asks for its methods one after the other, and never goes without. */
export class AuthDemand {
  readonly #methods: readonly AuthMethod[]
  #current = 0
  #impossible = false

  /** `methods` in order of preference; empty demands nothing. */
  constructor(methods: readonly AuthMethod[]) {
    this.#methods = methods
  }

  get method(): AuthMethod | undefined {
    return this.#methods[this.#current]
  }

  /** The peer refuses all of ours. */
  get impossible(): boolean {
    return this.#impossible
  }

  onNak(suggestion: PppOption): void {
    const method = authMethod(suggestion)
    const wanted = method === undefined ? -1 : this.#methods.indexOf(method)
    if (wanted >= 0) this.#current = wanted
    else if (this.#current + 1 < this.#methods.length) this.#current++
    else this.#impossible = true
  }

  onReject(): void {
    this.#impossible = true
  }
}
