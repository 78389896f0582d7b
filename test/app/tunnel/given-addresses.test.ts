/** What an LNS gives, or does not give: which family is up, which is not, and why, as users see it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IcmpOptions } from '../../../src/app/ports.ts'
import type { TunnelConfig } from '../../../src/core/config/types.ts'
import { encodeRouterAdvertisement, type RouterAdvertisement } from '../../../src/core/ip/ra.ts'
import type { PppAssignment } from '../../../src/core/ppp/types.ts'
import { statusSentence, statusText } from '../../../src/core/status/status-text.ts'
import { upWithin, type World, world } from '../../sim/world.ts'

/** An LNS that assigns so, and a router behind it that answers solicitations, or none. */
function given(
  assignment: Partial<PppAssignment>,
  options: { advertisement?: RouterAdvertisement; tunnel?: Partial<TunnelConfig>; refuses?: string } = {},
): World {
  const here = world(1, {
    tunnel: options.tunnel ?? {},
    lns: {
      change: (lns) => ({
        ...lns,
        ppp: { ...lns.ppp, assign: (user) => ({ ...lns.ppp.assign(user), ...assignment }) },
      }),
    },
  })
  const { advertisement, refuses } = options
  here.router.machine.icmp = ({ onMessage, onError }: IcmpOptions) => ({
    send: () => {
      if (refuses) here.network.schedule(here.network.now + 1, () => onError(refuses))
      else if (advertisement)
        here.network.schedule(here.network.now + 20, () =>
          onMessage('fe80::1', encodeRouterAdvertisement(advertisement), 255),
        )
    },
    close: () => {},
  })
  return here
}

const advertise = (address: string, dns: readonly string[] = []): RouterAdvertisement => ({
  curHopLimit: 64,
  managed: false,
  other: false,
  routerLifetime: 1800,
  mtu: undefined,
  prefixes: [
    {
      prefix: { address, length: 64 },
      onLink: true,
      autonomous: true,
      validLifetime: 3600,
      preferredLifetime: 3600,
    },
  ],
  rdnss: dns.length === 0 ? [] : [{ lifetime: 1800, addresses: dns }],
})

const wall = ({ router }: World) => new Date(Date.parse(router.shown.since) + 60_000)
const sentence = (here: World) => statusSentence(here.router.status.status(), wall(here))
const text = (here: World) => statusText(here.router.status.status(), wall(here))

for (const [address, why] of [
  ['127.0.0.1', 'is a loopback address'],
  ['224.0.0.1', 'is a multicast address'],
  ['240.0.0.1', 'is a reserved address (240.0.0.0/4)'],
  ['192.0.2.1', 'is the address of the LNS itself (tunnel aaisp)'],
] as const) {
  test(`an LNS that assigns ${address}: IPv6 alone is up, and the status says why`, async () => {
    const here = given({ address }, { advertisement: advertise('2001:db8:9::') })
    const { network, router } = here
    await network.run(network.now + 10_000)
    assert.equal(router.shown.state, 'up')
    assert.equal(router.shown.ipv4.address, null)
    assert.equal(router.shown.ipv4.reason, `the LNS gave us ${address}, which ${why}`)
    assert.equal(router.shown.ipv6.reason, null)
    assert.match(router.shown.problem ?? '', /IPv4/)
    assert.match(sentence(here), new RegExp(`the tunnel aaisp is up, but .*IPv4: the LNS gave us ${address}`))
    assert.ok(
      text(here).includes(`  IPv4        none (the LNS gave us ${address}, which ${why})`),
      text(here),
    )
    assert.equal(router.supervisor.path.session, 'up')
    assert.deepEqual(
      router.supervisor.path.addresses.filter((one) => one.includes('.')),
      [],
    )
  })
}

test('an LNS that gives no address at all: not up, no path, and both reasons are told', async () => {
  const here = given({ address: '0.0.0.0' })
  const { network, router } = here
  await network.run(network.now + 40_000)
  assert.equal(router.shown.state, 'configuring')
  assert.equal(router.shown.ipv4.reason, 'the LNS gave us no address')
  assert.equal(router.shown.ipv6.reason, 'no router behind the LNS advertises itself')
  assert.equal(
    router.shown.problem,
    'the session has no address: IPv4: the LNS gave us no address; IPv6: no router behind the LNS advertises itself',
  )
  const { session, failed, problem } = router.supervisor.path
  assert.deepEqual({ session, failed }, { session: 'none', failed: true })
  assert.equal(problem, router.shown.problem)
  assert.doesNotMatch(sentence(here), /reached through the tunnel/)
  assert.match(sentence(here), /the tunnel aaisp is of no use \(the session has no address/)
})

test('static IPv6 makes a session without advertisements one that is up', async () => {
  const here = given(
    { address: '0.0.0.0' },
    { tunnel: { ip6addrs: [{ address: '2001:db8:5::1', length: 64 }] } },
  )
  await here.network.run(here.network.now + 10_000)
  assert.equal(here.router.shown.state, 'up')
  assert.equal(here.router.shown.ipv6.reason, null)
})

test('an advertised prefix that is no address is not taken, IPv4 is up without a fault in IPv4', async () => {
  const here = given({}, { advertisement: advertise('::') })
  await upWithin(here, 2_000)
  await here.network.run(here.network.now + 2_000)
  const { ipv6, refused, problem } = here.router.shown
  assert.deepEqual(ipv6.addresses, [])
  assert.match(ipv6.reason ?? '', /^the LNS gave us ::.*, which is a reserved address/)
  assert.match(refused.join(), /is not used: it is a reserved address/)
  assert.match(problem ?? '', /^a family lacks its address: IPv6/)
})

test('resolvers that cannot be asked are left out, of IPCP and of the router', async () => {
  const here = given(
    { dns: ['127.0.0.1', '198.51.100.54'] },
    { advertisement: advertise('2001:db8:9::', ['ff02::5', '2001:db8::53']) },
  )
  await upWithin(here, 2_000)
  await here.network.run(here.network.now + 2_000)
  assert.deepEqual(here.router.shown.dns, ['198.51.100.54', '2001:db8::53'])
  assert.deepEqual(here.router.supervisor.path.dns, ['198.51.100.54', '2001:db8::53'])
  assert.deepEqual(here.router.shown.refused, [
    'the resolver 127.0.0.1 is not used: it is a loopback address',
  ])
})

test('solicitations that this machine refuses are told as the reason', async () => {
  const here = given({}, { refuses: 'EPERM' })
  await upWithin(here, 2_000)
  await here.network.run(here.network.now + 1_000)
  assert.match(here.router.shown.ipv6.reason ?? '', /this machine refuses our Router Solicitations \(EPERM\)/)
  assert.match(here.router.log.complaints.join(), /router discovery/)
})

test('an address that becomes that of an LNS is given up at once', async () => {
  const here = given({}, { tunnel: { ipv6: false, servers: [{ host: 'l2tp.example.net', port: 1701 }] } })
  const { network, router } = here
  router.resolver.names.set('l2tp.example.net', ['192.0.2.1'])
  await upWithin(here, 3_000)
  router.resolver.names.set('l2tp.example.net', ['203.0.113.10'])
  router.supervisor.reconnect()
  await network.run(network.now + 20_000)
  assert.equal(router.shown.ipv4.address, null)
  assert.notEqual(router.shown.state, 'up')
  assert.match(
    router.shown.last_error?.message ?? '',
    /the LNS gave us 203\.0\.113\.10|unreach|does not answer/,
  )
})

const OFF =
  'is refused on l2tp-aaisp by this machine (EACCES): IPv6 is switched off there, see sysctl net.ipv6.conf.l2tp-aaisp.disable_ipv6'

test('an address that the kernel refuses is not listed, and is once it takes it', async () => {
  const here = given({}, { advertisement: advertise('2001:db8:9::') })
  await upWithin(here, 2_000)
  await here.network.run(here.network.now + 2_000)
  const { router } = here
  const [listed = ''] = router.shown.ipv6.addresses
  const address = listed.replace('/64', '')
  assert.match(address, /^2001:db8:9:/)
  router.refuse({ [address]: OFF })
  const { state, ipv4, ipv6, refused, problem } = router.shown
  assert.equal(state, 'up')
  assert.equal(ipv4.address, '203.0.113.10')
  assert.deepEqual(ipv6.addresses, [])
  assert.equal(ipv6.reason, `the LNS gave us ${address}, which ${OFF}`)
  assert.deepEqual(refused, [`the address ${address} is not used: it ${OFF}`])
  assert.match(problem ?? '', /^a family lacks its address: IPv6: the LNS gave us 2001:db8:9:/)
  assert.deepEqual(router.supervisor.path.addresses, ['203.0.113.10'])
  router.refuse({})
  assert.deepEqual(router.shown.ipv6.addresses, [listed])
  assert.deepEqual(router.shown.refused, [])
  assert.equal(router.shown.problem, null)
})

test('a session whose only address the kernel refuses is no path, and is one again', async () => {
  const here = given({}, { tunnel: { ipv6: false } })
  await upWithin(here, 2_000)
  await here.network.run(here.network.now + 10_000)
  const { router } = here
  router.refuse({ '203.0.113.10': 'is refused on l2tp-aaisp by this machine (EEXIST)' })
  assert.equal(router.shown.state, 'configuring')
  assert.equal(router.shown.ipv4.address, null)
  assert.match(router.shown.problem ?? '', /^the session has no address: IPv4: .*\(EEXIST\)/)
  assert.equal(router.supervisor.path.session === 'up', false)
  router.refuse({})
  assert.equal(router.shown.state, 'up')
  assert.equal(router.supervisor.path.session, 'up')
})

test('a static IPv6 address that the kernel refuses makes no session one that is up', async () => {
  const ip6addrs = [{ address: '2001:db8:5::1', length: 64 }]
  const here = given({ address: '0.0.0.0' }, { tunnel: { ip6addrs } })
  await here.network.run(here.network.now + 10_000)
  const { router } = here
  router.refuse({ '2001:db8:5::1': OFF })
  assert.equal(router.shown.state, 'configuring')
  assert.equal(router.shown.ipv6.reason, `2001:db8:5::1 (option ip6addr) ${OFF}`)
})

test('a family is awaited until it came, failed or was missed, and not any more then', async () => {
  const silent = given({}, {})
  await upWithin(silent, 1_000)
  assert.deepEqual(silent.router.session?.awaited, [6])
  await silent.network.run(silent.network.now + 9_000)
  assert.equal(silent.router.session?.awaited, undefined)

  const answering = given({}, { advertisement: advertise('2001:db8:9::') })
  await upWithin(answering, 1_000)
  await answering.network.run(answering.network.now + 500)
  assert.equal(answering.router.session?.awaited, undefined)
})
