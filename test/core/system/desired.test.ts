import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Config, TunnelConfig } from '../../../src/core/config/types.ts'
import { scriptOf } from '../../../src/core/firewall/filters.ts'
import { describeChange } from '../../../src/core/system/change.ts'
import { desiredState } from '../../../src/core/system/desired.ts'
import { NOTHING_DESIRED } from '../../../src/core/system/desired-state.ts'
import { difference } from '../../../src/core/system/difference.ts'
import type { Facts } from '../../../src/core/system/facts.ts'
import { nextState, type TunnelSession, type TunnelState } from '../../../src/core/system/session.ts'
import { failoverConfig } from './failover-samples.ts'
import {
  addressOn,
  configOf,
  defaultOver,
  FIREWALL,
  linkOf,
  SESSION,
  SYSTEM,
  tunnelOf,
  uplinkOf,
} from './samples.ts'

/** Everything that a fresh system lacks, in words. */
function plan(config: Config, sessions: Record<string, TunnelSession>, facts: Facts = SYSTEM): string[] {
  const states = new Map(
    Object.entries(sessions).map(([name, session]) => [name, nextState(undefined, session)]),
  )
  const desired = desiredState(config, facts, states)
  return difference(desired, facts, { nft: undefined, readSysctl: () => undefined }).map(describeChange)
}

const routing = (lines: readonly string[]) => lines.filter((line) => /^add (route|rule)/.test(line))
const addresses = (lines: readonly string[]) => lines.filter((line) => line.startsWith('add address'))

describe('desiredState', () => {
  it('of a tunnel with a session: filters, device, addresses, routes, rules, carrier, in this order', () => {
    assert.deepEqual(plan(configOf([tunnelOf('aaisp')]), { aaisp: SESSION }), [
      'load nft table inet lifeline',
      'create TUN device l2tp-aaisp',
      'set l2tp-aaisp mtu 1462 alias "lifeline tunnel aaisp"',
      'set net/ipv4/conf/l2tp-aaisp/ignore_routes_with_linkdown = 1',
      'set net/ipv6/conf/l2tp-aaisp/disable_ipv6 = 0',
      'set net/ipv6/conf/l2tp-aaisp/addr_gen_mode = 1',
      'set net/ipv6/conf/l2tp-aaisp/accept_ra = 0',
      'set net/ipv6/conf/l2tp-aaisp/ignore_routes_with_linkdown = 1',
      'set l2tp-aaisp up',
      'add address 203.0.113.10 peer 203.0.113.1/32 to l2tp-aaisp',
      'add address fe80::20a:0:0:aa/64 to l2tp-aaisp',
      'add address 2001:db8:1:10:20a::aa/128 to l2tp-aaisp',
      'add route 198.51.100.1/32 via 192.0.2.1 dev eth0 table 17010 metric 1',
      'add route default (IPv4) dev l2tp-aaisp src 203.0.113.10 table 17011 metric 1',
      'add route default (IPv4) dev l2tp-aaisp src 203.0.113.10 table 17010 metric 1',
      'add route default (IPv6) dev l2tp-aaisp table 17011 metric 1',
      'add route default (IPv6) dev l2tp-aaisp table 17010 metric 1',
      'add route 203.0.113.1/32 dev l2tp-aaisp src 203.0.113.10 table 17010 metric 1',
      'add route default (IPv6) via 2001:db8:f::1 dev eth0 table 17060 metric 1',
      'add route default (IPv4) via 192.0.2.1 dev eth0 table 17060 metric 1',
      'add rule 31000 (IPv4): lookup main suppress_prefixlength 0',
      'add rule 31010 (IPv4): oif l2tp-aaisp lookup 17011',
      'add rule 31030 (IPv4): from 203.0.113.10/32 lookup 17011',
      'add rule 31035 (IPv4): fwmark 0x10000/0xff0000 lookup 17011',
      'add rule 31010 (IPv4): oif eth0 lookup 17060',
      'add rule 31030 (IPv4): from 192.0.2.2/32 lookup main',
      'add rule 31040 (IPv4): lookup 17010',
      'add rule 31000 (IPv6): lookup main suppress_prefixlength 0',
      'add rule 31010 (IPv6): oif l2tp-aaisp lookup 17011',
      'add rule 31030 (IPv6): from 2001:db8:1:10:20a::aa/128 lookup 17011',
      'add rule 31035 (IPv6): fwmark 0x10000/0xff0000 lookup 17011',
      'add rule 31010 (IPv6): oif eth0 lookup 17060',
      'add rule 31030 (IPv6): from 2001:db8:f::2/128 lookup main',
      'add rule 31040 (IPv6): lookup 17010',
      'turn carrier of l2tp-aaisp on',
    ])
  })

  it('before the first session: a device that is up and filtered, and no way into it', () => {
    const lines = plan(configOf([tunnelOf('aaisp')]), {})
    assert.ok(lines.includes('set l2tp-aaisp up'))
    assert.deepEqual(addresses(lines), [])
    assert.deepEqual(routing(lines), [
      'add route default (IPv6) via 2001:db8:f::1 dev eth0 table 17060 metric 1',
      'add route default (IPv4) via 192.0.2.1 dev eth0 table 17060 metric 1',
      'add rule 31000 (IPv4): lookup main suppress_prefixlength 0',
      'add rule 31010 (IPv4): oif l2tp-aaisp lookup 17011',
      'add rule 31035 (IPv4): fwmark 0x10000/0xff0000 lookup 17011',
      'add rule 31010 (IPv4): oif eth0 lookup 17060',
      'add rule 31030 (IPv4): from 192.0.2.2/32 lookup main',
      'add rule 31000 (IPv6): lookup main suppress_prefixlength 0',
      'add rule 31010 (IPv6): oif l2tp-aaisp lookup 17011',
      'add rule 31035 (IPv6): fwmark 0x10000/0xff0000 lookup 17011',
      'add rule 31010 (IPv6): oif eth0 lookup 17060',
      'add rule 31030 (IPv6): from 2001:db8:f::2/128 lookup main',
    ])
    assert.ok(!lines.some((line) => line.startsWith('turn carrier')))
  })

  it('with defaultroute 0: replies leave by the address that they came in on, nothing else goes in', () => {
    const lines = routing(plan(configOf([tunnelOf('aaisp', { defaultroute: false })]), { aaisp: SESSION }))
    assert.ok(lines.includes('add route default (IPv4) dev l2tp-aaisp src 203.0.113.10 table 17011 metric 1'))
    assert.ok(lines.includes('add rule 31030 (IPv4): from 203.0.113.10/32 lookup 17011'))
    assert.ok(!lines.some((line) => line.includes('default') && line.includes('table 17010')))
  })

  it('with defaultroute 0: a private peer can be reached, any other host of the internet is left where it is', () => {
    const config = configOf([tunnelOf('aaisp', { defaultroute: false })])
    const toPeer = (peer: string) =>
      routing(plan(config, { aaisp: { ...SESSION, ipv4: { address: '203.0.113.10', peer } } })).filter(
        (line) => line.includes(`${peer}/32`),
      )
    for (const peer of ['10.9.9.1', '172.20.0.1', '192.168.77.1', '100.100.0.1'])
      assert.deepEqual(toPeer(peer), [
        `add route ${peer}/32 dev l2tp-aaisp src 203.0.113.10 table 17010 metric 1`,
      ])
    for (const peer of ['203.0.113.1', '9.9.9.9', '172.32.0.1', '100.128.0.1'])
      assert.deepEqual(toPeer(peer), [])
  })

  it('what comes in over the uplink is answered over it, where a tunnel takes everything else', () => {
    const replies = (tunnel: Partial<TunnelConfig>) =>
      routing(plan(configOf([tunnelOf('aaisp', tunnel)]), { aaisp: SESSION })).filter((line) =>
        /from (192\.0\.2\.2|2001:db8:f::2)\//.test(line),
      )
    const ipv4 = 'add rule 31030 (IPv4): from 192.0.2.2/32 lookup main'
    const ipv6 = 'add rule 31030 (IPv6): from 2001:db8:f::2/128 lookup main'
    assert.deepEqual(replies({}), [ipv4, ipv6])
    assert.deepEqual(replies({ defaultroute: false }), [])
    // An address that is routed into the tunnel: the provider sends it there.
    const into = 'add rule 31030 (IPv4): from 192.0.2.2/32 lookup 17011'
    assert.deepEqual(replies({ ipaddrs: [{ address: '192.0.2.2', length: 32 }] }), [into, ipv6])
  })

  it("replies over the uplink of main's default are left to main, over any other use its own table", () => {
    const links = [...SYSTEM.links, linkOf(3, 'wwan0')]
    const addresses = [...SYSTEM.addresses, addressOn(3, '10.64.0.2/24')]
    const uplinks = [uplinkOf('wan', 'eth0'), uplinkOf('lte', 'wwan0', { gateway: '10.64.0.1' })]
    const replies = (routes: Facts['routes'], changes: Partial<Config> = {}) =>
      plan(
        { ...configOf([tunnelOf('aaisp')], uplinks), ...changes },
        {},
        { ...SYSTEM, links, addresses, routes },
      )
        .flatMap((line) => /\(IPv4\): (from .*)/.exec(line)?.[1] ?? [])
        .sort()
    const eth0 = defaultOver(2, '192.0.2.1', { metric: 10 })
    const wwan0 = defaultOver(3, '10.64.0.1', { metric: 20 })
    const table = (wan: number | string, lte: number | string) => [
      `from 10.64.0.2/32 lookup ${lte}`,
      `from 192.0.2.2/32 lookup ${wan}`,
    ]
    assert.deepEqual(replies([eth0, wwan0]), table('main', 17061))
    assert.deepEqual(replies([eth0, { ...wwan0, metric: 5 }]), table(17060, 'main'))
    assert.deepEqual(replies([{ ...eth0, table: 100 }]), table(17060, 17061))
    // Neither of two that are as good, and none where main refuses.
    assert.deepEqual(replies([eth0, { ...wwan0, metric: 10 }]), table(17060, 17061))
    const several = [...eth0.nexthops, ...wwan0.nexthops]
    assert.deepEqual(replies([{ ...eth0, nexthops: several }]), table(17060, 17061))
    const refusal = { ...eth0, metric: 1, type: 'unreachable', nexthops: [] } as const
    assert.deepEqual(replies([eth0, refusal]), table(17060, 17061))
    // Where `failover` sends traffic stays as it is when this process dies.
    const { failover } = failoverConfig()
    assert.ok(failover)
    const paths = { failover: { ...failover, paths: ['wan', 'aaisp'] } }
    assert.deepEqual(replies([eth0, wwan0], paths), table(17060, 17061))
    assert.deepEqual(
      replies([eth0, wwan0], { firewalls: [{ ...FIREWALL, paths: ['wan'] }] }),
      table('main', 17061),
    )
  })

  it('an address on the uplink that lies in a block of a tunnel is answered into the tunnel', () => {
    const addresses = [addressOn(2, '198.51.100.17/29'), addressOn(2, '2001:db8:2::17/64')]
    const facts = { ...SYSTEM, addresses: [...SYSTEM.addresses, ...addresses] }
    const tunnel = tunnelOf('aaisp', {
      ipaddrs: [{ address: '198.51.100.18', length: 29 }],
      ip6prefixes: [{ address: '2001:db8:2::', length: 56 }],
    })
    const replies = (uplinks: Config['uplinks'], changes: Partial<Config> = {}) =>
      plan({ ...configOf([tunnel], uplinks), ...changes }, { aaisp: SESSION }, facts).filter((line) =>
        /from (198\.51\.100\.|2001:db8:2:|192\.0\.2\.)/.test(line),
      )
    const lines = [
      'add rule 31030 (IPv4): from 198.51.100.18/32 lookup 17011',
      'add rule 31031 (IPv4): from 198.51.100.16/29 lookup 17011',
      'add rule 31030 (IPv4): from 192.0.2.2/32 lookup main',
      'add rule 31031 (IPv6): from 2001:db8:2::/56 lookup 17011',
    ]
    assert.deepEqual(replies([]), lines)
    const firewalls = [{ ...FIREWALL, paths: ['wan'] }]
    assert.deepEqual(replies([uplinkOf('wan', 'eth0')], { firewalls }), lines)
  })

  it('with ip4table: the IPv4 routes go there and to no other table', () => {
    const lines = routing(plan(configOf([tunnelOf('aaisp', { ip4table: 77 })]), { aaisp: SESSION }))
    const ipv4 = lines.filter((line) => line.includes('dev l2tp-aaisp') && !line.includes('IPv6'))
    assert.deepEqual(ipv4, [
      'add route default (IPv4) dev l2tp-aaisp src 203.0.113.10 table 77 metric 1',
      'add route 203.0.113.1/32 dev l2tp-aaisp src 203.0.113.10 table 77 metric 1',
    ])
    assert.ok(!lines.includes('add rule 31040 (IPv4): lookup 17010'))
    assert.ok(lines.includes('add rule 31040 (IPv6): lookup 17010'))
    assert.ok(lines.includes('add rule 31030 (IPv4): from 203.0.113.10/32 lookup 77'))
  })

  it('of two tunnels: the first is preferred, each answers from its own address', () => {
    const second: TunnelSession = {
      ...SESSION,
      ipv4: { address: '203.0.113.20', peer: '203.0.113.1' },
      ipv6: undefined,
      underlay: { device: 'eth0', server: '198.51.100.2' },
    }
    const lines = routing(plan(configOf([tunnelOf('a'), tunnelOf('b')]), { a: SESSION, b: second })).filter(
      (line) => line.includes('IPv4'),
    )
    assert.deepEqual(lines, [
      'add route default (IPv4) dev l2tp-a src 203.0.113.10 table 17011 metric 1',
      'add route default (IPv4) dev l2tp-a src 203.0.113.10 table 17010 metric 1',
      'add route default (IPv4) dev l2tp-b src 203.0.113.20 table 17012 metric 2',
      'add route default (IPv4) dev l2tp-b src 203.0.113.20 table 17010 metric 2',
      'add route default (IPv4) via 192.0.2.1 dev eth0 table 17060 metric 1',
      'add rule 31000 (IPv4): lookup main suppress_prefixlength 0',
      'add rule 31010 (IPv4): oif l2tp-a lookup 17011',
      'add rule 31030 (IPv4): from 203.0.113.10/32 lookup 17011',
      'add rule 31035 (IPv4): fwmark 0x10000/0xff0000 lookup 17011',
      'add rule 31010 (IPv4): oif l2tp-b lookup 17012',
      'add rule 31030 (IPv4): from 203.0.113.20/32 lookup 17012',
      'add rule 31035 (IPv4): fwmark 0x20000/0xff0000 lookup 17012',
      'add rule 31010 (IPv4): oif eth0 lookup 17060',
      'add rule 31030 (IPv4): from 192.0.2.2/32 lookup main',
      'add rule 31040 (IPv4): lookup 17010',
    ])
  })

  it('static addresses stand alone on the device, and blocks get no way back into the tunnel', () => {
    const tunnel = tunnelOf('aaisp', {
      ipaddrs: [
        { address: '203.0.113.65', length: 29 },
        { address: '203.0.113.200', length: 32 },
      ],
      ip6addrs: [{ address: '2001:db8:5::1', length: 64 }],
      ip6prefixes: [{ address: '2001:db8:2::', length: 56 }],
    })
    const lines = plan(configOf([tunnel]), { aaisp: SESSION })
    assert.deepEqual(addresses(lines).slice(3), [
      'add address 203.0.113.65/32 to l2tp-aaisp',
      'add address 203.0.113.200/32 to l2tp-aaisp',
      'add address 2001:db8:5::1/64 to l2tp-aaisp',
    ])
    assert.deepEqual(
      lines.filter((line) => line.includes('unreachable')),
      [
        'add route unreachable 203.0.113.64/29 table 17011 metric 2147483647',
        'add route unreachable 203.0.113.64/29 table 17010 metric 2147483647',
        'add route unreachable 2001:db8:2::/56 table 17011 metric 2147483647',
        'add route unreachable 2001:db8:2::/56 table 17010 metric 2147483647',
      ],
    )
    assert.deepEqual(
      lines.filter((line) => line.includes('from ') && line.includes('17011')),
      [
        'add rule 31030 (IPv4): from 203.0.113.10/32 lookup 17011',
        'add rule 31030 (IPv4): from 203.0.113.65/32 lookup 17011',
        'add rule 31030 (IPv4): from 203.0.113.200/32 lookup 17011',
        'add rule 31031 (IPv4): from 203.0.113.64/29 lookup 17011',
        'add rule 31030 (IPv6): from 2001:db8:1:10:20a::aa/128 lookup 17011',
        'add rule 31030 (IPv6): from 2001:db8:5::1/128 lookup 17011',
        'add rule 31031 (IPv6): from 2001:db8:2::/56 lookup 17011',
      ],
    )
  })

  it('an address that IPCP gave and the configuration names is there once, with its peer', () => {
    const tunnel = tunnelOf('aaisp', { ipaddrs: [{ address: '203.0.113.10', length: 32 }] })
    const lines = plan(configOf([tunnel]), { aaisp: SESSION })
    assert.deepEqual(
      lines.filter((line) => line.includes('203.0.113.10') && !line.includes('route')),
      [
        'add address 203.0.113.10 peer 203.0.113.1/32 to l2tp-aaisp',
        'add rule 31030 (IPv4): from 203.0.113.10/32 lookup 17011',
      ],
    )
  })

  it('a peer that is no address, ours, or the LNS itself gets no route', () => {
    for (const peer of [undefined, '0.0.0.0', '203.0.113.10', '198.51.100.1']) {
      const session = { ...SESSION, ipv4: { address: '203.0.113.10', peer } }
      const lines = plan(configOf([tunnelOf('aaisp')]), { aaisp: session })
      const host = lines.filter((line) => /^add route \S+\/32/.test(line))
      assert.deepEqual(host, ['add route 198.51.100.1/32 via 192.0.2.1 dev eth0 table 17010 metric 1'])
    }
  })

  const REFUSED6 = 'add route unreachable default (IPv6) table 17010 metric 2147483647'
  const REFUSED4 = 'add route unreachable default (IPv4) table 17010 metric 2147483647'
  const bare6 = SESSION.ipv6 && { ...SESSION.ipv6, addresses: [] }

  it('a family that the session lacks is refused at once, and does not leave by the uplink', () => {
    const without6 = plan(configOf([tunnelOf('aaisp')]), { aaisp: { ...SESSION, ipv6: undefined } })
    assert.ok(without6.includes(REFUSED6))
    assert.ok(without6.includes('add rule 31040 (IPv6): lookup 17010'))
    assert.ok(!without6.some((line) => line.includes('default (IPv6) dev l2tp-aaisp')))
    // New sockets are not to take the uplink's address instead and try again.
    assert.ok(
      without6.includes(
        'add rule 31030 (IPv6): from 2001:db8:f::2/128 ipproto tcp sport 1-65534 lookup main',
      ),
    )
    const without4 = plan(configOf([tunnelOf('aaisp')]), { aaisp: { ...SESSION, ipv4: undefined } })
    assert.ok(without4.includes(REFUSED4))
    assert.ok(!without4.includes(REFUSED6))
  })

  it('a family that may still come leads into the device, and falls through should the process die meanwhile', () => {
    for (const [family, lacking] of [
      [6, { ...SESSION, ipv6: undefined }],
      [4, { ...SESSION, ipv4: undefined }],
    ] as const) {
      const lines = plan(configOf([tunnelOf('aaisp')]), { aaisp: { ...lacking, awaited: [family] } })
      assert.ok(!lines.some((line) => line.includes('unreachable')))
      assert.ok(
        lines.includes(`add route default (IPv${family}) dev l2tp-aaisp table 17010 metric 2147483647`),
        lines.join('\n'),
      )
    }
  })

  it('nothing is refused for a tunnel that takes no default route, wants no IPv6, or has no session', () => {
    const session = { ...SESSION, ipv6: undefined }
    const refuses = (
      tunnel: Partial<TunnelConfig>,
      sessions: Record<string, TunnelSession>,
      facts = SYSTEM,
    ) =>
      plan(configOf([tunnelOf('aaisp', tunnel)]), sessions, facts).some((line) =>
        line.includes('unreachable'),
      )
    assert.ok(refuses({}, { aaisp: session }))
    assert.ok(!refuses({ defaultroute: false }, { aaisp: session }))
    assert.ok(!refuses({ ipv6: false }, { aaisp: session }))
    assert.ok(!refuses({ ip6table: 78 }, { aaisp: session }))
    assert.ok(!refuses({}, {}))
    assert.ok(!refuses({}, { aaisp: session }, { ...SYSTEM, ipv6: false }))
  })

  it('a session without any address takes no traffic and refuses none', () => {
    const lines = plan(configOf([tunnelOf('aaisp')]), {
      aaisp: { ...SESSION, ipv4: undefined, ipv6: bare6 },
    })
    assert.ok(!lines.some((line) => /table 17010|lookup 17010|default .* dev l2tp-aaisp/.test(line)))
    // Solicitations have to leave all the same.
    assert.ok(lines.includes('turn carrier of l2tp-aaisp on'))
  })

  it('of two tunnels one may carry what the other lacks', () => {
    const config = configOf([tunnelOf('first'), tunnelOf('second')])
    const second = { ...SESSION, ipv4: { address: '203.0.113.20', peer: undefined } }
    const lines = plan(config, { first: { ...SESSION, ipv6: undefined }, second })
    assert.ok(lines.includes('add route default (IPv6) dev l2tp-second table 17010 metric 2'))
    assert.ok(lines.includes(REFUSED6), 'behind it')
    assert.ok(lines.includes('add rule 31030 (IPv6): from 2001:db8:f::2/128 lookup main'))
  })

  it('IPv6 without any global address has no default route', () => {
    const bare = plan(configOf([tunnelOf('aaisp')]), { aaisp: { ...SESSION, ipv6: bare6 } })
    assert.ok(!bare.some((line) => line.includes('default (IPv6) dev l2tp-aaisp')))
    const routed = tunnelOf('aaisp', { ip6prefixes: [{ address: '2001:db8:2::', length: 56 }] })
    const lines = plan(configOf([routed]), { aaisp: { ...SESSION, ipv6: bare6 } })
    assert.ok(lines.includes('add route default (IPv6) dev l2tp-aaisp table 17010 metric 1'))
  })

  it('ipv6 0 keeps all IPv6 off the device', () => {
    const tunnel = tunnelOf('aaisp', { ipv6: false, ip6addrs: [{ address: '2001:db8:5::1', length: 64 }] })
    const lines = plan(configOf([tunnel]), { aaisp: SESSION })
    assert.ok(lines.includes('set net/ipv6/conf/l2tp-aaisp/disable_ipv6 = 1'))
    assert.deepEqual(addresses(lines), ['add address 203.0.113.10 peer 203.0.113.1/32 to l2tp-aaisp'])
    assert.ok(!lines.some((line) => line.includes('IPv6') && line.includes('l2tp-aaisp')))
  })

  it('a kernel without IPv6, and an MTU below 1280, leave IPv6 out', () => {
    const facts: Facts = {
      ...SYSTEM,
      addresses: SYSTEM.addresses.filter(({ family }) => family === 4),
      routes: SYSTEM.routes.filter(({ family }) => family === 4),
      ipv6: false,
    }
    const without = plan(configOf([tunnelOf('aaisp')]), { aaisp: SESSION }, facts)
    assert.ok(without.length > 10)
    assert.ok(!without.some((line) => line.includes('ipv6') || line.includes('IPv6')))
    const small = plan(configOf([tunnelOf('aaisp')]), { aaisp: { ...SESSION, mtu: 1279 } })
    // The kernel takes IPv6 and its settings from such a device.
    assert.ok(!small.some((line) => line.includes('net/ipv6/conf')))
    assert.ok(!small.some((line) => line.includes('fe80') || line.includes('default (IPv6) dev l2tp')))
  })

  it('a disabled tunnel wants nothing', () => {
    const config = configOf([tunnelOf('aaisp', { enabled: false })])
    assert.deepEqual(desiredState(config, SYSTEM, new Map()), NOTHING_DESIRED)
  })

  it('a device of another kind is not ours: the tunnel is left out, filters and all', () => {
    const withWan0 = (kind: string | undefined) => ({
      ...SYSTEM,
      links: [...SYSTEM.links, linkOf(5, 'wan0', { kind })],
    })
    const foreign = configOf([tunnelOf('aaisp', { device: 'wan0' })])
    const states = new Map([['aaisp', nextState(undefined, SESSION)]])
    for (const kind of [undefined, 'veth']) {
      assert.deepEqual(desiredState(foreign, withWan0(kind), states), NOTHING_DESIRED)
      const both = desiredState(configOf([...foreign.tunnels, tunnelOf('b')]), withWan0(kind), states)
      assert.deepEqual(
        both.devices.map(({ name }) => name),
        ['l2tp-b'],
      )
      assert.doesNotMatch(scriptOf(both.filters) ?? '', /wan0/)
    }
    // One of ours has no alias yet when it was just made.
    assert.equal(desiredState(foreign, withWan0('tun'), states).devices.length, 1)
  })

  it('an uplink without a default in main uses its configured gateway', () => {
    const uplinks = [uplinkOf('lte', 'wwan0', { gateway: '10.0.0.1' })]
    const links = [...SYSTEM.links, linkOf(5, 'wwan0')]
    const facts = { ...SYSTEM, links, addresses: [addressOn(5, '10.0.0.2/24')], routes: [] }
    assert.deepEqual(
      routing(plan(configOf([tunnelOf('aaisp')], uplinks), {}, facts)).filter((line) => /wwan0/.test(line)),
      [
        'add route default (IPv4) via 10.0.0.1 dev wwan0 table 17060 metric 1',
        'add rule 31010 (IPv4): oif wwan0 lookup 17060',
      ],
    )
  })

  it('an uplink takes its gateway from main first, then from any other table, by metric', () => {
    const routes = [
      defaultOver(2, '192.0.2.3', { table: 100 }),
      defaultOver(2, '192.0.2.2', { metric: 20 }),
      defaultOver(2, '192.0.2.1', { metric: 10 }),
      defaultOver(3, '192.0.2.4', { metric: 1 }),
    ]
    const gateway = (known: typeof routes) =>
      plan(configOf([tunnelOf('aaisp')], [uplinkOf('wan', 'eth0')]), {}, { ...SYSTEM, routes: known }).find(
        (line) => line.includes('table 17060'),
      )
    assert.match(gateway(routes) ?? '', /via 192\.0\.2\.1 /)
    assert.match(gateway(routes.slice(0, 1)) ?? '', /via 192\.0\.2\.3 /)
    assert.equal(gateway(routes.slice(3)), undefined)
  })

  it('a point-to-point uplink needs no gateway, one that is absent or down gets no route', () => {
    const config = configOf([tunnelOf('aaisp')], [uplinkOf('wan', 'ppp0')])
    const addresses = [addressOn(7, '192.0.2.2/32')]
    const lines = (options: Parameters<typeof linkOf>[2]) => {
      const links = [linkOf(7, 'ppp0', { noArp: true, ...options })]
      return plan(config, {}, { ...SYSTEM, routes: [], links, addresses })
    }
    assert.ok(lines({}).includes('add route default (IPv4) dev ppp0 table 17060 metric 1'))
    assert.ok(!lines({ up: false }).some((line) => line.includes('ppp0')))
    assert.ok(!plan(config, {}, { ...SYSTEM, links: [] }).some((line) => line.includes('ppp0')))
  })
})

describe('nextState', () => {
  const states = (...sessions: (TunnelSession | undefined)[]) =>
    sessions.reduce<TunnelState | undefined>((state, session) => nextState(state, session), undefined)
  const bare = SESSION.ipv6 && { ...SESSION.ipv6, addresses: [] }
  const discovering = bare && { ...bare, discovering: true as const }

  it('keeps what was negotiated while there is no session', () => {
    assert.deepEqual(states(SESSION, undefined), { session: undefined, held: SESSION })
  })

  it('keeps the IPv4 address until IPCP has opened again', () => {
    assert.deepEqual(states(SESSION, undefined, { ...SESSION, ipv4: undefined })?.held?.ipv4, SESSION.ipv4)
  })

  it('keeps the IPv6 addresses of the same identifier while the router is sought', () => {
    const again = states(SESSION, undefined, { ...SESSION, ipv6: discovering })
    assert.deepEqual(again?.held?.ipv6, SESSION.ipv6)
    const other = discovering && { ...discovering, interfaceId: new Uint8Array(8).fill(9) }
    assert.deepEqual(states(SESSION, undefined, { ...SESSION, ipv6: other })?.held?.ipv6?.addresses, [])
    assert.deepEqual(states({ ...SESSION, ipv6: discovering })?.held?.ipv6, bare)
  })

  it('keeps none of them once it is found, or was sought in vain', () => {
    const found = states(SESSION, undefined, { ...SESSION, ipv6: discovering }, { ...SESSION, ipv6: bare })
    assert.deepEqual(found?.held?.ipv6, bare)
  })

  it('takes addresses away that lapse during a session', () => {
    assert.deepEqual(states(SESSION, { ...SESSION, ipv6: bare })?.held?.ipv6?.addresses, [])
  })

  it('keeps the addresses where IPV6CP is negotiated anew in a session', () => {
    const again = states(SESSION, { ...SESSION, ipv6: undefined }, { ...SESSION, ipv6: discovering })
    assert.deepEqual(again?.held?.ipv6, SESSION.ipv6)
  })
})
