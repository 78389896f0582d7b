/** The network of failover on the screen: its picture, an outage clock and a running download, refreshed all the time. */
import * as common from '../net/addresses.ts'
import { Flow, Load, reflect, STREAM_PORT, TALK_PORT } from '../net/failover/flows.ts'
import { configuration, LOGIN, SECRET, waitForPath, waitForWarm } from '../net/failover/scenario.ts'
import { buildProvider, type Provider } from '../net/failover/topology.ts'
import { type KernelState, kernelState } from '../net/kernel-state.ts'
import type { Lifeline } from '../net/lifeline.ts'
import { bold, green, red } from './colours.ts'
import { picture } from './failover-picture.ts'
import { MQTT_SECTIONS, Tape } from './mqtt-tape.ts'
import { OutageClock } from './outage-clock.ts'
import type { Teller } from './story.ts'

/** ms between two looks at everything. */
const LOOK = 100
/** Samples of the download that are drawn. */
const SAMPLES = 40
/** s that a line has to be well before traffic goes back; the default is 10. */
const FAILBACK_DELAY = 3

interface Props {
  readonly net: Provider
  readonly lifeline: Lifeline
  /** The router without it. */
  readonly before: KernelState
  readonly clock: OutageClock
  readonly download: Load
  /** Tells under which address the internet sees it. */
  readonly flow: Flow
  /** What a broker in the LAN hears. */
  readonly tape: Tape
}

export class Stage implements Props {
  readonly net: Provider
  readonly lifeline: Lifeline
  readonly before: KernelState
  readonly clock: OutageClock
  readonly download: Load
  readonly flow: Flow
  readonly tape: Tape
  readonly #teller: Teller
  readonly #watching = new AbortController()
  readonly #timer: NodeJS.Timeout
  #octets = 0
  #rates: number[] = []
  #note: readonly string[] = []
  #looking = false

  constructor(teller: Teller, { net, lifeline, before, clock, download, flow, tape }: Props) {
    this.#teller = teller
    this.net = net
    this.lifeline = lifeline
    this.before = before
    this.clock = clock
    this.download = download
    this.flow = flow
    this.tape = tape
    lifeline.follow((event) => teller.event(event), this.#watching.signal).catch(() => {})
    this.#timer = setInterval(() => void this.#look(), LOOK)
  }

  /** Builds it all, and waits until traffic goes over fibre with the tunnel standing by. `recording` is a file for MQTT. */
  static async build(teller: Teller, onNetwork: (net: Provider) => void, recording?: string): Promise<Stage> {
    teller.picture(picture(undefined))
    let ready: { readonly net: Provider; readonly tape: Tape } | undefined
    await teller.step('build the network: fibre, 4G behind NAT, an LNS, the internet', async () => {
      const net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET })
      onNetwork(net)
      await reflect(net.internet.namespace)
      ready = { net, tape: await Tape.start(net.lan, (line) => teller.message(line), recording) }
      return ''
    })
    if (ready === undefined) throw new Error('no network')
    const { net: built, tape } = ready
    const before = await kernelState(built.router.namespace)
    const lifeline = built.router.lifeline({
      config: { ...configuration({ failover: { failback_delay: FAILBACK_DELAY } }), ...MQTT_SECTIONS },
    })
    await teller.step('lifeline run: fibre first, the tunnel over 4G second, plain 4G third', async () => {
      await waitForPath(lifeline, 'fibre')
      await waitForWarm(built)
      await tape.waitForPath('fibre')
      teller.picture(picture(await lifeline.status()))
      return 'traffic goes over fibre, the tunnel stands by with its control connection open'
    })
    const { ipv4 } = common.internet
    const clock = new OutageClock(built.lan, ipv4)
    const download = await Load.open(built.lan, 'download', ipv4, STREAM_PORT)
    const flow = await Flow.open('the LAN', built.lan, 'tcp', ipv4, TALK_PORT, 'idle')
    return new Stage(teller, { net: built, lifeline, before, clock, download, flow, tape })
  }

  /** Lines below the meters. */
  note(lines: readonly string[]): void {
    this.#note = lines
  }

  /** The address that the internet sees, over a connection that stands since the start; undefined if it is dead. */
  async address(): Promise<string | undefined> {
    try {
      await this.flow.lives(5000)
    } catch {
      return undefined
    }
    return /^\[(?:::ffff:)?(.*)\]:\d+$/.exec(this.flow.seenAs.at(-1) ?? '')?.[1]
  }

  /** Whether the download moves. */
  async downloads(): Promise<boolean> {
    try {
      await this.download.progresses(200_000, 10_000)
      return true
    } catch {
      return false
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#watching.abort()
    this.clock.stop()
    this.download.close()
    this.flow.close()
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      this.#teller.picture(picture(await this.lifeline.status()))
      const octets = this.download.alive ? await this.download.octets() : this.#octets
      this.#rates = [...this.#rates, octets - this.#octets].slice(-SAMPLES)
      this.#octets = octets
      this.#teller.meters([this.#downloadLine(), this.#outageLine(), ...this.#note])
    } catch {
      // Something ends at this moment; there will be another look if not everything does.
    } finally {
      this.#looking = false
    }
  }

  #downloadLine(): string {
    const most = Math.max(...this.#rates, 1)
    const bars = this.#rates.map((rate) =>
      rate === 0 ? red('_') : green('▁▂▃▄▅▆▇█'[Math.round((rate / most) * 7)] ?? '█'),
    )
    const total = `${(this.#octets / 1e6).toFixed(1)} MB`
    return ` download ${bars.join('')} ${total}${this.download.alive ? '' : red(' dead')}`
  }

  #outageLine(): string {
    const { running, longest } = this.clock
    if (running !== undefined)
      return bold(red(` outage   ${(running / 1000).toFixed(1)} s without an answer`))
    return ` outage   none now; the longest gap since the last event: ${longest.toFixed(0)} ms`
  }
}
