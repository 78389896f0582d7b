/** `npm run lab -- --tunnel [--keep]`: a tunnel is dialled, used, lost and found again. */
import type { Network } from '../net/topology.ts'
import { bold } from './colours.ts'
import type { Screen } from './screen.ts'
import { onInterrupt } from './signals.ts'
import type { Teller } from './story.ts'
import { closeDown, play, type Scene, TUNNEL } from './tunnel-play.ts'

export async function tunnelStory(teller: Teller, screen: Screen, keep: boolean): Promise<void> {
  let net: Network | undefined
  try {
    const scene = await play(teller, (built) => {
      net = built
    })
    if (keep) await stay(screen, scene)
    await closeDown(teller, scene)
  } finally {
    await net?.close()
  }
}

/** Says how to step in, and waits for Ctrl-C. */
async function stay(screen: Screen, { net: { router, lns, internet, lan }, lifeline }: Scene): Promise<void> {
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
  await new Promise<void>(onInterrupt)
}
