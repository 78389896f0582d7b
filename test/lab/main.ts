/**
 * `npm run lab [-- --keep]`: builds a small internet of network namespaces, cuts its fibre, silences it, heals it, and
 * shows what becomes of traffic. With --keep one does all that oneself, until Ctrl-C: `cut fibre`, typed there or given
 * as `npm run lab -- cut fibre` in another terminal. `--tunnel` shows the life of one tunnel instead. Exit code 0 only if
 * every step went well.
 */
import type { Provider } from '../net/failover/topology.ts'
import { bold } from './colours.ts'
import { give, parseCommand, USAGE } from './commands.ts'
import { closeStage, playFailover, type Row, table } from './failover-play.ts'
import { Stage } from './failover-stage.ts'
import { keep, ways } from './keep.ts'
import { openScreen } from './screen.ts'
import { Teller } from './story.ts'
import { tunnelStory } from './tunnel-main.ts'

const startedAt = performance.now()
const words = process.argv.slice(2)
const options = new Set(words)
if (parseCommand(words.join(' ')) !== undefined) await command()
if (words.some((word) => word !== '--keep' && word !== '--tunnel')) {
  console.error(`usage: npm run lab [-- --keep] [-- --tunnel] [-- ${USAGE}]`)
  process.exit(2)
}

const screen = openScreen()
// The network removes itself at exit; after the screen, so that its last picture stands.
process.on('exit', () => screen.close())
const teller = new Teller((story, change) => screen.show(story, change))
let rows: readonly Row[] = []
try {
  if (options.has('--tunnel')) await tunnelStory(teller, screen, options.has('--keep'))
  else await failoverStory()
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
console.log(bold(`\n ${good} of ${steps.length} steps succeeded in ${seconds} s; nothing is left behind.`))
process.exit()

async function failoverStory(): Promise<void> {
  let net: Provider | undefined
  try {
    const stage = await Stage.build(teller, (built) => {
      net = built
    })
    if (options.has('--keep')) {
      screen.say(ways(stage))
      await keep(teller, stage)
    } else rows = await playFailover(teller, stage)
    await closeStage(teller, stage)
    if (rows.some(({ sameAddress, downloadAlive }) => !sameAddress || !downloadAlive)) process.exitCode = 1
  } finally {
    await net?.close()
  }
}

/** For the lab that is kept in another terminal. */
async function command(): Promise<never> {
  try {
    process.stdout.write(await give(words.join(' ')))
    process.exit()
  } catch {
    console.error("no lab is kept up: start one with 'npm run lab -- --keep'")
    process.exit(1)
  }
}
