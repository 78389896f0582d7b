/** The story of failover: fibre is cut, healed, silenced and healed again, while a host of the LAN pings and downloads. */
import { setTimeout as sleep } from 'node:timers/promises'
import { shared } from '../net/failover/addresses.ts'
import { TUNNEL, waitForPath } from '../net/failover/scenario.ts'
import type { Provider } from '../net/failover/topology.ts'
import { differences, kernelState } from '../net/kernel-state.ts'
import { waitFor } from '../net/wait.ts'
import { columns, green, red, yellow } from './colours.ts'
import type { Stage } from './failover-stage.ts'
import type { Told } from './mqtt-tape.ts'
import type { Teller } from './story.ts'

interface Scene {
  readonly title: string
  /** In the table. */
  readonly event: string
  readonly act: (net: Provider) => Promise<void>
  readonly path: string
}

const SCENES: readonly Scene[] = [
  {
    title: 'fibre is cut: its carrier is gone',
    event: 'fibre cut',
    act: ({ fibre }) => fibre.cut(),
    path: TUNNEL,
  },
  {
    title: 'fibre is spliced: after a moment of proof traffic goes back',
    event: 'fibre healed',
    act: ({ fibre }) => fibre.heal(),
    path: 'fibre',
  },
  {
    title: 'fibre falls silent: it looks well, and nothing comes through',
    event: 'fibre silent',
    act: ({ fibre }) => fibre.silence(),
    path: TUNNEL,
  },
  {
    title: 'fibre speaks again',
    event: 'fibre healed',
    act: ({ fibre }) => fibre.heal(),
    path: 'fibre',
  },
]

/** ms for which each state of things is looked at. */
const WATCH = 1500
/** ms within which a broker should know. */
const SOON = 100
/** ms within which a line that was healed has its routes again. */
const SETTLED = 10_000

export interface Row {
  readonly event: string
  /** ms. */
  readonly outage: number
  readonly sameAddress: boolean
  readonly downloadAlive: boolean
  /** Undefined if the broker was not told. */
  readonly told: Told | undefined
}

/** Plays it all; throws if traffic does not find its way. */
export async function playFailover(teller: Teller, stage: Stage): Promise<readonly Row[]> {
  await teller.step('a host of the LAN pings every 10 ms and downloads', async () => {
    await stage.downloads()
    await sleep(WATCH)
    return `the internet sees ${await stage.address()}`
  })
  const rows: Row[] = []
  for (const scene of SCENES) rows.push(await play(teller, stage, scene))
  return rows
}

async function play(teller: Teller, stage: Stage, { title, event, act, path }: Scene): Promise<Row> {
  let row: Row | undefined
  await teller.step(title, async () => {
    stage.clock.reset()
    const startedAt = Date.now()
    await act(stage.net)
    await waitForPath(stage.lifeline, path)
    await sleep(WATCH)
    const address = await stage.address()
    row = {
      event,
      outage: stage.clock.longest,
      sameAddress: address === shared.ipv4,
      downloadAlive: await stage.downloads(),
      told: stage.tape.toldOf(path, startedAt),
    }
    const cause = (await stage.lifeline.status())?.failover?.last_switch?.cause ?? ''
    return `now over ${path} (${cause}); outage ${row.outage.toFixed(0)} ms, still ${address ?? 'nobody'}`
  })
  if (row === undefined) throw new Error('the scene was not played')
  return row
}

/** Stops the daemon in good order and looks whether anything of it is left. */
export async function closeStage(teller: Teller, stage: Stage): Promise<void> {
  stage.close()
  await teller.step('stop lifeline (SIGTERM)', async () => {
    const code = await stage.lifeline.stop()
    if (code !== 0) throw new Error(`lifeline ended with exit code ${code}`)
    // Whoever kept the lab may have left a line cut, which is no trace of the daemon.
    for (const line of [stage.net.fibre, stage.net.lte]) await line.heal()
    let left: readonly string[] = []
    await waitFor(
      'the router to be as it was',
      async () => {
        left = differences(stage.before, await kernelState(stage.net.router.namespace))
        return left.length === 0
      },
      { within: SETTLED, explain: () => left.join('\n') },
    )
    await stage.tape.end()
    return 'links, addresses, routes, rules and filters are as before, and the broker knows'
  })
}

export function table(rows: readonly Row[]): string[] {
  const yes = (good: boolean) => (good ? green('yes') : red('no'))
  const lines = [
    ['event', 'outage', 'same address', 'download alive', 'MQTT'],
    ...rows.map(({ event, outage, sameAddress, downloadAlive, told }) => [
      event,
      `${outage.toFixed(0)} ms`,
      yes(sameAddress),
      yes(downloadAlive),
      delay(told),
    ]),
  ]
  const widths = (lines[0] ?? [])
    .map((_, column) => column)
    .map((column) => Math.max(...lines.map((line) => columns(line[column] ?? ''))))
  const drawn = lines.map(
    (line) =>
      ` ${line.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - columns(cell))).join(' │ ')}`,
  )
  const rule = ` ${widths.map((width) => '─'.repeat(width)).join('─┼─')}`
  const note = [
    ' MQTT: how long after the instants in them (`since`, when the route was in',
    '       place, and `at`) the new state and the event were at mosquitto_sub',
  ]
  return [drawn[0] ?? '', rule, ...drawn.slice(1), '', ...note]
}

function delay(told: Told | undefined): string {
  if (told === undefined) return red('never')
  const ms = Math.max(told.state, told.event)
  return (ms > SOON ? yellow : green)(`${ms.toFixed(1)} ms`)
}
