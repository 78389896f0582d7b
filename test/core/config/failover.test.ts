import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  changedFailover,
  changedFirewall,
  changedTunnels,
  needsRedial,
} from '../../../src/core/config/changes.ts'
import { allowRule, forwardRule } from '../../../src/core/config/firewall-kinds.ts'
import type { Kind } from '../../../src/core/config/kinds.ts'
import { probeOf } from '../../../src/core/config/path-probe.ts'
import { printEffective } from '../../../src/core/config/print.ts'
import { DEFAULT_PROBE, formatProbeTarget, probeTarget } from '../../../src/core/config/probe.ts'
import type { AllowRule, Config } from '../../../src/core/config/types.ts'
import { FAILOVER, PROBE } from './defaults.ts'
import { fixture, mustRead } from './reading.ts'

const NOTATIONS = ['uci', 'json'] as const

const INTERNET = {
  name: 'internet',
  paths: [],
  allow: [],
  allowForward: [],
  lan: [],
  policy: 'drop',
  snat: 'auto',
}

function json(content: unknown): Config {
  return mustRead('json', JSON.stringify(content)).config
}

const TUNNEL = { server: 'lns.example', username: 'alice', password: 'wonderland' }

describe('a line, a tunnel that keeps its address, and 4G', () => {
  for (const notation of NOTATIONS) {
    test(`in ${notation}`, () => {
      const { config, warnings } = mustRead(notation, fixture(`failover.${notation}`))
      assert.deepEqual(warnings, [])
      assert.deepEqual(
        config.uplinks.map(({ name, device, metered }) => [name, device.name, metered]),
        [
          ['fibre', 'pppoe-aaisp', false],
          ['lte', 'wan-4g', true],
        ],
      )
      assert.deepEqual(config.tunnels[0]?.uplinks, [])
      assert.deepEqual(config.failover, {
        ...FAILOVER,
        paths: ['fibre', 'aaisp', 'lte'],
      })
      const ssh = { protocols: ['tcp'], ports: [{ first: 22, last: 22 }], sources: [] }
      assert.deepEqual(config.firewalls, [{ ...INTERNET, lan: ['lan'], allow: [ssh] }])
      assert.deepEqual(config.redirects, [])
    })
  }
})

describe('a server of a static address', () => {
  for (const notation of NOTATIONS) {
    test(`in ${notation}`, () => {
      const { config, warnings } = mustRead(notation, fixture(`server.${notation}`))
      assert.deepEqual(warnings, [])
      assert.equal(config.failover, undefined)
      assert.equal(config.tunnels[0]?.defaultroute, false)
      const port = (number: number) => ({ first: number, last: number })
      const allow = [
        { protocols: ['tcp'], ports: [port(25), port(443), port(655)], sources: [] },
        { protocols: ['udp'], ports: [port(655)], sources: [] },
      ]
      assert.deepEqual(config.firewalls, [{ ...INTERNET, allow }])
    })
  }
})

const EVERYTHING = {
  uplink: {
    fibre: { device: 'eth0', probe: ['192.0.2.1', 'tcp:[2001:DB8::1]:443'], probe_interval: '200ms' },
    lte: {
      device: 'wwan0',
      metered: true,
      monthly_budget: '5G',
      budget_cutoff: 1,
      probe_timeout: '1.5s',
      probe_down: 3,
      probe_up: 1,
      require: 'both',
    },
  },
  tunnel: {
    aaisp: { ...TUNNEL, standby: 'cold', backs_up: 'fibre', probe: 'dns:192.0.2.53' },
    spare: { ...TUNNEL, standby: 'hot' },
  },
  failover: {
    ways: {
      path: ['fibre', 'aaisp', 'spare', 'lte'],
      mode: 'lte',
      dial_grace: 0,
      failback_delay: '1m',
      standby_check: 'weekly 4:05',
      probe: ['icmp:2001:db8::2', 'dns:[2001:db8::3]:5353'],
      probe_interval: 2,
      probe_timeout: 1,
      probe_down: 4,
      probe_up: 6,
      require: 'any',
    },
  },
  firewall: {
    internet: {
      path: ['fibre', 'aaisp'],
      allow: [
        '443,25,8000-8100,8050-8200/tcp',
        ' 6000-6100/udp  from 192.0.2.0/24,2001:db8::1 ',
        '53/tcpudp',
        'esp from 198.51.100.7',
      ],
      allow_forward: ['443/tcp=2001:db8:2::5', '1-65535/udp=2001:db8:2::/64 from 2001:db8:3::/48'],
      lan: ['br-lan', 'wg0'],
      policy: 'reject',
      snat: '203.0.113.10',
    },
    other: { path: 'spare', snat: 'none' },
  },
  redirect: {
    web: { proto: 'tcp', src_dport: 8443, dest_ip: '192.168.1.5', dest_port: 443 },
    game: { src_dport: '6000-6010', dest_ip: '192.168.1.6', src_ip: ['192.0.2.0/24', '198.51.100.1'] },
    words: {
      name: 'Web server',
      target: 'DNAT',
      proto: ['udp', 'sctp'],
      src_dport: '5',
      dest_ip: '192.168.1.7',
    },
    off: { enabled: false },
  },
}

test('every option', () => {
  const { uplinks, tunnels, failover, firewalls, redirects } = json(EVERYTHING)
  const tcp443 = { kind: 'tcp', address: '2001:db8::1', port: 443 }
  assert.deepEqual(
    uplinks.map(({ metered, monthlyBudget, budgetCutoff, probe }) => [
      metered,
      monthlyBudget,
      budgetCutoff,
      probe,
    ]),
    [
      [false, undefined, false, { targets: [{ kind: 'icmp', address: '192.0.2.1' }, tcp443], interval: 200 }],
      [true, 5_000_000_000, true, { timeout: 1500, down: 3, up: 1, require: 'both' }],
    ],
  )
  assert.deepEqual(
    tunnels.map(({ standby, backsUp, probe }) => [standby, backsUp, probe]),
    [
      ['cold', 'fibre', { targets: [{ kind: 'dns', address: '192.0.2.53', port: 53 }] }],
      ['hot', undefined, {}],
    ],
  )
  assert.deepEqual(failover, {
    name: 'ways',
    paths: ['fibre', 'aaisp', 'spare', 'lte'],
    mode: 'lte',
    dialGrace: 0,
    failbackDelay: 60_000,
    standbyCheck: { day: 'sun', hour: 4, minute: 5 },
    probe: {
      targets: [
        { kind: 'icmp', address: '2001:db8::2' },
        { kind: 'dns', address: '2001:db8::3', port: 5353 },
      ],
      interval: 2000,
      timeout: 1000,
      down: 4,
      up: 6,
      require: 'any',
    },
  })
  const port = (first: number, last = first) => ({ first, last })
  assert.deepEqual(firewalls, [
    {
      name: 'internet',
      paths: ['fibre', 'aaisp'],
      allow: [
        { protocols: ['tcp'], ports: [port(25), port(443), port(8000, 8200)], sources: [] },
        {
          protocols: ['udp'],
          ports: [port(6000, 6100)],
          sources: [
            { address: '192.0.2.0', length: 24 },
            { address: '2001:db8::1', length: 128 },
          ],
        },
        { protocols: ['tcp', 'udp'], ports: [port(53)], sources: [] },
        { protocols: ['esp'], ports: [], sources: [{ address: '198.51.100.7', length: 32 }] },
      ],
      allowForward: [
        {
          protocols: ['tcp'],
          ports: [port(443)],
          sources: [],
          destination: { address: '2001:db8:2::5', length: 128 },
        },
        {
          protocols: ['udp'],
          ports: [port(1, 65535)],
          sources: [{ address: '2001:db8:3::', length: 48 }],
          destination: { address: '2001:db8:2::', length: 64 },
        },
      ],
      lan: ['br-lan', 'wg0'],
      policy: 'reject',
      snat: '203.0.113.10',
    },
    { ...INTERNET, name: 'other', paths: ['spare'], snat: 'none' },
  ])
  assert.deepEqual(redirects, [
    {
      name: 'web',
      protocols: ['tcp'],
      srcDport: port(8443),
      srcIps: [],
      destIp: '192.168.1.5',
      destPort: port(443),
      enabled: true,
    },
    {
      name: 'game',
      protocols: ['tcp', 'udp'],
      srcDport: port(6000, 6010),
      srcIps: [
        { address: '192.0.2.0', length: 24 },
        { address: '198.51.100.1', length: 32 },
      ],
      destIp: '192.168.1.6',
      destPort: port(6000, 6010),
      enabled: true,
    },
    {
      name: 'words',
      protocols: ['udp', 'sctp'],
      srcDport: port(5),
      srcIps: [],
      destIp: '192.168.1.7',
      destPort: port(5),
      enabled: true,
    },
    {
      name: 'off',
      protocols: ['tcp', 'udp'],
      srcDport: port(0),
      srcIps: [],
      destIp: '',
      destPort: port(0),
      enabled: false,
    },
  ])
})

test('what `check` prints of it reads back as the same', () => {
  const read = mustRead('json', JSON.stringify(EVERYTHING))
  for (const notation of NOTATIONS) {
    const printed = printEffective(read.effective, notation).replaceAll('***', 'wonderland')
    const again = mustRead(notation, printed)
    for (const part of ['uplinks', 'failover', 'firewalls', 'redirects'] as const)
      assert.deepEqual(again.config[part], read.config[part])
    assert.deepEqual(
      again.config.tunnels.map(({ standby, backsUp, probe }) => [standby, backsUp, probe]),
      read.config.tunnels.map(({ standby, backsUp, probe }) => [standby, backsUp, probe]),
    )
    assert.equal(printEffective(again.effective, notation).replaceAll('***', 'wonderland'), printed)
  }
})

test('sections without a name get one that is free', () => {
  const redirect = 'config redirect\n option dest_ip 192.168.1.5\n option src_dport'
  const text = `${redirect} 1\n${redirect} 2\nconfig firewall redirect2\n${redirect} 3\nconfig tunnel a
    option server lns.example\n option username x\n option password y\nconfig failover\n list path a\n`
  const { config } = mustRead('uci', text)
  assert.deepEqual(
    config.redirects.map(({ name }) => name),
    ['redirect', 'redirect3', 'redirect4'],
  )
  assert.equal(config.failover?.name, 'failover')
})

test('allowances are written as they are read', () => {
  const port = fc.integer({ min: 1, max: 65535 })
  const range = fc.oneof(
    port.map(String),
    fc.tuple(port, port).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
  )
  const ports = fc.array(range, { minLength: 1, maxLength: 6 })
  const protocol = fc.constantFrom('tcp', 'udp', 'tcpudp', 'sctp')
  const from = fc.constantFrom('', ' from 192.0.2.7', ' from 192.0.2.0/24,203.0.113.0/30')
  fc.assert(
    fc.property(ports, protocol, from, fc.boolean(), (ranges, name, source, forward) => {
      const kind: Kind<AllowRule> = forward ? (forwardRule as Kind<AllowRule>) : allowRule
      const read = kind.parse(`${ranges.join(',')}/${name}${forward ? '=198.51.100.9' : ''}${source}`)
      assert.ok(read.ok)
      assert.deepEqual(kind.parse(String(kind.print(read.value))), read)
      const { ports: given } = read.value
      for (const [i, { first, last }] of given.entries())
        assert.ok(first <= last && first > (given[i - 1]?.last ?? 0))
      const named = new Set(ranges.flatMap((text) => text.split('-').map(Number)))
      for (const number of named)
        assert.ok(given.some(({ first, last }) => first <= number && number <= last))
    }),
    { numRuns: 500 },
  )
})

describe('how a path is probed', () => {
  test('by default', () => {
    assert.deepEqual(DEFAULT_PROBE, PROBE)
    assert.deepEqual(probeOf(json({ tunnel: { a: TUNNEL } }), 'a'), PROBE)
  })

  test('by its own options, then those of failover', () => {
    const config = json(EVERYTHING)
    assert.deepEqual(probeOf(config, 'fibre'), {
      ...config.failover?.probe,
      targets: config.uplinks[0]?.probe.targets,
      interval: 200,
    })
    assert.deepEqual(probeOf(config, 'lte'), {
      ...config.failover?.probe,
      timeout: 1500,
      down: 3,
      up: 1,
      require: 'both',
    })
    assert.deepEqual(probeOf(config, 'spare'), config.failover?.probe)
  })

  test('targets are written as they are read', () => {
    const texts = ['192.0.2.1', '2001:db8::1', 'tcp:192.0.2.1:443', 'tcp:[2001:db8::1]:80', 'dns:2001:db8::1']
    for (const text of [...texts, 'dns:192.0.2.1:5353', 'dns:[2001:db8::1]:54']) {
      const target = probeTarget.parse(text)
      assert.ok(target.ok, text)
      assert.equal(formatProbeTarget(target.value), text)
    }
  })
})

describe('what a reload is told', () => {
  const path = ['a']
  const config = (failover?: object) =>
    json({ tunnel: { a: TUNNEL }, ...(failover && { failover: { f: failover } }) })

  test('of failover', () => {
    assert.deepEqual(changedFailover(config(), config()), [])
    assert.equal(changedFailover(config(), config({ path })), undefined)
    assert.equal(changedFailover(config({ path }), config()), undefined)
    assert.deepEqual(changedFailover(config({ path }), config({ path, mode: 'auto', probe_up: '5' })), [])
    const others = {
      path: ['a', 'b'],
      mode: 'a',
      dial_grace: 1,
      failback_delay: 1,
      probe: '192.0.2.1',
      probe_interval: 2,
      probe_timeout: 2,
      probe_down: 3,
      probe_up: 3,
    }
    const two = (failover: object) =>
      json({ tunnel: { a: TUNNEL, b: { ...TUNNEL } }, failover: { f: failover } })
    for (const [option, value] of Object.entries(others))
      assert.deepEqual(changedFailover(two({ path }), two({ path, [option]: value })), [option])
  })

  test('of tunnels, which only dial anew where they have to', () => {
    const tunnels = (options: object) =>
      json({
        uplink: { u: { device: 'eth0' } },
        tunnel: { a: { ...TUNNEL, ...options } },
        failover: { f: { path: ['u', 'a'] } },
      })
    const others = { standby: 'cold', backs_up: 'u', probe: '192.0.2.1', probe_interval: 2, probe_up: 9 }
    for (const [option, value] of Object.entries(others)) {
      const { changed } = changedTunnels(tunnels({}), tunnels({ [option]: value }))
      assert.deepEqual([...changed], [['a', [option]]])
      assert.equal(needsRedial([option]), false)
    }
    assert.equal(needsRedial(['standby', 'mtu']), true)
  })

  test('of firewall and redirects', () => {
    const all = (firewall: object, redirect: object) => json({ firewall, redirect })
    const web = { src_dport: 80, dest_ip: '192.168.1.5' }
    const old = all({ f: { allow: '22/tcp' } }, { gone: { ...web, src_dport: 79 }, same: web })
    const next = all(
      { f: { allow: '23/tcp' } },
      { same: { ...web, proto: 'tcp udp' }, fresh: { ...web, src_dport: 81 } },
    )
    assert.deepEqual(changedFirewall(old, next), ['firewall f', 'redirect gone', 'redirect fresh'])
    assert.deepEqual(changedFirewall(old, old), [])
  })
})
