/** The network phase: IPCP and IPV6CP side by side, each with its own luck (RFC 1661 section 3.6). */
import { after, earliest, type Millis, millis } from '../time.ts'
import { ControlProtocol } from './control-protocol.ts'
import type { IpcpTerms } from './ipcp.ts'
import type { OptionPolicy } from './policy.ts'
import { protocols } from './protocol.ts'
import type { Ipv6Terms, NetworkFailure, PppCause, PppEvent, PppLimits } from './types.ts'

/** What the network phase needs of the link. */
export interface NetworkUser {
  send(protocol: number, packet: Uint8Array): void
  emit(event: PppEvent): void
  /** No network protocol is left to hope for. */
  failed(now: Millis, cause: PppCause): void
  mayReject(now: Millis): boolean
  mru(): number
}

type Status =
  | { readonly name: 'idle' | 'negotiating' }
  | { readonly name: 'open'; readonly since: Millis }
  /** It failed; tried again at `retryAt`, or not before the peer speaks of it if there is none. */
  | ({ readonly name: 'failed'; readonly retryAt: Millis | undefined } & Failing)

type Failing = Pick<NetworkFailure, 'why' | 'refused'>

interface Member {
  readonly name: 'IPCP' | 'IPV6CP'
  readonly control: ControlProtocol<unknown>
  status: Status
  /** The next pause before a retry. */
  pause: Millis
}

/** Open for so long, in ms, a protocol has earned a quick retry again. */
const STABLE = 60_000

/** The network phase of a link: IPCP and IPV6CP side by side (RFC 1661 section 3.6). */
export class NetworkPhase {
  readonly #limits: PppLimits
  readonly #user: NetworkUser
  readonly #members: readonly Member[]
  #running = false
  /** By then one protocol must be open. */
  #hopeUntil: Millis | undefined

  constructor(
    ipcp: OptionPolicy<IpcpTerms>,
    ipv6cp: OptionPolicy<Ipv6Terms> | undefined,
    limits: PppLimits,
    user: NetworkUser,
  ) {
    this.#limits = limits
    this.#user = user
    const ipv4 = this.#member('IPCP', ipcp, () => {
      const { address, peer, dns, refused } = ipcp.result()
      if (address === undefined) return { why: 'noAddress', refused }
      return { type: 'ipcpOpened', ipv4: { address, peer, dns } }
    })
    const ipv6 =
      ipv6cp && this.#member('IPV6CP', ipv6cp, () => ({ type: 'ipv6cpOpened', ipv6: ipv6cp.result() }))
    this.#members = ipv6 ? [ipv4, ipv6] : [ipv4]
  }

  get deadline(): Millis | undefined {
    return earliest(
      this.#hopeUntil,
      ...this.#members.map(({ control }) => control.deadline),
      ...this.#members.map(({ status }) => (status.name === 'failed' ? status.retryAt : undefined)),
    )
  }

  /** The phase is entered: all Configure-Requests leave at once. `ipv6`: packets are large enough for it. */
  start(now: Millis, ipv6: boolean): void {
    this.#running = true
    this.#hopeUntil = after(now, this.#limits.networkTimeout)
    for (const member of this.#members) {
      member.pause = this.#limits.retryFirst
      if (member.name === 'IPCP' || ipv6) this.#try(now, member)
      else member.status = { name: 'failed', why: 'smallPackets', retryAt: undefined }
    }
  }

  /** The phase is left; what was open closes without a word to the peer. */
  stop(now: Millis): void {
    this.#running = false
    this.#hopeUntil = undefined
    for (const member of this.#members) {
      member.control.lowerDown(now)
      member.status = { name: 'idle' }
    }
  }

  /** Whether this is one of ours. */
  speaks(protocol: number): boolean {
    return this.#find(protocol) !== undefined
  }

  /** Whether the network protocol that this control protocol is for may carry data. */
  isOpen(protocol: number): boolean {
    return this.#find(protocol)?.status.name === 'open'
  }

  receive(now: Millis, protocol: number, packet: Uint8Array): void {
    const member = this.#find(protocol)
    if (!this.#running || member === undefined) return
    // A peer that rejected the protocol and then speaks it was not ready at first.
    const { status } = member
    if (status.name === 'failed' && status.why === 'rejected' && member.control.state === 'starting') {
      this.#try(now, member)
    }
    member.control.receive(now, packet)
  }

  /** The peer does not know the control protocol, or the network protocol, of this number. */
  protocolRejected(now: Millis, protocol: number): void {
    const control = protocol === protocols.ipv4 || protocol === protocols.ipv6 ? protocol | 0x8000 : protocol
    const member = this.#find(control)
    if (this.#running && member && member.status.name !== 'failed') member.control.protocolRejected(now)
  }

  timeout(now: Millis): void {
    for (const member of this.#members) {
      if (!this.#running) return
      member.control.timeout(now)
      const { status } = member
      if (status.name === 'failed' && status.retryAt !== undefined && now >= status.retryAt) {
        this.#retry(now, member)
      }
    }
    if (this.#hopeUntil !== undefined && now >= this.#hopeUntil) this.#fail(now)
  }

  /** Unless the peer has begun itself in the meantime. */
  #retry(now: Millis, member: Member): void {
    const { state } = member.control
    if (state === 'reqSent' || state === 'ackRcvd' || state === 'ackSent')
      member.status = { name: 'negotiating' }
    else this.#try(now, member)
  }

  #try(now: Millis, member: Member): void {
    member.status = { name: 'negotiating' }
    member.control.start(now)
  }

  #find(protocol: number): Member | undefined {
    return this.#members.find(({ control }) => control.policy.protocol === protocol)
  }

  #member(name: Member['name'], policy: OptionPolicy<unknown>, opened: () => PppEvent | Failing): Member {
    const control = new ControlProtocol(policy, this.#limits, {
      send: (packet) => this.#user.send(policy.protocol, packet),
      up: (now) => this.#opened(now, member, opened()),
      down: (now) => this.#closed(now, member),
      finished: (now, why) => this.#finished(now, member, { why: why ?? 'terminated' }),
      mayReject: (now) => this.#user.mayReject(now),
      mru: () => this.#user.mru(),
    })
    const member: Member = {
      name,
      control,
      status: { name: 'idle' },
      pause: this.#limits.retryFirst,
    }
    return member
  }

  #opened(now: Millis, member: Member, event: PppEvent | Failing): void {
    if ('why' in event) {
      this.#finished(now, member, event)
      return
    }
    member.status = { name: 'open', since: now }
    this.#hopeUntil = undefined
    this.#user.emit(event)
  }

  #closed(now: Millis, member: Member): void {
    const { status } = member
    if (status.name !== 'open') return
    if (now - status.since >= STABLE) member.pause = this.#limits.retryFirst
    member.status = { name: 'negotiating' }
    this.#user.emit({ type: member.name === 'IPCP' ? 'ipcpClosed' : 'ipv6cpClosed' })
    if (this.#running && !this.#members.some(({ status }) => status.name === 'open')) {
      this.#hopeUntil = after(now, this.#limits.networkTimeout)
    }
  }

  /** One that fails harms no other. It is retried, ever more slowly, unless the peer said that it has no such thing. */
  #finished(now: Millis, member: Member, failing: Failing): void {
    const retryAt = failing.why === 'rejected' ? undefined : after(now, member.pause)
    member.pause = millis(Math.min(member.pause * 2, this.#limits.retryMax))
    member.status = { name: 'failed', retryAt, ...failing }
    this.#user.emit({ type: 'notOpened', protocol: member.name, ...failing })
    // One that the peer closed is worth a retry even alone; what else failed alone is the link's failure.
    const hopeless = this.#members.every(
      ({ status }) => status.name === 'failed' && status.why !== 'terminated',
    )
    if (this.#running && hopeless) this.#fail(now)
  }

  #fail(now: Millis): void {
    this.#hopeUntil = undefined
    const why = this.#members.map(({ name, status }): NetworkFailure => {
      const refused = status.name === 'failed' && status.refused
      return {
        protocol: name,
        why: status.name === 'failed' ? status.why : 'timeout',
        ...(refused && { refused }),
      }
    })
    const off = { protocol: 'IPV6CP', why: 'off' } as const
    this.#user.failed(now, { code: 'noNetworkProtocol', why: why.length === 1 ? [...why, off] : why })
  }
}
