import type { Millis } from '../time.ts'
import { after } from '../time.ts'

/** RFC 8305 section 5: the pause before the next address of the same name is tried beside the first. */
export const ADDRESS_STAGGER = 250
/** The pause before the next server, or the same one over the next uplink, is tried beside the first. */
export const SERVER_STAGGER = 2_000

/** An uplink that a tunnel may be carried by now. `id` changes when sockets bound before are of no more use. */
export interface DialUplink {
  readonly name: string
  readonly id: string
}

/** An LNS: a name or a literal address, and its UDP port. */
export interface ServerName {
  readonly host: string
  readonly port: number
}

/** One server over one uplink. */
export interface Route {
  readonly uplink: DialUplink
  readonly server: ServerName
}

/** One literal address of a server over an uplink. */
export interface Candidate extends Route {
  readonly address: string
}

/** What a round wants done next: a name looked up, or an address dialled. */
export type RoundStep = { type: 'resolve'; route: Route } | { type: 'try'; candidate: Candidate }

interface Leg {
  readonly route: Route
  readonly seen: Set<string>
  state: 'ahead' | 'resolving' | 'resolved'
}

/**
 * One round of dialling: every address of every server over every usable uplink once, in order of preference, each
 * started a little after the one before (RFC 8305) or as soon as all before it have failed.
 *
 * `pollStep` says what to do at `now`; tell the outcome with `resolved`, `unresolved` and `failed`.
 */
export class Round {
  #legs: Leg[]
  readonly #servers: readonly ServerName[]
  readonly #queue: Candidate[] = []
  /** What comes when nothing else is left. */
  readonly #last: Candidate[] = []
  readonly #shunned = new Set<string>()
  readonly #serial: boolean
  #running = 0
  #nextAt: Millis
  #frozen = false

  /** `serial`: never two at once, for a fixed local port. */
  constructor(now: Millis, uplinks: readonly DialUplink[], servers: readonly ServerName[], serial: boolean) {
    this.#servers = servers
    this.#legs = legsOf(uplinks, servers)
    this.#serial = serial
    this.#nextAt = now
  }

  /** Nothing is left to try, resolve or wait for. */
  get exhausted(): boolean {
    return this.#running === 0 && this.#queue.length === 0 && this.#last.length === 0 && this.#allResolved
  }

  /** The uplinks have changed: what is behind us stays, what is gone is left out, what is new takes its place. */
  update(now: Millis, uplinks: readonly DialUplink[]): void {
    const known = this.#legs
    this.#legs = legsOf(uplinks, this.#servers).map(
      (leg) => known.find((old) => sameRoute(old.route, leg.route)) ?? leg,
    )
    for (const list of [this.#queue, this.#last]) {
      const usable = list.filter(({ uplink }) => uplinks.some(({ id }) => id === uplink.id))
      list.splice(0, list.length, ...usable)
    }
    this.#hurry(now)
  }

  /** An LNS asks for another one to be used: its address comes after all others. */
  shun(address: string): void {
    this.#shunned.add(address)
    const shunned = this.#queue.filter((candidate) => candidate.address === address)
    const others = this.#queue.filter((candidate) => candidate.address !== address)
    this.#queue.splice(0, this.#queue.length, ...others)
    this.#last.push(...shunned)
  }

  /** Counts a candidate that was started elsewhere as one of this round. */
  adopt(): void {
    this.#running++
  }

  /** While one candidate is answered nothing further is started. */
  freeze(): void {
    this.#frozen = true
  }

  pollStep(now: Millis): RoundStep | undefined {
    if (this.#frozen || now < this.#nextAt) return undefined
    if (this.#serial && this.#running > 0) return undefined
    const candidate = this.#queue.shift() ?? (this.#allResolved ? this.#last.shift() : undefined)
    if (candidate) {
      this.#running++
      this.#nextAt = after(now, this.#queue.length > 0 ? ADDRESS_STAGGER : SERVER_STAGGER)
      return { type: 'try', candidate }
    }
    const leg = this.#legs.find((each) => each.state === 'ahead')
    if (!leg) return undefined
    leg.state = 'resolving'
    this.#nextAt = after(now, SERVER_STAGGER)
    return { type: 'resolve', route: leg.route }
  }

  /** The addresses of a server are known; may be called again with fresher ones. Known addresses are not tried twice. */
  resolved(now: Millis, route: Route, addresses: readonly string[]): void {
    const leg = this.#leg(route)
    if (!leg) return
    const waited = leg.state === 'resolving'
    leg.state = 'resolved'
    const fresh = addresses.filter((address) => !leg.seen.has(address))
    for (const address of fresh) {
      leg.seen.add(address)
      const list = this.#shunned.has(address) ? this.#last : this.#queue
      list.push({ ...leg.route, address })
    }
    if (fresh.length === 0) this.#hurry(now)
    else if (waited || this.#running === 0) this.#nextAt = now
  }

  /** The server's name has no answer over this uplink. */
  unresolved(now: Millis, route: Route): void {
    const leg = this.#leg(route)
    if (leg?.state !== 'resolving') return
    leg.state = 'resolved'
    this.#hurry(now)
  }

  /** A candidate that was started has failed. */
  failed(now: Millis): void {
    this.#running = Math.max(0, this.#running - 1)
    if (this.#running === 0) this.#frozen = false
    this.#hurry(now)
  }

  pollTimeout(): Millis | undefined {
    if (this.#frozen || (this.#serial && this.#running > 0)) return undefined
    const last = this.#last.length > 0 && this.#allResolved
    const more = last || this.#queue.length > 0 || this.#legs.some((leg) => leg.state === 'ahead')
    return more ? this.#nextAt : undefined
  }

  /** With nothing under way there is nothing to be polite to. */
  #hurry(now: Millis): void {
    const resolving = this.#legs.some((leg) => leg.state === 'resolving')
    if (this.#running === 0 && !resolving && now < this.#nextAt) this.#nextAt = now
  }

  get #allResolved(): boolean {
    return this.#legs.every((leg) => leg.state === 'resolved')
  }

  #leg(route: Route): Leg | undefined {
    return this.#legs.find((leg) => sameRoute(leg.route, route))
  }
}

function legsOf(uplinks: readonly DialUplink[], servers: readonly ServerName[]): Leg[] {
  return uplinks.flatMap((uplink) =>
    servers.map((server): Leg => ({ route: { uplink, server }, seen: new Set(), state: 'ahead' })),
  )
}

function sameRoute(a: Route, b: Route): boolean {
  return a.uplink.id === b.uplink.id && a.server.host === b.server.host && a.server.port === b.server.port
}
