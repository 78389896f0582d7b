import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FailoverStatus, PathStatus, Status, TunnelStatus } from '../../../src/core/status/status.ts'
import { statusSentence, statusText } from '../../../src/core/status/status-text.ts'
import {
  LOST_CARRIER,
  NOW,
  sampleFailover,
  samplePath,
  sampleStatus,
  sampleTunnel,
  UP,
  WRONG_PASSWORD,
} from './status-samples.ts'

const OVER_LTE: TunnelStatus = { ...UP, uplink: 'lte' }
const IDLE = sampleTunnel()
const ON_STANDBY = samplePath({ readiness: 'hot' })
const WARM = samplePath({
  readiness: 'warm',
  reason: 'stands by: its LNS answers',
  heard_at: '2026-03-01T11:59:48Z',
  rtt_ms: null,
  loss: null,
})

function status(
  failover: Partial<FailoverStatus>,
  aaisp: TunnelStatus = OVER_LTE,
  internet: Partial<Status['internet']> = { state: 'backup', path: 'aaisp' },
): Status {
  return { ...sampleStatus({ aaisp }, internet), failover: sampleFailover(failover) }
}

/** The paths as they are, but for fibre. */
function withFibre(fibre: PathStatus): Partial<FailoverStatus> {
  return { path: { ...sampleFailover().path, fibre } }
}

const ON_FIBRE = {
  backup: { path: 'aaisp', ready: true },
  active: 'fibre',
  path: { fibre: samplePath(), aaisp: WARM, lte: ON_STANDBY },
}
const REACHED = { state: 'ok', path: 'fibre' } as const
const NONE = { state: 'down', path: null } as const

const SENTENCES: readonly [string, Status][] = [
  ['On backup since 11:02: fibre lost carrier; traffic uses aaisp over lte.', status({})],
  [
    'On backup since 2026-02-28 23:59: fibre lost carrier; traffic uses aaisp over lte.',
    status({ since: '2026-02-28T23:59:59Z' }),
  ],
  [
    'On backup since 11:02: fibre has no answer from 192.0.2.53, 1.1.1.1; traffic uses aaisp over lte.',
    status(withFibre({ ...LOST_CARRIER, reason: 'no answer from 192.0.2.53, 1.1.1.1' })),
  ],
  [
    'On backup since 11:02: fibre is down (the device pppoe-aaisp does not exist); traffic uses aaisp over lte.',
    status(withFibre({ ...LOST_CARRIER, reason: 'the device pppoe-aaisp does not exist' })),
  ],
  [
    'On backup since 11:02: fibre is well again, after fibre: lost carrier; traffic uses aaisp over lte.',
    status(withFibre(ON_STANDBY)),
  ],
  [
    'On backup since 11:02: fibre is well again; traffic uses aaisp over lte.',
    status({ ...withFibre(ON_STANDBY), last_switch: null }),
  ],
  [
    'On backup since 11:02: fibre lost carrier; traffic uses lte; the tunnel aaisp dials again in 12 s (the LNS refused user name or password (chap)).',
    status(
      { active: 'lte' },
      sampleTunnel({ retry_at: '2026-03-01T12:00:12Z', last_error: WRONG_PASSWORD }),
      { state: 'backup', path: 'lte' },
    ),
  ],
  [
    'The internet is reached over fibre; aaisp stands by (warm: its LNS answered 12 s ago).',
    status(ON_FIBRE, IDLE, REACHED),
  ],
  [
    'The internet is reached over fibre; aaisp stands by (warm: its LNS answered 12 s ago); lte has no address.',
    status(
      {
        ...ON_FIBRE,
        path: {
          ...ON_FIBRE.path,
          lte: samplePath({ health: 'down', readiness: 'hot', reason: 'has no address' }),
        },
      },
      IDLE,
      REACHED,
    ),
  ],
  [
    'The internet is reached over fibre; aaisp has the address of fibre and cannot be hot.',
    status({ ...ON_FIBRE, problem: 'aaisp has the address of fibre and cannot be hot' }, IDLE, REACHED),
  ],
  ['Pinned to lte; traffic uses lte since 11:02.', status({ mode: 'lte', active: 'lte' }, IDLE)],
  [
    'There is no internet since 11:02: fibre lost carrier; lte has no address; the tunnel aaisp dials.',
    status(
      {
        active: null,
        path: {
          fibre: LOST_CARRIER,
          aaisp: samplePath({ health: 'down', reason: 'the tunnel is not up' }),
          lte: samplePath({ health: 'down', reason: 'has no address' }),
        },
      },
      sampleTunnel({ state: 'dialling' }),
      NONE,
    ),
  ],
  [
    'There is no internet since 11:02.',
    { ...sampleStatus({}, NONE), failover: sampleFailover({ active: null, path: {} }) },
  ],
]

test('the sentence', () => {
  for (const [sentence, given] of SENTENCES) assert.equal(statusSentence(given, NOW), sentence)
})

test('the sentence in the time zone of the user', () => {
  const sentence = statusSentence(status({ since: '2026-03-01T11:02:13Z' }), NOW, () => 330)
  assert.match(sentence, /^On backup since 16:32:/)
  const day = statusSentence(status({ since: '2026-02-28T23:10:00Z' }), NOW, () => 60)
  assert.match(day, /^On backup since 00:10:/)
})

test('what would take over is told as far as it is known', () => {
  const given = sampleFailover(ON_FIBRE)
  const sentence = (backup: FailoverStatus['backup'], aaisp = given.path.aaisp ?? WARM) =>
    statusSentence(status({ ...ON_FIBRE, path: { ...given.path, aaisp }, backup }, IDLE, REACHED), NOW)
  assert.match(sentence({ path: 'lte', ready: true }), /; lte stands by \(probes are answered\)\.$/)
  const cold = samplePath({ health: 'unknown', readiness: 'cold', reason: 'stands by', ready: null })
  assert.match(
    sentence({ path: 'aaisp', ready: null }, cold),
    /; aaisp stands by \(cold: its LNS is asked when/,
  )
  assert.equal(sentence(null), 'The internet is reached over fibre.')
  assert.equal(sentence({ path: 'lte', ready: false }), 'The internet is reached over fibre.')
})

test('a better path that has lost a family says so while another is in use', () => {
  const fibre = samplePath({
    readiness: 'hot',
    lost: ['ipv6'],
    ipv6: 'down',
    reason: 'lost IPv6: no answer from 2001:db8::1',
  })
  const text = statusSentence(status(withFibre(fibre)), NOW)
  assert.match(text, /fibre lost IPv6: no answer from 2001:db8::1; traffic uses aaisp over lte/)
})

test('a tunnel outside failover is told of as ever', () => {
  const given = status(ON_FIBRE, IDLE, REACHED)
  const text = statusSentence(
    { ...given, tunnel: { ...given.tunnel, mail: sampleTunnel({ state: 'resolving' }) } },
    NOW,
  )
  assert.equal(
    text,
    'The internet is reached over fibre; aaisp stands by (warm: its LNS answered 12 s ago); the tunnel mail looks up the address of its server.',
  )
})

test('the whole text', () => {
  const uplink = {
    fibre: { device: 'pppoe-aaisp', state: 'down', addresses: [], budget: null },
    lte: {
      device: 'wan-4g',
      state: 'up',
      addresses: ['100.64.0.2/32'],
      budget: { used: 4_210_000_000, limit: 5_000_000_000, period_start: '2026-03-01' },
    },
    usb: {
      device: 'usb',
      state: 'absent',
      addresses: [],
      budget: { used: 1500, limit: null, period_start: null },
    },
  } as const
  const text = statusText({ ...status({}), uplink }, NOW)
  const [sentence, failover, tunnel, uplinks, ...more] = text.split('\n\n')
  assert.equal(sentence, 'On backup since 11:02: fibre lost carrier; traffic uses aaisp over lte.')
  assert.equal(
    failover,
    `failover: aaisp for 57 min 47 s
  fibre       down, hot, 8.3 ms, 100.0 % lost, lost carrier
  aaisp       up, active, 48.1 ms, no loss
  lte         up, hot, 46.0 ms, 1.3 % lost
  last switch 11:02 from fibre to aaisp after 0.41 s (fibre: lost carrier)`,
  )
  assert.match(tunnel ?? '', /^tunnel aaisp: up for/)
  assert.equal(
    uplinks,
    `uplink fibre on pppoe-aaisp: down
uplink lte on wan-4g: up, 100.64.0.2/32, 4.2 GB of 5.0 GB (84 %) used since 2026-03-01
uplink usb: absent, 1.5 kB used
`,
  )
  assert.deepEqual(more, [])
})

test('a tunnel that stands by as it should reads calm, one that waits for something does not', () => {
  const line = (tunnel: Partial<TunnelStatus>) =>
    /^tunnel aaisp: .*? for/m.exec(statusText(status(ON_FIBRE, sampleTunnel(tunnel), REACHED), NOW))?.[0]
  assert.equal(line({ state: 'waiting' }), 'tunnel aaisp: stands by for')
  assert.equal(line({ state: 'waiting', retry_at: '2026-03-01T12:00:09Z' }), 'tunnel aaisp: waiting for')
  assert.equal(line({ state: 'dialling' }), 'tunnel aaisp: dialling for')
})

test('the text of a pinned path, and of none', () => {
  const pinned = statusText(status({ mode: 'lte', active: 'lte', last_switch: null }), NOW)
  assert.match(pinned, /^failover: lte for 57 min 47 s, pinned\n(.*\n){3}\n/m)
  const none = status({ active: null, path: { a_rather_long_name: LOST_CARRIER } })
  assert.match(statusText(none, NOW), /^failover: no path\n {2}a_rather_long_name down, hot/m)
})
