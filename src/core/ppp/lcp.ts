/** The Link Control Protocol's options (RFC 1661 section 6). */
import { u16, u32 } from '../bytes.ts'
import type { Entropy } from '../crypto.ts'
import type { AuthMethod } from './auth-option.ts'
import { AUTHENTICATION_PROTOCOL, AuthConsent, AuthDemand, authOption } from './auth-option.ts'
import { option16, option32, type PppOption } from './options.ts'
import { codes } from './packet.ts'
import { ack, nak, type OptionPolicy, reject, type Verdict } from './policy.ts'
import { protocols } from './protocol.ts'

const MRU = 1
const ACCM = 2
const MAGIC_NUMBER = 5
const PROTOCOL_FIELD_COMPRESSION = 7
const ADDRESS_AND_CONTROL_FIELD_COMPRESSION = 8

/** RFC 1661 section 6.1: what holds without negotiation, and what we must be able to receive in any case. */
const DEFAULT_MRU = 1500
/** Smaller ones cannot carry what every IPv4 host must take (RFC 791 section 3.1). */
const MIN_MRU = 576
/** Configure-Requests with our own Magic-Number in a row that mean a loop; by chance it is one in 2^96. */
const LOOPED = 3

/** Codes that only LCP has. */
export const lcpCodes: ReadonlySet<number> = new Set([
  codes.protocolReject,
  codes.echoRequest,
  codes.echoReply,
  codes.discardRequest,
  codes.identification,
  codes.timeRemaining,
])

/** What LCP has agreed on. */
export interface LcpTerms {
  /** Largest packets in octets that the peer takes, and that we take. */
  readonly peerMru: number
  readonly ourMru: number
  /** Zero where the peer rejected the option (RFC 1661 section 6.4). */
  readonly ourMagic: number
  /** What the client has agreed to do, or the server demanded. */
  readonly auth: AuthMethod | undefined
}

/** What LCP asks for and allows. */
export interface LcpOptions {
  readonly role: 'client' | 'server'
  readonly mru: number
  readonly auth: readonly AuthMethod[]
  readonly entropy: Entropy
}

/**
 * We ask for MRU and Magic-Number, and as a server for authentication. ACCM and the header compressions are agreed to
 * but not asked for: over L2TP they save nothing. Multilink (17 to 19), callback (13), quality reports (4) and all else
 * is rejected.
 */
export class LcpPolicy implements OptionPolicy<LcpTerms> {
  readonly protocol = protocols.lcp
  readonly consent: AuthConsent
  readonly demand: AuthDemand
  readonly #entropy: Entropy
  #mru: number | undefined
  #magic: number | undefined
  #peerMru = DEFAULT_MRU
  #looped = 0

  constructor({ role, mru, auth, entropy }: LcpOptions) {
    this.#entropy = entropy
    this.#mru = mru
    this.#magic = this.#freshMagic()
    this.consent = new AuthConsent(role === 'client' ? auth : [])
    this.demand = new AuthDemand(role === 'server' ? auth : [])
  }

  /** We hear ourselves. */
  get looped(): boolean {
    return this.#looped >= LOOPED
  }

  localOptions(): readonly PppOption[] {
    const options: PppOption[] = []
    if (this.#mru !== undefined) options.push(option16(MRU, this.#mru))
    if (this.demand.method !== undefined) options.push(authOption(this.demand.method))
    if (this.#magic !== undefined) options.push(option32(MAGIC_NUMBER, this.#magic))
    return options
  }

  onNak(options: readonly PppOption[]): void {
    for (const option of options) {
      if (option.type === MRU && this.#mru !== undefined) this.#mru = agreeableMru(option)
      else if (option.type === MAGIC_NUMBER && this.#magic !== undefined) this.#magic = this.#freshMagic()
      // RFC 1661 section 5.3: the peer may name what we did not ask for; a client demands nothing.
      else if (option.type === AUTHENTICATION_PROTOCOL && this.demand.method !== undefined)
        this.demand.onNak(option)
    }
  }

  onReject(options: readonly PppOption[]): void {
    for (const { type } of options) {
      if (type === MRU) this.#mru = undefined
      else if (type === MAGIC_NUMBER) this.#magic = undefined
      else if (type === AUTHENTICATION_PROTOCOL) this.demand.onReject()
    }
  }

  judge(option: PppOption): Verdict {
    const { type, data } = option
    switch (type) {
      case MRU:
        return data.length === 2 && u16(data, 0) >= MIN_MRU ? ack : nak(option16(MRU, DEFAULT_MRU))
      case ACCM:
        return data.length === 4 ? ack : nak(option32(ACCM, 0))
      case AUTHENTICATION_PROTOCOL:
        return this.consent.judge(option)
      case MAGIC_NUMBER:
        return this.#judgeMagic(data)
      case PROTOCOL_FIELD_COMPRESSION:
      case ADDRESS_AND_CONTROL_FIELD_COMPRESSION:
        return data.length === 0 ? ack : reject
      default:
        return reject
    }
  }

  onAgreed(options: readonly PppOption[]): void {
    const agreed = (type: number) => options.find((option) => option.type === type)
    const mru = agreed(MRU)
    this.#peerMru = mru ? u16(mru.data, 0) : DEFAULT_MRU
    this.consent.onAgreed(agreed(AUTHENTICATION_PROTOCOL))
    this.#looped = 0
  }

  result(): LcpTerms {
    return {
      peerMru: this.#peerMru,
      ourMru: this.#mru ?? DEFAULT_MRU,
      ourMagic: this.#magic ?? 0,
      auth: this.consent.agreed ?? this.demand.method,
    }
  }

  /** RFC 1661 section 6.4: our own number coming back suggests a loop, and gets a Nak with another one. */
  #judgeMagic(data: Uint8Array): Verdict {
    const suggestion = () => nak(option32(MAGIC_NUMBER, this.#freshMagic()))
    if (data.length !== 4 || u32(data, 0) === 0) return suggestion()
    if (u32(data, 0) !== this.#magic) return ack
    this.#looped++
    return suggestion()
  }

  #freshMagic(): number {
    return u32(this.#entropy(4), 0) || 1
  }
}

/** What we make of the peer's idea of our MRU; undefined stops asking, which means 1500. */
function agreeableMru({ data }: PppOption): number | undefined {
  const suggested = u16(data, 0)
  return data.length === 2 && suggested >= MIN_MRU && suggested <= DEFAULT_MRU ? suggested : undefined
}
