import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { printEffective } from '../../../src/core/config/print.ts'
import { formatProblem } from '../../../src/core/config/problems.ts'
import { NOTHING, TUNNEL, UPLINK } from './defaults.ts'
import { fixture, mustRead, plain, read } from './reading.ts'

const AAISP = {
  ...TUNNEL,
  name: 'aaisp',
  servers: [{ host: 'l2tp.aa.net.uk', port: 1701 }],
  username: 'xx@a.1',
  password: 'wonderland',
  device: 'l2tp-aaisp',
}

describe('the shortest useful configuration', () => {
  for (const notation of ['uci', 'json'] as const) {
    test(`in ${notation}`, () => {
      const { config, warnings } = mustRead(notation, fixture(`shortest.${notation}`))
      assert.deepEqual(plain(config), { ...NOTHING, tunnels: [AAISP] })
      assert.deepEqual(warnings, [])
    })
  }
})

describe('every option', () => {
  const expected = {
    ...NOTHING,
    lifeline: {
      node: 'router-1',
      logLevel: 'debug',
      stateDir: '/etc/lifeline/state',
      markMask: 0xf0,
      rulePriority: 900,
      tableBase: 1000,
    },
    uplinks: [
      {
        ...UPLINK,
        name: 'fibre',
        device: { by: 'name', name: 'pppoe-wan' },
        gateway6: 'fe80::1',
        source: '2001:db8::5',
        dns: ['192.0.2.53', '2001:db8::53'],
      },
      {
        ...UPLINK,
        name: '4g',
        device: { by: 'name', name: 'wwan0' },
        gateway: '192.0.2.1',
      },
    ],
    tunnels: [
      {
        ...AAISP,
        servers: [
          { host: 'l2tp.aa.net.uk', port: 1701 },
          { host: '192.0.2.9', port: 1702 },
          { host: '2001:db8::9', port: 1703 },
          { host: '2001:db8::a', port: 1701 },
        ],
        password: 'wonder land',
        tunnelSecret: 'looking-glass',
        device: 'l2tp0',
        uplinks: ['4g', 'fibre'],
        auth: ['pap'],
        mtu: 1460,
        ipaddrs: [{ address: '203.0.113.10', length: 32 }],
        ip6addrs: [
          { address: '2001:db8:1::10', length: 128 },
          { address: '2001:db8:1::11', length: 64 },
        ],
        ip6prefixes: [{ address: '2001:db8:2::', length: 56 }],
        defaultroute: false,
        ip4table: 20,
        ip6table: 21,
        peerdns: true,
        helloInterval: 90_000,
        echoInterval: 500,
        echoFailures: 20,
        localPort: 1701,
        firewall: 'none',
      },
      { ...AAISP, name: 'off', device: 'l2tp-off', username: '', servers: [], password: '', enabled: false },
    ],
  }

  for (const notation of ['uci', 'json'] as const) {
    test(`in ${notation}`, () => {
      const { config } = mustRead(notation, fixture(`every-option.${notation}`))
      assert.deepEqual(plain(config), expected)
    })
  }
})

describe('what is in effect', () => {
  for (const notation of ['uci', 'json'] as const) {
    test(`is printed in ${notation}`, () => {
      const { effective } = mustRead('uci', fixture('every-option.uci'))
      assert.equal(printEffective(effective, notation), fixture(`every-option.effective.${notation}`))
    })
  }

  test('hides secrets', () => {
    const { config, effective } = mustRead('uci', fixture('every-option.uci'))
    const shown = [
      printEffective(effective, 'uci'),
      printEffective(effective, 'json'),
      JSON.stringify(config),
      `${config.tunnels[0]?.password}`,
    ]
    for (const text of shown) assert.doesNotMatch(text, /wonder land|looking-glass/)
  })
})

test('the configuration cannot be changed', () => {
  const { config } = mustRead('uci', fixture('every-option.uci'))
  for (const part of [config, config.lifeline, config.uplinks, config.tunnels, config.tunnels[0]?.ipaddrs[0]])
    assert.ok(Object.isFrozen(part))
})

test('in JSON the one section of its type may be written without its name', () => {
  const direct = mustRead(
    'json',
    '{"lifeline":{"node":"router","log_level":null},"uplink":{"fibre":{"device":"eth0"}},"failover":{"path":["fibre"],"mode":"auto"}}',
  )
  const named = mustRead(
    'json',
    '{"lifeline":{"main":{"node":"router"}},"uplink":{"fibre":{"device":"eth0"}},"failover":{"failover":{"path":"fibre"}}}',
  )
  assert.deepEqual(plain(direct.config), plain(named.config))
  assert.deepEqual(direct.warnings, [])
  assert.equal(direct.config.lifeline.node, 'router')
  assert.deepEqual(direct.config.failover?.paths, ['fibre'])
})

test('a list may stand in one text, divided by spaces of any kind, in both notations', () => {
  const uci = mustRead(
    'uci',
    "config uplink 'fibre'\n\toption device 'eth0'\n\toption dns '8.8.8.8 8.8.4.4'\n" +
      "config failover\n\toption path ' fibre\u00a0aaisp '\n" +
      "config tunnel 'aaisp'\n\tlist server 'lns.example 192.0.2.9:1702'\n\tlist server '2001:db8::9'\n" +
      "\toption username 'a b'\n\toption password 'c d'\n\toption auth 'chap pap'\n" +
      "config redirect\n\toption proto 'tcp udp'\n\toption src_dport '25'\n\toption dest_ip '192.168.1.2'\n",
  ).config
  assert.deepEqual(uci.uplinks[0]?.dns, ['8.8.8.8', '8.8.4.4'])
  assert.deepEqual(uci.failover?.paths, ['fibre', 'aaisp'])
  assert.deepEqual(
    uci.tunnels[0]?.servers.map(({ host, port }) => `${host} ${port}`),
    ['lns.example 1701', '192.0.2.9 1702', '2001:db8::9 1701'],
  )
  assert.deepEqual(uci.tunnels[0]?.auth, ['chap', 'pap'])
  assert.equal(uci.tunnels[0]?.username, 'a b')
  assert.equal(uci.tunnels[0]?.password.reveal(), 'c d')
  assert.deepEqual(uci.redirects[0]?.protocols, ['tcp', 'udp'])
  const json = mustRead('json', '{"uplink":{"fibre":{"device":"eth0","dns":"8.8.8.8 8.8.4.4"}}}').config
  assert.deepEqual(json.uplinks[0]?.dns, ['8.8.8.8', '8.8.4.4'])
})

test('of a list in one text the wrong value is named, and what stands there twice', () => {
  const result = read(
    'uci',
    "config uplink 'x'\n\toption device 'eth0'\n\toption dns '8.8.8.8 8.8.8 8.8.8.8'\n",
  )
  assert.ok(!result.ok)
  assert.deepEqual(
    result.error.map(({ line, reason }) => `${line} ${reason}`),
    ["3 '8.8.8' is not an address", "3 '8.8.8.8' stands there twice"],
  )
})

test('a byte order mark is no part of a configuration', () => {
  for (const [notation, name] of [
    ['uci', 'shortest.uci'],
    ['json', 'shortest.json'],
  ] as const) {
    const marked = mustRead(notation, `\ufeff${fixture(name)}`)
    assert.deepEqual(plain(marked.config), { ...NOTHING, tunnels: [AAISP] })
    assert.deepEqual(marked.warnings, [])
  }
})

test('a section may bear the name of an option all the same', () => {
  const { config } = mustRead(
    'json',
    '{"uplink":{"fibre":{"device":"eth0"}},"failover":{"mode":{"path":["fibre"]}}}',
  )
  assert.equal(config.failover?.name, 'mode')
})

test('nothing at all is a configuration that does nothing, with a warning', () => {
  for (const content of ['', '{}', '\ufeff{}', 'null']) {
    const result = read(content === '' ? 'uci' : 'json', content)
    assert.ok(result.ok)
    assert.deepEqual(plain(result.value.config), NOTHING)
    assert.equal(result.value.warnings.map(formatProblem).length, 1)
  }
})

test('a disabled tunnel may be incomplete, but not wrong', () => {
  assert.ok(
    read('uci', "config tunnel 'a_name_too_long_for_a_device'\n\toption enabled 0\n\tlist uplink nowhere\n")
      .ok,
  )
  assert.ok(!read('uci', "config tunnel 'a'\n\toption enabled 0\n\toption mtu many\n").ok)
})
