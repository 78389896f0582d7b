/** Words in which failover is told: the configuration of the README, and what to wait for. */
import type { TestContext } from 'node:test'
import type { StatusEvent } from '../../../src/core/status/event.ts'
import type { Lifeline } from '../lifeline.ts'
import { ping } from '../ping.ts'
import type { RadiusUser } from '../radius.ts'
import { waitFor } from '../wait.ts'
import * as address from './addresses.ts'
import { LNS_NAME, type Provider } from './topology.ts'

export const TUNNEL = 'aaisp'
export const DEVICE = `l2tp-${TUNNEL}`
export const SECRET = 'the-tunnel-secret'

/** The line's own login. */
export const LOGIN: RadiusUser = {
  name: 'xx@a.1',
  password: 'the-password',
  ipv4: address.shared.ipv4,
  ipv6: '2001:db8:1::10',
  prefix: address.shared.prefix,
}

/** Another login, with an address and a prefix of its own. */
export const SECOND_LOGIN: RadiusUser = {
  name: 'yy@a.2',
  password: 'the-other-password',
  ipv4: '203.0.113.20',
  ipv6: '2001:db8:1::20',
  prefix: '2001:db8:3::/56',
}

type Section = Readonly<Record<string, unknown>>

/** What a test wants otherwise than the README has it; each adds to its section or replaces what is in it. */
export interface Changes {
  readonly main?: Section
  readonly tunnel?: Section
  readonly fibre?: Section
  readonly lte?: Section
  readonly failover?: Section
  readonly firewall?: Section
  readonly redirect?: Readonly<Record<string, Section>>
}

/** The configuration of the README, for this network's names. */
export function configuration(changes: Changes = {}): Readonly<Record<string, unknown>> {
  return {
    ...(changes.main === undefined ? {} : { lifeline: { main: changes.main } }),
    uplink: {
      fibre: { device: 'pppoe-aaisp', ...changes.fibre },
      lte: { device: 'wan-4g', metered: true, ...changes.lte },
    },
    tunnel: {
      [TUNNEL]: {
        server: LNS_NAME,
        username: LOGIN.name,
        password: LOGIN.password,
        tunnel_secret: SECRET,
        ip6prefix: address.shared.prefix,
        ...changes.tunnel,
      },
    },
    failover: { failover: { path: ['fibre', TUNNEL, 'lte'], ...changes.failover } },
    firewall: { internet: { lan: ['lan0'], allow: ['22/tcp'], ...changes.firewall } },
    ...(changes.redirect === undefined ? {} : { redirect: changes.redirect }),
  }
}

/** Runs lifeline until the test's end and waits until traffic goes over `path`. */
export async function start(
  t: TestContext,
  net: Provider,
  changes: Changes = {},
  path = 'fibre',
): Promise<Lifeline> {
  const lifeline = net.router.lifeline({ config: configuration(changes) })
  t.after(() => lifeline.stop())
  await waitForPath(lifeline, path)
  return lifeline
}

/** Waits until traffic goes over this path; not while it is held for it. */
export async function waitForPath(lifeline: Lifeline, path: string, within = 60_000): Promise<void> {
  let seen: unknown
  await waitFor(
    `traffic to go over ${path}`,
    async () => {
      if (!lifeline.process.running) throw new Error(`lifeline has ended\n${lifeline.log.slice(-3000)}`)
      seen = (await lifeline.status())?.failover
      return (seen as { active?: string } | undefined)?.active === path
    },
    { within, every: 25, explain: () => `${JSON.stringify(seen, null, 2)}\n${lifeline.log.slice(-6000)}` },
  )
}

/** Traffic of a host of the LAN gets through to the internet and back. */
export async function assertReaches(net: Provider, to = '198.51.100.2'): Promise<void> {
  let last = ''
  await waitFor(
    `${to} to answer the LAN`,
    async () => {
      const { received, output } = await ping(net.lan, to, { count: 1 })
      last = output
      return received > 0
    },
    { explain: () => last },
  )
}

/** Waits until the tunnel's control connection stands at the LNS. */
export async function waitForWarm(net: Provider): Promise<void> {
  await waitFor('a control connection', async () => (await net.lns.tunnels()).length > 0, { every: 200 })
}

/** Waits for the first event after number `after` that fits. */
export function waitForEvent(
  lifeline: Lifeline,
  what: string,
  after: number,
  fits: (event: StatusEvent) => boolean,
): Promise<StatusEvent> {
  return waitFor(
    what,
    async () => (await lifeline.events()).find((event) => event.seq > after && fits(event)),
    { every: 20, explain: () => lifeline.log.slice(-6000) },
  )
}
