/** LCP's Authentication-Protocol option (RFC 1661 section 6.2), as each role uses it. */
import { ByteWriter, u8, u16 } from '../bytes.ts'
import type { AuthMethod } from '../config/types.ts'
import { equalOptions, type PppOption } from './options.ts'
import { ack, nak, reject, type Verdict } from './policy.ts'
import { protocols } from './protocol.ts'

export const AUTHENTICATION_PROTOCOL = 3

/** CHAP algorithms: RFC 1994 section 3, RFC 2433 section 2, RFC 2759 section 3. */
const MD5 = 0x05
const MS_CHAP_V1 = 0x80
const MS_CHAP_V2 = 0x81

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
      return 'MS-CHAP version 1'
    case MS_CHAP_V2:
      return 'MS-CHAPv2'
    default:
      return `CHAP with algorithm ${u8(data, 2)}`
  }
}

/** The side that is asked to authenticate itself. */
export class AuthConsent {
  readonly #allowed: readonly AuthMethod[]
  #naks = 0
  #agreed: AuthMethod | undefined
  #refused: string | undefined

  /** `allowed` in order of preference. */
  constructor(allowed: readonly AuthMethod[]) {
    this.#allowed = allowed
  }

  /** What we have agreed to do; undefined if the peer does not ask for it, as some do not when they renegotiate. */
  get agreed(): AuthMethod | undefined {
    return this.#agreed
  }

  /** What the peer asked for last and did not get. */
  get refused(): string | undefined {
    return this.#refused
  }

  /**
   * Our favourite is suggested once; then whatever is allowed will do. Each further Nak suggests the next of ours, for
   * peers that try one method after the other whatever they are told.
   */
  judge(option: PppOption): Verdict {
    const method = authMethod(option)
    const favourite = this.#allowed[this.#naks % this.#allowed.length]
    if (favourite === undefined) {
      this.#refused = authName(option)
      return reject
    }
    if (method !== undefined && this.#allowed.includes(method) && (method === favourite || this.#naks > 0)) {
      return ack
    }
    this.#naks++
    this.#refused = authName(option)
    return nak(authOption(favourite))
  }

  onAgreed(option: PppOption | undefined): void {
    this.#agreed = option && authMethod(option)
    this.#refused = undefined
    this.#naks = 0
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
