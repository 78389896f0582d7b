/** Words in which the tests are told: subscribers, configurations, dialling, and what must hold. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { TunnelStatus } from '../../src/core/status/status.ts'
import * as address from './addresses.ts'
import type { Lifeline } from './lifeline.ts'
import type { PingOptions } from './ping.ts'
import type { RadiusUser } from './radius.ts'
import type { Network } from './topology.ts'
import { waitFor } from './wait.ts'

/** The tunnel's name in the tests' configurations. */
export const LINE = 'line'
export const DEVICE = `l2tp-${LINE}`
export const TUNNEL_SECRET = 'the-tunnel-secret'

export type Options = Readonly<Record<string, unknown>>

/** A subscriber with addresses of their own; `number` is 1 to 100. */
export function subscriber(name: string, number: number): Subscriber {
  return {
    name: `${name}@example`,
    password: `password-of-${name}`,
    ipv4: `203.0.113.${number + 1}`,
    ipv6: `2001:db8:1::${number + 1}`,
    prefix: `2001:db8:${(0xf000 + number).toString(16)}::/48`,
  }
}

export interface Subscriber extends RadiusUser {
  readonly ipv4: string
  readonly ipv6: string
  readonly prefix: string
}

/** A tunnel section that logs a subscriber in; `options` add to it or replace what is in it. */
export function tunnelOf(user: RadiusUser, options: Options = {}): Options {
  return {
    server: address.lns.ipv4,
    username: user.name,
    password: user.password,
    tunnel_secret: TUNNEL_SECRET,
    ...options,
  }
}

/** A configuration with one tunnel. */
export function lineOf(user: RadiusUser, options: Options = {}): Options {
  return { tunnel: { [LINE]: tunnelOf(user, options) } }
}

/** With these a tunnel notices within 3 s that nothing arrives any more. */
export const WATCHFUL: Options = { echo_interval: 1, echo_failures: 3 }

/** Uplinks by name: the network devices of a router that has two. */
const UPLINKS = { fibre: 'wan0', lte: 'wan1' } as const

/** A configuration with one tunnel, watchful, over these uplinks in order of preference. */
export function lineOver(user: RadiusUser, ...names: readonly (keyof typeof UPLINKS)[]): Options {
  const uplink = Object.fromEntries(names.map((name) => [name, { device: UPLINKS[name] }]))
  return { uplink, ...lineOf(user, { uplink: names, ...WATCHFUL }) }
}

/** Runs lifeline until the test's end, where it is stopped in good order if it still runs. */
export function run(t: TestContext, net: Network, config: Options): Lifeline {
  const lifeline = net.router.lifeline({ config })
  t.after(() => lifeline.stop())
  return lifeline
}

/** Runs lifeline with one tunnel, and waits until that is up with IPv4 and IPv6. */
export async function dial(
  t: TestContext,
  net: Network,
  user: RadiusUser,
  options: Options = {},
): Promise<{ lifeline: Lifeline; tunnel: TunnelStatus }> {
  const lifeline = run(t, net, lineOf(user, options))
  return { lifeline, tunnel: await waitForAll(lifeline) }
}

/** Waits until the tunnel is up with all that it can have: IPv4, and IPv6 by a Router Advertisement. */
export function waitForAll(lifeline: Lifeline, within?: number): Promise<TunnelStatus> {
  return lifeline.waitForTunnel(LINE, 'to be up with IPv4 and IPv6', hasAll, within)
}

function hasAll(tunnel: TunnelStatus): boolean {
  return tunnel.state === 'up' && tunnel.ipv4.address !== null && globalIpv6(tunnel) !== undefined
}

/** Runs lifeline with one tunnel, waits until an attempt has failed, and returns the sentence in the status. */
export async function failToDial(
  t: TestContext,
  net: Network,
  user: RadiusUser,
  options: Options = {},
): Promise<{ lifeline: Lifeline; code: string; message: string }> {
  const lifeline = run(t, net, lineOf(user, options))
  const { last_error: error } = await lifeline.waitForError(LINE)
  return { lifeline, code: error?.code ?? '', message: error?.message ?? '' }
}

/** The router reaches `to`; tried again for a while, as a lost packet is no failure. */
export async function assertReaches(net: Network, to: string, options: PingOptions = {}): Promise<void> {
  let last = ''
  await waitFor(
    `${to} to answer`,
    async () => {
      const { received, output } = await net.router.ping(to, options)
      last = output
      return received > 0
    },
    { explain: () => last },
  )
}

/** Packets of a size, without fragmentation, do not get through. */
export async function assertTooLarge(net: Network, to: string, options: PingOptions): Promise<void> {
  const { received, output } = await net.router.ping(to, { ...options, dontFragment: true })
  assert.equal(received, 0, output)
}

/** The tunnel carries IPv4, and IPv6 if it has an address, to the internet and back. */
export async function assertCarriesTraffic(net: Network, tunnel: TunnelStatus): Promise<void> {
  assert.ok(tunnel.ipv4.address, 'the tunnel has no IPv4 address')
  await assertReaches(net, address.internet.ipv4, { from: tunnel.ipv4.address })
  const ipv6 = globalIpv6(tunnel)
  if (ipv6 !== undefined) await assertReaches(net, address.internet.ipv6, { from: ipv6 })
}

/** The first global IPv6 address of a tunnel, without its prefix length. */
export function globalIpv6(tunnel: TunnelStatus): string | undefined {
  return tunnel.ipv6.addresses.find((text) => !text.startsWith('fe80'))?.split('/')[0]
}

/** Under which address the internet sees a new connection of the router. */
export async function seenFrom(net: Network, family: 4 | 6 = 4): Promise<string> {
  const { stdout } = await net.router.namespace.run(
    [
      'socat',
      '-T',
      '5',
      '-',
      family === 4 ? `TCP4:${address.internet.ipv4}:8` : `TCP6:[${address.internet.ipv6}]:8`,
    ],
    { mayFail: true, timeout: 10_000 },
  )
  const seen = stdout.trim()
  // socat writes IPv6 addresses at full length, in brackets.
  return seen.startsWith('[') ? new URL(`http://${seen}`).hostname.slice(1, -1) : seen
}

/** The tunnel lets go of its session and gets a new one; returns the status then. */
export async function waitForNewSession(lifeline: Lifeline, before: TunnelStatus): Promise<TunnelStatus> {
  const wanted = 'to be up with a new session'
  return lifeline.waitForTunnel(
    LINE,
    wanted,
    (tunnel) => hasAll(tunnel) && tunnel.since > before.since,
    120_000,
  )
}
