import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatOctets, formatSpan } from '../../../src/core/amounts.ts'
import type { Status } from '../../../src/core/status/status.ts'
import { statusSentence, statusText } from '../../../src/core/status/status-text.ts'
import { NOW, sampleStatus, sampleTunnel, UP, WRONG_PASSWORD } from './status-samples.ts'

const OVER_TUNNEL = { state: 'ok', path: 'aaisp', ipv4: '203.0.113.10', ipv6: '2001:db8::1' } as const
const OVER_FIBRE = { state: 'backup', path: 'fibre', ipv4: '192.0.2.7', ipv6: null } as const
const FAILED = { attempts: 3, last_error: WRONG_PASSWORD } as const

const SENTENCES: readonly [string, Status][] = [
  ['No tunnel is configured.', sampleStatus({}, { state: 'ok', path: 'fibre' })],
  [
    'The internet is reached through the tunnel aaisp as 203.0.113.10 and 2001:db8::1, for 1 h.',
    sampleStatus({ aaisp: UP }, OVER_TUNNEL),
  ],
  [
    'The internet is reached through the tunnel aaisp as 203.0.113.10, for 1 h.',
    sampleStatus({ aaisp: UP, spare: sampleTunnel({ state: 'disabled' }) }, { ...OVER_TUNNEL, ipv6: null }),
  ],
  [
    'The internet is reached through the backup tunnel spare as 203.0.113.10 and 2001:db8::1, for 1 h; the tunnel aaisp dials again in 12 s (the LNS refused user name or password (chap)).',
    sampleStatus(
      { aaisp: sampleTunnel({ ...FAILED, retry_at: '2026-03-01T12:00:12Z' }), spare: UP },
      { ...OVER_TUNNEL, state: 'backup', path: 'spare' },
    ),
  ],
  [
    'The internet is reached over fibre without a tunnel, for 1 h; the tunnel aaisp dials l2tp.aa.net.uk (the LNS refused user name or password (chap)).',
    sampleStatus(
      { aaisp: sampleTunnel({ ...FAILED, state: 'dialling', server: 'l2tp.aa.net.uk' }) },
      OVER_FIBRE,
    ),
  ],
  [
    'The internet is reached over fibre without a tunnel, for 1 h; the tunnel aaisp logs in; 1 more tunnel is not up.',
    sampleStatus(
      { aaisp: sampleTunnel({ state: 'authenticating' }), b: sampleTunnel({ state: 'resolving' }) },
      OVER_FIBRE,
    ),
  ],
  [
    'The internet is reached over fibre.',
    sampleStatus({ aaisp: sampleTunnel({ state: 'disabled' }) }, { ...OVER_FIBRE, state: 'ok' }),
  ],
  [
    'No tunnel and no known uplink is up; the tunnel aaisp waits for an uplink.',
    sampleStatus({ aaisp: sampleTunnel(FAILED) }),
  ],
  [
    'No tunnel and no known uplink is up; the tunnel aaisp waits for an uplink (the uplink lte went down).',
    sampleStatus({
      aaisp: sampleTunnel({
        last_error: { code: 'uplink_lost', message: 'the uplink lte went down', at: '2026-03-01T11:59:00Z' },
      }),
    }),
  ],
  [
    'No tunnel and no known uplink is up; the tunnel aaisp dials again now.',
    sampleStatus({ aaisp: sampleTunnel({ retry_at: '2026-03-01T11:59:59Z' }) }),
  ],
  [
    'No tunnel and no known uplink is up; the tunnel aaisp is switched off.',
    sampleStatus({ aaisp: sampleTunnel({ state: 'disabled' }) }),
  ],
  [
    'No tunnel and no known uplink is up; the tunnel aaisp looks up the address of its server.',
    sampleStatus({ aaisp: sampleTunnel({ state: 'resolving' }) }),
  ],
  [
    'No tunnel and no known uplink is up; the tunnel aaisp is being given its addresses.',
    sampleStatus({ aaisp: sampleTunnel({ state: 'configuring' }) }),
  ],
  [
    'No tunnel and no known uplink is up; the tunnel aaisp hangs up; 2 more tunnels are not up.',
    sampleStatus({
      aaisp: sampleTunnel({ state: 'closing' }),
      b: sampleTunnel(),
      c: sampleTunnel({ state: 'dialling' }),
      d: sampleTunnel({ state: 'disabled' }),
    }),
  ],
  [
    'The internet is reached over constructor without a tunnel, for 1 h; the tunnel aaisp hangs up.',
    sampleStatus({ aaisp: sampleTunnel({ state: 'closing' }) }, { ...OVER_FIBRE, path: 'constructor' }),
  ],
]

test('the sentence', () => {
  for (const [sentence, status] of SENTENCES) assert.equal(statusSentence(status, NOW), sentence)
})

test('the whole text of a tunnel that is up', () => {
  const status = sampleStatus({ aaisp: { ...UP, last_error: WRONG_PASSWORD } }, OVER_TUNNEL, {
    fibre: { device: 'eth0', state: 'up', addresses: ['192.0.2.7/24', 'fe80::2/64'], budget: null },
    wwan0: { device: 'wwan0', state: 'no_address', addresses: [], budget: null },
    cable: { device: 'eth1', state: 'no_address', addresses: ['100.64.0.2'], budget: null },
  })
  assert.equal(
    statusText(status, NOW),
    `The internet is reached through the tunnel aaisp as 203.0.113.10 and 2001:db8::1, for 1 h.

tunnel aaisp: up for 2 d 2 h
  device      l2tp-aaisp, over fibre, data path thread
  server      l2tp.aa.net.uk (194.4.172.12), calls itself a.gormless, FireBrick
  IPv4        203.0.113.10, peer 203.0.113.1
  IPv6        2001:db8::1/64, fe80::1/64
  DNS         198.51.100.53, 198.51.100.54
  session     local 4711/23 peer 9/10, login by chap, MTU 1462
  round trip  8.3 ms, 1.3 % lost
  received    999 B in 1 packet
  sent        1.2 GB in 123456 packets, 3 dropped
  last error  12 s ago: the LNS refused user name or password (chap)

uplink fibre on eth0: up, 192.0.2.7/24, fe80::2/64
uplink wwan0: no address
uplink cable on eth1: not the address of option source, but 100.64.0.2
`,
  )
})

test('the whole text of a tunnel that waits', () => {
  const waiting = sampleTunnel({ ...FAILED, retry_at: '2026-03-01T12:00:12Z' })
  assert.equal(
    statusText(sampleStatus({ aaisp: waiting }), NOW),
    `No tunnel and no known uplink is up; the tunnel aaisp dials again in 12 s (the LNS refused user name or password (chap)).

tunnel aaisp: waiting for 12 s
  device      l2tp-aaisp
  retry       in 12 s, 3 tried
  last error  12 s ago: the LNS refused user name or password (chap)
`,
  )
})

test('only states are painted loudly', () => {
  const painted: string[] = []
  const status = sampleStatus(
    { aaisp: UP, b: sampleTunnel() },
    {},
    { x: { device: 'x', state: 'absent', addresses: [], budget: null } },
  )
  statusText(status, NOW, (tone, text) => {
    if (tone !== 'quiet') painted.push(`${tone} ${text}`)
    return text
  })
  assert.deepEqual(painted, ['good up', 'bad waiting', 'bad absent'])
})

test('spans', () => {
  const spans: [number, string][] = [
    [-5, '0 s'],
    [499, '0 s'],
    [1500, '2 s'],
    [60_000, '1 min'],
    [3_599_000, '59 min 59 s'],
    [3_600_000, '1 h'],
    [3_605_000, '1 h'],
    [90_000_000, '1 d 1 h'],
    [86_400_000 * 400, '400 d'],
  ]
  for (const [ms, text] of spans) assert.equal(formatSpan(ms), text)
})

test('octets', () => {
  const amounts: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [999_949, '999.9 kB'],
    [999_950, '1.0 MB'],
    [1_500_000, '1.5 MB'],
    [2 ** 53, '9.0 PB'],
  ]
  for (const [octets, text] of amounts) assert.equal(formatOctets(octets), text)
})

test('how often was dialled is told of what is being retried, not of the standby whose LNS answered', () => {
  const told = (tunnel: Parameters<typeof sampleTunnel>[0]) =>
    /tried/.test(statusText(sampleStatus({ aaisp: sampleTunnel(tunnel) }, OVER_FIBRE), NOW))
  assert.equal(told({ state: 'waiting', attempts: 8 }), false)
  assert.equal(told({ state: 'dialling', attempts: 1 }), false)
  assert.equal(told({ state: 'dialling', attempts: 2 }), true)
  assert.equal(told({ state: 'waiting', attempts: 1, retry_at: '2026-03-01T12:00:12Z' }), true)
})
