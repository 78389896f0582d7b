import type { Supervisor } from '../../src/app/tunnel/supervisor.ts'
import type { TunnelPath } from '../../src/app/tunnel/tunnel-status.ts'
import type { Readiness } from '../../src/core/client/dialer-state.ts'
import type { Family } from '../../src/core/ip/address.ts'
import type { TunnelSession } from '../../src/core/system/session.ts'
import { alive, type Line } from './failover-line.ts'
import type { Timeline } from './timeline.ts'

/** How long the LNS believes in a session of which nothing is heard, in ms. */
export const LNS_PATIENCE = 30_000
/** How long the client does: ten LCP echoes. */
const CLIENT_PATIENCE = 10_000
const ECHO_INTERVAL = 1_000
/** The next uplink is tried beside the one before after this many ms. */
const STAGGER = 2_000

type State = 'cold' | 'connecting' | 'warm' | 'dialling' | 'up' | 'waiting'

export interface TunnelTraits {
  readonly name: string
  readonly address: string
  /** Sessions get IPv6 too. */
  readonly six: boolean
  /** In order of preference. */
  readonly carriers: readonly Line[]
  /** Share of dials that come to nothing. */
  readonly failing: number
  /** Round trips of a dial, on top of the least. */
  readonly sluggish: number
  /** ms after which the LNS closes an idle control connection; undefined: never. */
  readonly idleLimit: number | undefined
}

/** A tunnel of the world: what a supervisor shows of it, and what is so. */
export interface WorldTunnel {
  readonly traits: TunnelTraits
  readonly supervisor: Pick<Supervisor, 'path' | 'want' | 'linger' | 'afresh'>
  /** The LNS answers. */
  reachable: boolean
  /** Families that the LNS does not forward, although it answers itself. */
  lost: readonly Family[]
  /** The LNS routes the address into the session, whether or not the client knows of it. */
  readonly held: boolean
  /** The client has a session. */
  readonly up: boolean
  /** The line that the session is on. */
  readonly carrier: Line | undefined
  /** What is sent to the address while the LNS holds it reaches the client. */
  readonly delivers: boolean
  /** Dialled now, it would come up. */
  readonly promising: boolean
  /** Once a session is up, packets of a family get through it. */
  serves(family: Family): boolean
  /** Packets of a family get through the session and on into the internet. */
  gets(family: Family): boolean
  /** The links or budgets of lines have changed. */
  factsChanged(): void
  /** The LNS, or the way to it, has come or gone. */
  weather(): void
  /** The LNS ends the session. */
  kick(): void
}

/** Stands in for a supervisor, its dialer and its LNS: what they do to sessions, and how long it takes. */
export class SimTunnel implements WorldTunnel {
  readonly traits: TunnelTraits
  /** The LNS answers. */
  reachable = true
  /** Families that the LNS does not forward, although it answers itself. */
  lost: readonly Family[] = []
  /** The LNS routes the address into the session, whether or not the client knows of it. */
  held = false
  /** Packets of the session are still taken until then although it has ended. */
  lingersUntil = 0
  readonly supervisor = this
  readonly #time: Timeline
  readonly #random: () => number
  readonly #notice: () => void
  readonly #echoed: () => void
  #state: State = 'cold'
  #wanted: Readiness = 'cold'
  #carrier: Line | undefined
  #idleSince = 0
  #idleClosed = 0
  #backoff = 1_000
  #known = false
  #uplinks = ''
  #sessions = 0
  #cancel = () => {}
  #forget = () => {}

  constructor(
    traits: TunnelTraits,
    time: Timeline,
    random: () => number,
    changed: () => void,
    echoed: () => void,
  ) {
    this.traits = traits
    this.#time = time
    this.#random = random
    this.#notice = changed
    this.#echoed = echoed
  }

  get path(): TunnelPath {
    const { name, address, six } = this.traits
    const session = this.#state === 'up' ? 'up' : this.#state === 'dialling' ? 'dialling' : 'none'
    return {
      device: `l2tp-${name}`,
      dialable: this.#usable().length > 0,
      session,
      failed: this.#state === 'waiting',
      problem: null,
      control: this.#state === 'up' || this.#state === 'warm',
      heardAt: undefined,
      idleClosed: this.#idleClosed,
      address: this.#known ? address : undefined,
      addresses: session !== 'up' ? [] : six ? [address, '2001:db8:a::2'] : [address],
      dns: [],
    }
  }

  /** What the kernel is told of it. */
  get session(): TunnelSession | undefined {
    const ipv4 = { address: this.traits.address, peer: undefined }
    const underlay = { device: this.#carrier?.name ?? '', server: '192.0.2.1' }
    return this.up ? { mtu: 1462, ipv4, ipv6: undefined, underlay } : undefined
  }

  get up(): boolean {
    return this.#state === 'up'
  }

  get carrier(): Line | undefined {
    return this.#carrier
  }

  /** Packets get through the session. */
  get carries(): boolean {
    return this.up && this.held && this.reachable && this.#carrier !== undefined && alive(this.#carrier)
  }

  /** Once a session is up, packets of a family get through it. */
  serves(family: Family): boolean {
    return !this.lost.includes(family) && (family === 4 || this.traits.six)
  }

  /** Packets of a family get through the session and on into the internet. */
  gets(family: Family): boolean {
    return this.carries && this.serves(family)
  }

  /** What is sent to the address while the LNS holds it reaches the client. */
  get delivers(): boolean {
    const taken = this.up || this.#time.now < this.lingersUntil
    const line = this.#carrier
    return taken && this.reachable && line?.link === true && line.receives && !line.lost.includes(4)
  }

  /** The LNS hears of the session. */
  get #heard(): boolean {
    return this.delivers && this.#carrier !== undefined && alive(this.#carrier)
  }

  /** Dialled now, it would come up. */
  get promising(): boolean {
    return this.reachable && this.traits.failing === 0 && this.#usable().some((line) => alive(line))
  }

  want(readiness: Readiness): void {
    if (readiness === this.#wanted) return
    this.#wanted = readiness
    this.#strive()
  }

  /** A back-off is over. */
  afresh(): void {
    this.#backoff = 1_000
    if (this.#state !== 'waiting') return
    this.#become('cold')
    this.#strive()
  }

  linger(span: number): void {
    this.lingersUntil = this.#time.now + span
  }

  factsChanged(): void {
    const usable = this.#usable()
    const names = usable.map(({ name }) => name).join()
    if (names === this.#uplinks) return
    this.#uplinks = names
    const gone = this.#carrier !== undefined && !usable.includes(this.#carrier)
    if (gone && (this.#state === 'up' || this.#state === 'warm')) {
      this.#carrier = undefined
      this.#lose()
    } else if (this.#state === 'dialling' || this.#state === 'connecting' || this.#state === 'waiting')
      this.#become('cold')
    this.#strive()
    this.#changed()
  }

  /** The LNS, or the way to it, has come or gone. */
  weather(): void {
    if (this.#state === 'up' && !this.carries) {
      this.#forget()
      this.#forget = this.#time.after(CLIENT_PATIENCE, () => {
        if (this.#state === 'up' && !this.carries) this.#ended()
      })
    }
    if (this.held && !this.#heard) {
      this.#time.after(LNS_PATIENCE, () => {
        if (!this.#heard) this.held = false
      })
    }
  }

  /** The LNS ends the session. */
  kick(): void {
    if (!this.up) return
    this.held = false
    this.#ended()
  }

  #usable(): Line[] {
    return this.traits.carriers.filter(({ link, cutOff }) => link && !cutOff)
  }

  #strive(): void {
    switch (this.#wanted) {
      case 'cold':
        if (this.#state === 'up') this.#hangUp()
        if (this.#state !== 'cold') this.#become('cold')
        break
      case 'warm':
        if (this.#state === 'up') {
          this.#hangUp()
          this.#idle()
        } else if (this.#state === 'cold' || this.#state === 'dialling') this.#dial('connecting')
        break
      case 'session':
        if (this.#state === 'warm') this.#call()
        else if (this.#state === 'cold' || this.#state === 'connecting') this.#dial('dialling')
        break
    }
  }

  #dial(state: 'connecting' | 'dialling'): void {
    const usable = this.#usable()
    if (usable.length === 0) {
      this.#become('cold')
      return
    }
    const index = usable.findIndex((line) => alive(line))
    const line = usable[index]
    this.#become(state)
    if (!line || !this.reachable || this.#random() < this.traits.failing) {
      const patience = this.#random() < 0.5 ? 300 : 5_000 + 10_000 * this.#random()
      this.#soon(patience, () => this.#fail())
      return
    }
    const trips = (state === 'dialling' ? 6 : 2) + this.traits.sluggish * this.#random()
    this.#soon(index * STAGGER + trips * line.rtt, () => this.#reached(line))
  }

  /** Through the open control connection, unless a NAT on the way has forgotten it. */
  #call(): void {
    const line = this.#carrier
    if (!line) return
    if (this.#time.now - this.#idleSince > line.mapping || !alive(line) || !this.reachable) {
      this.#become('dialling')
      this.#soon(Math.max(300, 2 * line.rtt), () => this.#dial('dialling'))
      return
    }
    this.#become('dialling')
    this.#soon((3 + this.traits.sluggish * this.#random()) * line.rtt, () => this.#reached(line))
  }

  #reached(line: Line): void {
    if (!alive(line) || !this.reachable) {
      this.#fail()
      return
    }
    this.#carrier = line
    this.#backoff = 1_000
    if (this.#wanted !== 'session') {
      this.#idle()
      return
    }
    this.held = true
    this.#known = true
    this.#become('up')
    this.#echo(++this.#sessions)
  }

  /** An LCP echo that comes back, as long as the session lasts. */
  #echo(session: number): void {
    this.#time.after(ECHO_INTERVAL, () => {
      if (!this.up || session !== this.#sessions) return
      if (this.carries) this.#echoed()
      this.#echo(session)
    })
  }

  #idle(): void {
    this.#idleSince = this.#time.now
    this.#become('warm')
    const { idleLimit } = this.traits
    if (idleLimit === undefined) return
    this.#soon(idleLimit, () => {
      this.#idleClosed++
      this.#become('cold')
      this.#soon(1_000, () => this.#strive())
    })
  }

  #fail(): void {
    this.#become('waiting')
    const pause = this.#backoff * (0.8 + 0.2 * this.#random())
    this.#backoff = Math.min(60_000, this.#backoff * 2)
    this.#soon(pause, () => {
      this.#become('cold')
      this.#strive()
    })
  }

  #ended(): void {
    this.lingersUntil = 0
    this.#lose()
    this.#strive()
  }

  #lose(): void {
    this.#become('cold')
    this.weather()
  }

  /** The CDN reaches the LNS, or does not. */
  #hangUp(): void {
    const line = this.#carrier
    this.#become('cold')
    if (!line) return
    this.#time.after(line.rtt / 2, () => {
      if (this.up) return
      if (alive(line) && this.reachable) this.held = false
      else
        this.#time.after(LNS_PATIENCE, () => {
          if (!this.up) this.held = false
        })
    })
  }

  /** Never within the call of whoever caused it. */
  #changed(): void {
    this.#time.after(0, this.#notice)
  }

  #soon(delay: number, run: () => void): void {
    this.#cancel()
    this.#cancel = this.#time.after(delay, run)
  }

  #become(state: State): void {
    this.#cancel()
    if (state === this.#state) return
    this.#state = state
    this.#changed()
  }
}
