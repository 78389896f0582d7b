/** What a session that is up does without is said in status, in one sentence. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IcmpOptions } from '../../../src/app/ports.ts'
import type { TunnelConfig } from '../../../src/core/config/types.ts'
import { encodeRouterAdvertisement, type RouterAdvertisement } from '../../../src/core/ip/ra.ts'
import { statusText } from '../../../src/core/status/status-text.ts'
import { GOOD_PATH, upWithin, type World, world } from '../../sim/world.ts'

/** A router that wants addresses to be asked for by DHCPv6, and has a prefix that is not for SLAAC. */
const MANAGED: RouterAdvertisement = {
  curHopLimit: 64,
  managed: true,
  other: true,
  routerLifetime: 1800,
  mtu: undefined,
  prefixes: [
    {
      prefix: { address: '2001:db8:1::', length: 64 },
      onLink: true,
      autonomous: false,
      validLifetime: 3600,
      preferredLifetime: 3600,
    },
  ],
  rdnss: [],
}
const AUTONOMOUS = { ...MANAGED, prefixes: MANAGED.prefixes.map((each) => ({ ...each, autonomous: true })) }

/** Up, with a router inside that answers each solicitation so. */
async function advertised(
  advertisement: RouterAdvertisement,
  tunnel: Partial<TunnelConfig> = {},
): Promise<World> {
  const here = world(1, { tunnel })
  const { network } = here
  here.router.machine.icmp = ({ onMessage }: IcmpOptions) => ({
    send: () => {
      const reply = () => onMessage('fe80::1', encodeRouterAdvertisement(advertisement), 255)
      network.schedule(network.now + GOOD_PATH.delay, reply)
    },
    close: () => {},
  })
  await upWithin(here, 2_000)
  await network.run(network.now + 1_000)
  return here
}

test('an LNS that wants DHCPv6 is said to, with what to do', async () => {
  const { router } = await advertised(MANAGED)
  const sentence =
    'the LNS gives IPv6 addresses by DHCPv6 alone, which lifeline does not speak: set option ip6addr to the address that the provider names'
  assert.equal(router.shown.problem, sentence)
  const text = statusText(router.status.status(), new Date(router.status.status().tunnel.aaisp?.since ?? 0))
  assert.ok(text.includes(`  problem     ${sentence}\n`), text)
})

test('nothing is said where SLAAC gives an address beside that, or configuration', async () => {
  assert.equal((await advertised(AUTONOMOUS)).router.shown.problem, null)
  assert.equal((await advertised({ ...MANAGED, managed: false })).router.shown.problem, null)
  const ip6addrs = [{ address: '2001:db8:1::10', length: 64 }]
  assert.equal((await advertised(MANAGED, { ip6addrs })).router.shown.problem, null)
})

test('packets too small for IPv6 are said to be, until the session ends', async () => {
  const here = world(1, {
    lns: { change: (options) => ({ ...options, ppp: { ...options.ppp, mru: 1200 } }) },
  })
  await upWithin(here, 2_000)
  assert.equal(here.router.shown.mtu, 1200)
  assert.equal(
    here.router.shown.problem,
    'IPv6 is not opened: the LNS takes or sends packets of at most 1200 octets, and IPv6 needs 1280',
  )
  void here.router.supervisor.down()
  await here.network.run(here.network.now + 2_000)
  assert.equal(here.router.shown.problem, null)
})
