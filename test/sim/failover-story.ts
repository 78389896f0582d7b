import { DEFAULT_PROBE } from '../../src/core/config/probe.ts'
import type { FailoverConfig, ProbeConfig, ProbeTarget, Standby } from '../../src/core/config/types.ts'
import { targetKey } from '../../src/core/failover/probing.ts'
import { millis } from '../../src/core/time.ts'
import { configOf, tunnelOf, uplinkOf } from '../core/system/samples.ts'
import { LNS_ADDRESS } from './endpoints.ts'
import type { Line } from './failover-line.ts'
import { COUNTING, FailoverWorld, MONTHLY_BUDGET } from './failover-world.ts'
import { seededRandom } from './random.ts'

/** How long the story goes on before the world is left alone, at most, in ms. */
const LENGTH = 150_000
const STATIC = '203.0.113.10'

export interface Story {
  readonly world: FailoverWorld
  readonly length: number
  /** No target has ever answered: only links tell anything. */
  readonly deaf: boolean
  /** No IPv6 target has ever answered: it plays no part. */
  readonly sixDeaf: boolean
  /** In words, for whoever reads a history that failed. */
  readonly setting: string
}

type Tell = (text: string) => void
interface Scene {
  readonly world: FailoverWorld
  readonly random: () => number
  readonly tell: Tell
  readonly length: number
}

/** A world and what befalls it, the same for the same seed. `tell` is called as it happens. */
export function story(seed: number, tell: Tell): Story {
  const random = seededRandom(seed)
  const pick = <T>(...choices: readonly T[]) => choices[Math.floor(random() * choices.length)] as T
  const chance = (share: number) => random() < share
  const dual = chance(0.6)
  // Of a stream of its own: what else befalls a seed does not hang on it.
  const modem = seededRandom(~seed)() < 0.2 ? '192.168.100.2' : undefined
  const fibre = { ...newLine('fibre', STATIC, 5 + 20 * random(), false, dual), modem }
  const cable = newLine('cable', '198.51.100.9', 10 + 30 * random(), false, dual && chance(0.7))
  const lte = newLine(
    'lte',
    '10.64.0.2',
    30 + 60 * random(),
    chance(0.7),
    dual && chance(0.5),
    pick(1e9, 30_000, 90_000),
  )
  const layout = pick('shared', 'shared', 'shared', 'plain', 'own', 'second', 'server')
  const carriers = { shared: [lte], plain: [], own: [lte], second: [cable, lte], server: [fibre, lte] }[
    layout
  ]
  const standby: Standby = pick('auto', 'auto', 'cold', 'warm', 'hot')
  const shares = layout === 'shared' || layout === 'second'
  const tunnel = {
    name: 'aaisp',
    address: shares ? STATIC : '203.0.113.77',
    six: dual && chance(0.7),
    carriers,
    failing: pick(0, 0, 0, 0.3),
    sluggish: pick(0, 2, 20, 60),
    idleLimit: pick(undefined, undefined, undefined, 20_000),
  }
  const backsUp = shares && chance(0.5) ? 'fibre' : undefined
  const paths = {
    shared: ['fibre', 'aaisp', 'lte'],
    plain: ['fibre', 'cable', 'lte'],
    own: ['fibre', 'aaisp', 'lte'],
    second: ['fibre', 'aaisp', 'cable', 'lte'],
    server: ['aaisp', 'fibre', 'lte'],
  }[layout]
  const lines = [fibre, cable, lte].filter(({ name }) => paths.includes(name))
  const targets = [
    ...['192.0.2.1', '192.0.2.2', '192.0.2.3'].slice(0, pick(1, 2, 3)),
    ...['2001:db8::1', '2001:db8::2'].slice(0, dual ? pick(1, 2) : 0),
  ].map((address): ProbeTarget => ({ kind: 'icmp', address }))
  // The first target of a family answers, but where none ever does.
  const mute = new Set(
    targets
      .filter(({ address }) => !address.endsWith('.1') && !address.endsWith(':1') && chance(0.3))
      .map(targetKey),
  )
  const deaf = chance(0.04)
  const sixDeaf = deaf || chance(0.1)
  if (sixDeaf) for (const target of targets) if (target.address.includes(':')) mute.add(targetKey(target))
  if (deaf) for (const target of targets) mute.add(targetKey(target))
  const probe: ProbeConfig = {
    ...DEFAULT_PROBE,
    targets,
    interval: millis(pick(1000, 1000, 500, 2000)),
    timeout: pick<'auto' | ReturnType<typeof millis>>('auto', 'auto', millis(700)),
    down: pick(2, 2, 3),
    up: pick(5, 5, 3),
    require: dual && !sixDeaf ? pick('ipv4', 'ipv4', 'ipv4', 'both', 'any') : 'ipv4',
  }
  const failover: FailoverConfig = {
    name: 'failover',
    paths,
    mode: 'auto',
    dialGrace: millis(pick(5_000, 5_000, 1_000, 0)),
    failbackDelay: millis(pick(10_000, 10_000, 2_000, 20_000)),
    standbyCheck: 'off',
    probe,
  }
  const uplinks = carriers.map(({ name }) => name)
  const config = configOf(
    layout === 'plain'
      ? []
      : [tunnelOf('aaisp', { servers: [LNS_ADDRESS], uplinks, standby, backsUp, ipv6: tunnel.six })],
    lines.map(({ name, metered, modem, address }) =>
      uplinkOf(name, name, {
        metered,
        source: modem && address,
        ...(metered && { monthlyBudget: MONTHLY_BUDGET, budgetCutoff: true }),
      }),
    ),
  )
  const kernelDelay = pick(2, 10, 60)
  const world = new FailoverWorld({
    config: { ...config, failover },
    lines,
    tunnels: layout === 'plain' ? [] : [tunnel],
    mute,
    kernelDelay,
    random,
    seed,
  })
  const length = 20_000 + (LENGTH - 20_000) * random() ** 2
  const scene: Scene = { world, random, tell, length }
  for (const line of lines) befall(scene, line, deaf)
  meddle(scene, sixDeaf)
  const setting = JSON.stringify({
    layout,
    deaf,
    failover,
    kernelDelay,
    tunnel: { ...tunnel, carriers: uplinks, standby, backsUp },
    lines,
    mute: [...mute],
  })
  return { world, length, deaf, sixDeaf, setting }
}

function newLine(
  name: string,
  address: string,
  rtt: number,
  metered: boolean,
  six: boolean,
  mapping = 1e9,
): Line {
  return {
    name,
    address,
    modem: undefined,
    rtt,
    metered,
    mapping,
    six,
    lost: [],
    link: true,
    sends: true,
    receives: true,
    loss: 0,
    bloat: 0,
    chatter: false,
    cutOff: false,
  }
}

const LIVELY = { sends: true, receives: true, lost: [] }

/** A silent death: of one family, or of all, both ways or one way only. */
function silence(random: () => number, { six }: Line): Partial<Line> {
  if (six && random() < 0.4) return { lost: [random() < 0.5 ? 4 : 6] }
  const kind = random()
  if (kind < 0.5) return { sends: false, receives: false }
  return kind < 0.75 ? { sends: false } : { receives: false }
}

/** What happens to a line: nothing at all, or loud and silent deaths, flapping, loss, full queues, a spent budget. */
function befall({ world, random, tell, length }: Scene, line: Line, deaf: boolean): void {
  const { time } = world
  const happens = (at: number, words: string, what: () => void) => {
    time.at(at, () => {
      tell(`${line.name}: ${words}`)
      what()
    })
  }
  const set = (at: number, change: Partial<Line>, words: string) => {
    if (at > length) return
    happens(at, words, () => {
      Object.assign(line, change)
      if ('link' in change) world.linkChanged(line)
    })
  }
  /** Octets that are not counted by then count for the month that begins. */
  let counted = 0
  const start = random()
  if (start < 0.08) Object.assign(line, { link: false })
  else if (start < 0.16 && !deaf) Object.assign(line, silence(random, line))
  if (random() < 0.3) line.chatter = true
  if (start >= 0.16 && random() < 0.35) return
  let at = length * random() * 0.5
  while (at < length) {
    const span = random() < 0.3 ? 20_000 + 60_000 * random() : 200 + 15_000 * random()
    const kind = random()
    if (kind < 0.3) {
      set(at, { link: false }, 'lost carrier')
      set(at + span, { link: true }, 'has a carrier')
    } else if (kind < 0.6 && !deaf) {
      const death = silence(random, line)
      set(at, death, `dies silently: ${JSON.stringify(death)}`)
      set(at + span, LIVELY, 'lives again')
    } else if (kind < 0.7) {
      const period = 300 + 6_000 * random()
      for (let flap = at; flap < at + span; flap += 2 * period) {
        set(flap, random() < 0.5 || deaf ? { link: false } : silence(random, line), 'flaps, down')
        set(flap + period, { link: true, ...LIVELY }, 'flaps, up')
      }
    } else if (kind < 0.78) {
      set(at, { loss: random() * 0.7 }, 'loses packets')
      set(at + span, { loss: 0 }, 'loses none')
    } else if (kind < 0.88) {
      set(at, { bloat: 2_000 * random(), chatter: true }, 'has full queues')
      set(at + span, { bloat: 0 }, 'has empty queues')
    } else if (line.metered) {
      happens(at, 'has spent its budget', () => world.spend(line))
      counted = at + COUNTING + 1
      const turn = Math.max(at + span, counted)
      if (turn <= length) happens(turn, 'has a new budget', () => world.turnMonth())
    }
    at += span + 30_000 * random() + 100
  }
  // What is going on at the end may stay so, or be over.
  if (random() < 0.5) {
    set(length, { link: true, ...LIVELY }, 'is well from now on')
    happens(Math.max(length, counted), 'has a new budget from now on', () => world.turnMonth())
  }
  set(length, { loss: 0, bloat: 0 }, 'is either well or dead from now on')
}

/** What users and the LNS do. */
function meddle({ world, random, tell, length }: Scene, sixDeaf: boolean): void {
  const { time, tunnels, options } = world
  const { paths } = options.config.failover
  const path = () => paths[Math.floor(random() * paths.length)] ?? ''
  if (random() < 0.15) {
    const [one, until] = [path(), random() < 0.8 ? length * random() : Number.POSITIVE_INFINITY]
    time.at(length * random() * 0.7, () => {
      tell(`use ${one}`)
      world.use(one)
    })
    if (until < length)
      time.at(length * 0.7 + until * 0.3, () => {
        tell('use auto')
        world.use('auto')
      })
  }
  if (random() < 0.2) {
    const drilled = path()
    time.at(length * random(), () => {
      tell(`drill ${drilled}`)
      world.drill(drilled)
    })
  }
  for (const tunnel of tunnels) {
    if (random() < 0.2) {
      const at = length * random()
      const until = at + 40_000 * random()
      time.at(at, () => {
        tell('the LNS is gone')
        tunnel.reachable = false
      })
      if (random() < 0.8)
        time.at(Math.min(until, length), () => {
          tell('the LNS is back')
          tunnel.reachable = true
        })
    }
    // Where one family alone is ever answered the echoes of LCP speak for it.
    if (tunnel.traits.six && !sixDeaf && random() < 0.3) {
      const [at, lost] = [length * random(), random() < 0.5 ? ([4] as const) : ([6] as const)]
      time.at(at, () => {
        tell(`the LNS forwards no IPv${lost[0]}`)
        tunnel.lost = lost
      })
      if (random() < 0.7)
        time.at(Math.min(at + 60_000 * random(), length), () => {
          tell('the LNS forwards all')
          tunnel.lost = []
        })
    }
    if (random() < 0.2)
      time.at(length * random(), () => {
        tell('the LNS ends the session')
        tunnel.kick()
      })
  }
}
