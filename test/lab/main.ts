/**
 * `npm run lab [-- --keep]`: builds a small internet of network namespaces, cuts its fibre, silences it, heals it, and
 * shows what becomes of traffic. With --keep one does all that oneself, until Ctrl-C: `cut fibre`, typed there or given
 * as `npm run lab -- cut fibre` in another terminal. --mqtt FILE records what a broker in the LAN hears. --tunnel shows the
 * life of one tunnel instead. Exit code 0 only if every step went well.
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
import { openScreen } from './screen.ts'
import { Teller } from './story.ts'
import { tunnelStory } from './tunnel-main.ts'

const startedAt = performance.now()
const words = process.argv.slice(2)
if (parseCommand(words.join(' ')) !== undefined) await command()
const options = parseOptions(words) ?? refuse(USAGE)
if (options.mqtt !== undefined) prepare(options.mqtt)

const screen = openScreen()
// The network removes itself at exit; after the screen, so that its last picture stands.
process.on('exit', () => screen.close())
const teller = new Teller((story, change) => screen.show(story, change))
let rows: readonly Row[] = []
try {
  if (options.tunnel) await tunnelStory(teller, screen, options.keep)
  else await failoverStory(options)
} catch (error) {
  screen.close()
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  screen.close()
}
if (rows.length > 0) console.log(`\n${table(rows).join('\n')}`)
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
const { steps } = teller.story
const good = steps.filter(({ state }) => state === 'done').length
const left = tracesOf(OWN_NAMES)
if (left.length > 0) process.exitCode = 1
const end = left.length === 0 ? 'nothing is left behind.' : ['these are left:', ...left].join('\n   ')
console.log(bold(`\n ${good} of ${steps.length} steps succeeded in ${seconds} s; ${end}`))
process.exit()

async function failoverStory({ keep: kept, mqtt }: Options): Promise<void> {
  let net: Provider | undefined
  try {
    const onNetwork = (built: Provider) => {
      net = built
    }
    const stage = await Stage.build(teller, onNetwork, mqtt)
    if (kept) {
      screen.say(ways(stage))
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
