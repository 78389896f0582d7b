/**
 * `npm run lab`: builds small internets of network namespaces. In the first a tunnel is dialled, used, dropped by the LNS and
 * found again; in the second fibre is cut, silenced and healed, to show what becomes of traffic. With --keep there is only
 * the second, and one does all that oneself, until Ctrl-C: `cut fibre`, typed there or given as `npm run lab -- cut fibre` in
 * another terminal. --mqtt FILE records what a broker in its LAN hears. With --tunnel there is only the first, which --keep
 * leaves up. Exit code 0 only if every step went well.
 */
import { writeFileSync } from 'node:fs'
import type { Provider } from '../net/failover/topology.ts'
import { OWN_NAMES } from '../net/namespace.ts'
import { tracesOf } from '../net/traces.ts'
import { bold } from './colours.ts'
import { give, parseCommand } from './commands.ts'
import { closeStage, playFailover, type Row, table } from './failover-play.ts'
import { Stage } from './failover-stage.ts'
import { keep, ways } from './keep.ts'
import { type Options, parseOptions, USAGE } from './options.ts'
import { openScreen, type Screen } from './screen.ts'
import { type Step, Teller } from './story.ts'
import { tunnelStory } from './tunnel-main.ts'

const startedAt = performance.now()
const words = process.argv.slice(2)
if (parseCommand(words.join(' ')) !== undefined) await command()
const options = parseOptions(words) ?? refuse(USAGE)
if (options.mqtt !== undefined) prepare(options.mqtt)

let screen: Screen | undefined
// The network removes itself at exit; after the screen, so that its last picture stands.
process.on('exit', () => screen?.close())
const steps: Step[] = []
let rows: readonly Row[] = []
try {
  if (options.tunnel || !options.keep) await tell((...to) => tunnelStory(...to, options.keep))
  if (!options.tunnel) await tell((...to) => failoverStory(...to, options))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
if (rows.length > 0) console.log(`\n${table(rows).join('\n')}`)
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
const good = steps.filter(({ state }) => state === 'done').length
const left = tracesOf(OWN_NAMES)
if (left.length > 0) process.exitCode = 1
const end = left.length === 0 ? 'nothing is left behind.' : ['these are left:', ...left].join('\n   ')
console.log(bold(`\n ${good} of ${steps.length} steps succeeded in ${seconds} s; ${end}`))
process.exit()

/** One story has the screen to itself. */
async function tell(story: (teller: Teller, screen: Screen) => Promise<void>): Promise<void> {
  if (steps.length > 0) console.log()
  const own = openScreen()
  screen = own
  const teller = new Teller((now, change) => own.show(now, change))
  try {
    await story(teller, own)
  } finally {
    own.close()
    steps.push(...teller.story.steps)
  }
}

async function failoverStory(teller: Teller, to: Screen, { keep: kept, mqtt }: Options): Promise<void> {
  let net: Provider | undefined
  try {
    const onNetwork = (built: Provider) => {
      net = built
    }
    const stage = await Stage.build(teller, onNetwork, mqtt)
    if (kept) {
      to.say(ways(stage))
      await keep(teller, stage)
    } else rows = await playFailover(teller, stage)
    await closeStage(teller, stage)
    if (rows.some(({ sameAddress, downloadAlive }) => !sameAddress || !downloadAlive)) process.exitCode = 1
  } finally {
    await net?.close()
  }
}

/** An empty file, or the end before anything is built. */
function prepare(file: string): void {
  try {
    writeFileSync(file, '')
  } catch (error) {
    refuse(`the recording cannot be written: ${error instanceof Error ? error.message : error}`)
  }
}

function refuse(reason: string): never {
  console.error(reason)
  process.exit(2)
}

/** For the lab that is kept in another terminal. */
async function command(): Promise<never> {
  try {
    process.stdout.write(await give(words.join(' ')))
    process.exit()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
}
