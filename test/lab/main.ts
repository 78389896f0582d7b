/**
 * `npm run lab [-- --keep]`: builds a small internet of network namespaces and shows a tunnel being dialled, used, lost
 * and found again. With --keep all stays up, to step in, until Ctrl-C. Exit code 0 only if every step went well.
 */
import type { Network } from '../net/topology.ts'
import { bold } from './colours.ts'
import { closeDown, play, type Scene, TUNNEL } from './play.ts'
import { openScreen } from './screen.ts'
import { Teller } from './story.ts'

const startedAt = performance.now()
const words = process.argv.slice(2)
const keep = words.includes('--keep')
if (words.some((word) => word !== '--keep')) {
  console.error('usage: npm run lab [-- --keep]')
  process.exit(2)
}

const screen = openScreen()
// The network removes itself at exit; after the screen, so that its last picture stands.
process.on('exit', () => screen.close())
const teller = new Teller((story, change) => screen.show(story, change))

let net: Network | undefined
try {
  const scene = await play(teller, (built) => {
    net = built
  })
  if (keep) await stay(scene)
  await closeDown(teller, scene)
} catch (error) {
  screen.close()
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await net?.close()
  screen.close()
}
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
const { steps } = teller.story
const good = steps.filter(({ state }) => state === 'done').length
console.log(bold(`\n ${good} of ${steps.length} steps succeeded in ${seconds} s; nothing is left behind.`))
process.exit()

/** Says how to step in, and waits for Ctrl-C. */
async function stay({ net: { router, lns, internet, lan }, lifeline }: Scene): Promise<void> {
  screen.close()
  const inside = (name: string) => `ip netns exec ${name}`
  console.log(`
${bold(' All of it stays up until Ctrl-C. To step in:')}
   dist/lifeline status --socket ${lifeline.socket}
   dist/lifeline events --socket ${lifeline.socket}
   dist/lifeline reconnect ${TUNNEL} --socket ${lifeline.socket}
   ${inside(router.namespace.name)} bash    # the router: ip rule, nft list ruleset, ping
   ${inside(lns.namespace.name)} socat - TCP:127.0.0.1:23   # the LNS: show session; enable, drop session 1
   ${inside(internet.namespace.name)} bash
   ${inside(lan.name)} bash
 Its configuration is ${lifeline.file}`)
  const signals = ['SIGINT', 'SIGTERM'] as const
  let end = () => {}
  const told = new Promise<void>((resolve) => {
    end = resolve
  })
  for (const signal of signals) process.on(signal, end)
  await told
  // A second Ctrl-C does not wait for a good end.
  for (const signal of signals) process.removeListener(signal, end)
}
