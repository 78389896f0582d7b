/** What is at the far end of a tunnel of the house, and on the way there: carriers with their NAT, an LNS, a router inside. */
import type { IcmpOptions, IcmpSocket } from '../../src/app/ports.ts'
import type { DataSession } from '../../src/app/tuns.ts'
import type { Address } from '../../src/core/endpoint.ts'
import type { Family } from '../../src/core/ip/address.ts'
import { encodeRouterAdvertisement } from '../../src/core/ip/ra.ts'
import type { LnsEvent, LnsOptions } from '../../src/core/lns/server.ts'
import { millis } from '../../src/core/time.ts'
import { LNS_ADDRESS } from './endpoints.ts'
import { alive, type Line } from './failover-line.ts'
import { SimLns } from './lns.ts'
import type { Network, Path } from './network.ts'
import type { Timeline } from './timeline.ts'

export interface TunnelTraits {
  readonly name: string
  readonly address: string
  /** Sessions get IPv6 too. */
  readonly six: boolean
  /** In order of preference. */
  readonly carriers: readonly Line[]
  /** Share of dials that are never answered. */
  readonly failing: number
  /** Round trips of a dial, on top of the least. */
  readonly sluggish: number
  /** ms after which the LNS closes an idle control connection; undefined: never. */
  readonly idleLimit: number | undefined
}

/** What the far end finds on our side. */
export interface NearEnd {
  readonly time: Timeline
  readonly network: Network
  readonly lines: readonly Line[]
  readonly random: () => number
  /** The client has a session, as it shows. */
  isUp(): boolean
  /** The session whose packets are taken, if any are. */
  session(): DataSession | undefined
}

/** How long the LNS believes in a session of which nothing is heard, in ms. */
const LNS_PATIENCE = 30_000
const ECHO_INTERVAL = millis(5_000)
/** Control packets of one dial take this many round trips. */
const TRIPS = 6
/** ms */
const ROUTER_DELAY = 20
const HOST_ROUTES = { curHopLimit: 64, managed: false, other: false, routerLifetime: 1800, mtu: undefined }
const PREFIX = {
  prefix: { address: '2001:db8:a::', length: 64 },
  onLink: true,
  autonomous: true,
  validLifetime: 3600,
  preferredLifetime: 3600,
}
const ADVERTISEMENT = encodeRouterAdvertisement({ ...HOST_ROUTES, prefixes: [PREFIX], rdnss: [] })

/** The NAT of a carrier, and the LNS, remember a dial by the port that it comes from. */
interface Flow {
  readonly ignored: boolean
  lastSent: number
  forgotten: boolean
}

export class FarEnd {
  readonly traits: TunnelTraits
  /** The LNS answers. */
  reachable = true
  /** Families that the LNS does not forward, although it answers itself. */
  lost: readonly Family[] = []
  readonly #near: NearEnd
  readonly #lns: SimLns
  /** Peers in whose session a family is open. */
  readonly #sessions: Readonly<Record<Family, Set<string>>> = { 4: new Set(), 6: new Set() }
  readonly #flows = new Map<number, Flow>()
  #idle = () => {}

  constructor(traits: TunnelTraits, near: NearEnd, seed: number) {
    this.traits = traits
    this.#near = near
    near.network.between = (from, to) => this.#between(from, to)
    this.#lns = new SimLns(near.network, seed, {
      change: (usual) => this.#lnsOptions(usual),
      onEvent: (event) => this.#lnsTold(event),
    })
  }

  /** The client has a session. */
  get up(): boolean {
    return this.#near.isUp()
  }

  /** The client has the address. */
  get taken(): boolean {
    return this.up && this.#near.session()?.ipv4 === true
  }

  /** The LNS routes the address into a session, whether or not the client knows of it. */
  get held(): boolean {
    return this.#sessions[4].size > 0
  }

  /** The line that the session is on. */
  get carrier(): Line | undefined {
    const session = this.#near.session()
    return session && this.#lineOf(session.socket.local.host)
  }

  /** Once a session is up, packets of a family get through it. */
  serves(family: Family): boolean {
    return !this.lost.includes(family) && (family === 4 || this.traits.six)
  }

  /** Packets of a family get through the session and on into the internet. */
  gets(family: Family): boolean {
    return this.up && this.serves(family) && this.#carries(family)
  }

  /** What is sent to the address while the LNS holds it reaches the client. */
  get delivers(): boolean {
    const line = this.carrier
    return this.held && this.reachable && line?.link === true && line.receives && !line.lost.includes(4)
  }

  #carries(family: Family): boolean {
    const line = this.carrier
    const open = this.#near.session()?.[`ipv${family}`] === true && this.#sessions[family].size > 0
    return open && this.reachable && line !== undefined && alive(line)
  }

  /** Dialled now, it would come up. */
  get promising(): boolean {
    const usable = this.traits.carriers.filter(({ link, cutOff }) => link && !cutOff)
    return this.reachable && this.traits.failing === 0 && usable.some((line) => alive(line))
  }

  /** The LNS ends the session. */
  kick(): void {
    this.#lns.command({ type: 'dropSessions' })
  }

  /** The router inside answers solicitations. */
  solicitor({ onMessage }: IcmpOptions): IcmpSocket {
    let open = true
    return {
      send: () => {
        this.#near.time.after(ROUTER_DELAY, () => {
          if (open && this.#carries(6)) onMessage('fe80::1', ADVERTISEMENT, 255)
        })
      },
      close: () => {
        open = false
      },
    }
  }

  // ---- the way

  #lineOf(address: string): Line | undefined {
    return this.#near.lines.find((line) => line.address === address)
  }

  /** What befalls a datagram that is sent now. */
  #between(from: Address, to: Address): Path {
    const out = to.host === LNS_ADDRESS.host
    const line = this.#lineOf(out ? from.host : to.host)
    if (!line) return { delay: 0, loss: 1 }
    const { link, sends, receives, rtt, bloat } = line
    const passes = link && (out ? sends : receives) && !line.lost.includes(4) && this.reachable
    const known = this.#remembered(line, out ? from.port : to.port, out)
    const slow = out || this.held ? 0 : (this.traits.sluggish / TRIPS) * rtt
    const loss = passes && known ? line.loss : 1
    return { delay: rtt / 2 + bloat / 4 + slow, jitter: bloat / 4, loss }
  }

  #remembered({ mapping }: Line, port: number, out: boolean): boolean {
    const { time, random } = this.#near
    const flow = this.#flows.get(port) ?? {
      ignored: random() < this.traits.failing,
      lastSent: time.now,
      forgotten: false,
    }
    this.#flows.set(port, flow)
    if (time.now - flow.lastSent > mapping) flow.forgotten = true
    if (out) flow.lastSent = time.now
    return !flow.ignored && !flow.forgotten
  }

  // ---- the LNS

  #lnsOptions(usual: LnsOptions): LnsOptions {
    const assigned = { address: this.traits.address, ownAddress: '203.0.113.1', dns: [] }
    const echoes = { echoInterval: ECHO_INTERVAL, echoFailures: LNS_PATIENCE / ECHO_INTERVAL }
    return {
      ...usual,
      ppp: { ...usual.ppp, ...echoes, ipv6: this.traits.six, assign: () => assigned },
      oneSessionPerUser: true,
    }
  }

  #lnsTold(event: LnsEvent): void {
    const { host, port } = event.peer
    const key = `${host} ${port}`
    if (event.type === 'networkOpened') this.#sessions[event.protocol === 'ipv4' ? 4 : 6].add(key)
    else if (event.type === 'sessionClosed' || event.type === 'tunnelClosed')
      for (const sessions of Object.values(this.#sessions)) sessions.delete(key)
    const { idleLimit } = this.traits
    if (idleLimit === undefined) return
    this.#idle()
    if (!this.held)
      this.#idle = this.#near.time.after(idleLimit, () => this.#lns.command({ type: 'dropTunnels' }))
  }
}
