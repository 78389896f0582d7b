/** How long a dial takes, from the start of the program to the first answered ping. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ofKind } from '../events.ts'
import * as address from './addresses.ts'
import type { Lifeline } from './lifeline.ts'
import type { RadiusUser } from './radius.ts'
import { LINE, lineOf } from './scenario.ts'
import type { Network } from './topology.ts'

export interface DialTimes {
  readonly lifeline: Lifeline
  /** ms from the start of the program to the first answer through the tunnel. */
  readonly runToPing: number
  /** ms between these two states. */
  readonly diallingToUp: number
}

/** Runs lifeline while a ping goes on that only the tunnel can answer: the network must not have an open internet. */
export async function timedDial(
  net: Network,
  user: RadiusUser,
  onStart: (lifeline: Lifeline) => void,
): Promise<DialTimes> {
  const ping = net.router.namespace.start('ping', ['ping', '-n', '-D', '-i', '0.002', address.internet.ipv4])
  try {
    const startedAt = join(net.folder, 'started-at')
    const lifeline = net.router.lifeline({ config: lineOf(user), env: { STARTED_AT: startedAt } })
    onStart(lifeline)
    // Nobody asks it for its status before: answers take time that belongs to the dial.
    const [, seconds] = await ping.waitForOutput(/\[([\d.]+)\] \d+ bytes from/)
    await lifeline.waitForUp(LINE)
    const states = ofKind(await lifeline.events(), 'state')
    const entered = (wanted: string) => Date.parse(states.find(({ state }) => state === wanted)?.at ?? '')
    // Without the namespaces and mounts that no user has.
    const started = Number(readFileSync(startedAt, 'utf8').replace(',', '.')) * 1000
    return {
      lifeline,
      runToPing: Number(seconds) * 1000 - started,
      diallingToUp: entered('up') - entered('dialling'),
    }
  } finally {
    await ping.stop('SIGKILL')
  }
}
