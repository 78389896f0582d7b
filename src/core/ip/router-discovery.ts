import { u16 } from '../bytes.ts'
import type { Entropy } from '../crypto.ts'
import { after, earliest, type Millis, millis } from '../time.ts'
import {
  type Autoconfiguration,
  absorb,
  differs,
  expire,
  NOTHING_LEARNT,
  nextExpiry,
} from './autoconfiguration.ts'
import {
  ALL_ROUTERS,
  decodeRouterAdvertisement,
  encodeRouterSolicitation,
  INFINITE_LIFETIME,
  type RouterAdvertisement,
} from './ra.ts'

/** What a session wants of router discovery. */
export type RouterDiscoveryCommand =
  /**
   * IPV6CP has opened with this interface identifier (8 octets). What was learnt before is forgotten. The device must
   * have the link-local address of the identifier by now, or the kernel cannot send the first solicitation.
   */
  | { readonly kind: 'start'; readonly interfaceId: Uint8Array }
  /** IPV6CP has closed. Nothing is said about what was learnt: who started this decides how long it stays. */
  | { readonly kind: 'stop' }

/** What router discovery has to say. */
export type RouterDiscoveryEvent =
  /** What is in force now, whole; comes again whenever it changes or deadlines move. */
  | ({ readonly kind: 'configured' } & Autoconfiguration)
  /** The last of what was learnt has lapsed. */
  | { readonly kind: 'expired' }
  /** Nothing was learnt since the start, and the router had its time: what an earlier session learnt is not to last. */
  | { readonly kind: 'unanswered' }

/** A message from its ICMPv6 header on, to leave with hop limit 255 from the link-local address. */
export interface IcmpTransmit {
  readonly to: string
  readonly message: Uint8Array
}

/** RFC 4861 section 10, RFC 7559 section 2: RTR_SOLICITATION_INTERVAL is the first timeout (IRT). Milliseconds. */
const SOLICITATION_INTERVAL_MS = 4_000
/** RFC 4861 section 10: MAX_RTR_SOLICITATIONS, without an answer to which there is no router. They take about 28 s. */
const MAX_SOLICITATIONS = 3
/** RFC 7559 section 2: MRT. */
const MAX_SOLICITATION_INTERVAL_MS = 3_600_000
/** Deadlines that moved by less than this are not worth an event. */
const TOLERANCE_MS = 1_000

type State =
  | { readonly name: 'idle' }
  /** No default router yet, or its answer to a refresh is awaited. `interval` is RT of RFC 7559, before it doubles. */
  | {
      readonly name: 'soliciting'
      readonly interfaceId: Uint8Array
      readonly at: Millis
      readonly interval: number
    }
  | { readonly name: 'configured'; readonly interfaceId: Uint8Array; readonly refreshAt: Millis | undefined }

/**
 * The host's side of Router Discovery on a point-to-point link (RFC 4861 section 6.3), sans IO: after each input drain
 * `pollTransmit` and `pollEvent`, then arm one alarm to `pollTimeout`. It solicits at once when started (the random
 * delay of section 6.3.7 is for hosts that share a link) and backs off as RFC 7559 says until a default router
 * advertises itself. Routers on PPP advertise rarely or never, so it solicits again before anything lapses.
 * An advertisement that comes before `start` is not missed: the first solicitation asks for it again.
 */
export class RouterDiscovery {
  readonly #entropy: Entropy
  #state: State = { name: 'idle' }
  #learnt: Autoconfiguration = NOTHING_LEARNT
  #told: Autoconfiguration | undefined
  #lastSolicitation = millis(Number.NEGATIVE_INFINITY)
  /** Solicitations that may yet leave in vain before that is told; below zero there is nothing to tell. */
  #patience = -1
  readonly #transmits: IcmpTransmit[] = []
  readonly #events: RouterDiscoveryEvent[] = []

  constructor(entropy: Entropy) {
    this.#entropy = entropy
  }

  /** What is in force, for status. */
  get learnt(): Autoconfiguration {
    return this.#learnt
  }

  /** A message arrived on the device, from its ICMPv6 header on. What is no valid advertisement is ignored. */
  receive(now: Millis, from: string, message: Uint8Array, hopLimit: number): void {
    if (this.#state.name === 'idle') return
    const { interfaceId } = this.#state
    const decoded = decodeRouterAdvertisement(from, hopLimit, message)
    if (!decoded.ok) return
    const advertisement = decoded.value
    this.#learnt = absorb(this.#learnt, now, from, advertisement, interfaceId)
    // RFC 7559 section 2.1: an advertisement of no default router does not end the solicitations.
    if (advertisement.routerLifetime > 0) {
      this.#state = { name: 'configured', interfaceId, refreshAt: refreshTime(now, advertisement) }
    }
    this.#settle(now)
  }

  command(now: Millis, command: RouterDiscoveryCommand): void {
    this.#learnt = NOTHING_LEARNT
    this.#told = undefined
    if (command.kind === 'stop') {
      this.#state = { name: 'idle' }
      return
    }
    const { interfaceId } = command
    this.#patience = MAX_SOLICITATIONS
    this.#state = { name: 'soliciting', interfaceId, at: now, interval: 0 }
    this.timeout(now)
  }

  timeout(now: Millis): void {
    this.#settle(now)
    const state = this.#state
    switch (state.name) {
      case 'idle':
        return
      case 'soliciting':
        if (state.at <= now) this.#solicit(now, state.interfaceId, state.interval)
        return
      case 'configured':
        if (state.refreshAt !== undefined && state.refreshAt <= now) this.#solicit(now, state.interfaceId, 0)
        return
    }
  }

  pollTransmit(): IcmpTransmit | undefined {
    return this.#transmits.shift()
  }

  pollEvent(): RouterDiscoveryEvent | undefined {
    return this.#events.shift()
  }

  pollTimeout(): Millis | undefined {
    const state = this.#state
    switch (state.name) {
      case 'idle':
        return undefined
      case 'soliciting':
        return earliest(state.at, nextExpiry(this.#learnt))
      case 'configured':
        return earliest(state.refreshAt, nextExpiry(this.#learnt))
    }
  }

  /** Drops what has lapsed, searches again if the default router is gone, and tells what has changed. */
  #settle(now: Millis): void {
    this.#learnt = expire(this.#learnt, now)
    if (this.#state.name === 'configured' && this.#learnt.router === undefined) {
      // RFC 4861 section 6.3.7: solicitations are at least RTR_SOLICITATION_INTERVAL apart.
      const at = millis(Math.max(now, this.#lastSolicitation + SOLICITATION_INTERVAL_MS))
      this.#state = { name: 'soliciting', interfaceId: this.#state.interfaceId, at, interval: 0 }
    }
    this.#tell()
  }

  #tell(): void {
    if (this.#told !== undefined && !differs(this.#told, this.#learnt, TOLERANCE_MS)) return
    const { router, addresses, dns } = this.#learnt
    const nothing = router === undefined && addresses.length === 0 && dns.length === 0
    if (nothing && this.#told === undefined) return
    this.#patience = -1
    this.#told = nothing ? undefined : this.#learnt
    this.#events.push(nothing ? { kind: 'expired' } : { kind: 'configured', ...this.#learnt })
  }

  #solicit(now: Millis, interfaceId: Uint8Array, previous: number): void {
    if (this.#patience-- === 0) this.#events.push({ kind: 'unanswered' })
    this.#transmits.push({ to: ALL_ROUTERS, message: encodeRouterSolicitation() })
    this.#lastSolicitation = now
    const interval = this.#nextInterval(previous)
    this.#state = { name: 'soliciting', interfaceId, at: after(now, interval), interval }
  }

  /** RT of RFC 7559 section 2 (RFC 8415 section 15): doubles, capped at MRT, each time 10 % more or less. */
  #nextInterval(previous: number): number {
    const random = 0.1 * (u16(this.#entropy(2), 0) / 0x8000 - 1)
    const doubled = previous === 0 ? SOLICITATION_INTERVAL_MS * (1 + random) : previous * (2 + random)
    return doubled > MAX_SOLICITATION_INTERVAL_MS ? MAX_SOLICITATION_INTERVAL_MS * (1 + random) : doubled
  }
}

/** When to ask again: at three quarters of the shortest lifetime advertised; undefined if all are endless. */
function refreshTime(at: Millis, advertisement: RouterAdvertisement): Millis | undefined {
  const lifetimes = [
    advertisement.routerLifetime,
    ...advertisement.rdnss.map(({ lifetime }) => lifetime),
    ...advertisement.prefixes
      .filter(({ autonomous }) => autonomous)
      .flatMap(({ preferredLifetime, validLifetime }) => [preferredLifetime, validLifetime]),
  ].filter((lifetime) => lifetime > 0 && lifetime !== INFINITE_LIFETIME)
  if (lifetimes.length === 0) return undefined
  return after(at, Math.max(SOLICITATION_INTERVAL_MS, Math.min(...lifetimes) * 750))
}
