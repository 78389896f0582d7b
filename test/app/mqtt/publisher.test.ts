import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_EVENTS } from '../../../src/app/mqtt/events.ts'
import { MemoryFiles } from '../../memory-files.ts'
import { HOME, Setup, TUNNEL } from './setup.ts'

const BASE = 'lifeline/router'
const STATE = `${BASE}/tunnel/aaisp/state`
const DISCOVERY = 'homeassistant/device/lifeline_router/config'
const COMMANDS = { ...HOME, commands: ['up', 'down', 'reconnect'] }

test('connecting tells everything: status first, then discovery, states and statistics', async () => {
  const setup = new Setup()
  await setup.begin({ mqtt: { home: HOME }, tunnel: { aaisp: TUNNEL }, uplink: { lte: { device: 'wwan0' } } })
  assert.deepEqual(
    setup.broker.published.map(({ topic, retain, qos }) => `${topic} ${retain} ${qos}`),
    [
      `${BASE}/status true 1`,
      `${DISCOVERY} true 1`,
      `${BASE}/state true 1`,
      `${STATE} true 1`,
      `${BASE}/uplink/lte/state true 1`,
      `${BASE}/tunnel/aaisp/stats false 0`,
      `${BASE}/uplink/lte/stats false 0`,
    ],
  )
  const { will, clientId } = setup.broker.options ?? {}
  assert.equal(clientId, 'lifeline-router-c0ffee', 'names of hosts are not unique')
  assert.deepEqual(will, { topic: `${BASE}/status`, payload: 'offline', qos: 1, retain: true })
  assert.deepEqual(setup.broker.subscriptions(), ['homeassistant/status'])
})

test('nothing is told to entities that Home Assistant is still to make, events neither', async () => {
  const setup = new Setup()
  setup.configure()
  setup.status.event('failover', { from: 'fibre', to: 'lte', cause: 'fibre: no carrier', outage_ms: 1 })
  await setup.time.pass(900)
  const topics = () => setup.broker.published.map(({ topic }) => topic)
  assert.deepEqual(topics(), [`${BASE}/status`, DISCOVERY])
  await setup.time.pass(200)
  assert.ok(topics().includes(`${BASE}/event`))
  const plain = new Setup()
  plain.configure({ mqtt: { home: { ...HOME, discovery: 0 } }, tunnel: { aaisp: TUNNEL } })
  await plain.time.pass(10)
  assert.ok(plain.broker.retained.has(STATE), 'without discovery there is nobody to wait for')
})

test('two clients of one name at a broker: both back off, and the log says which name it is', async () => {
  const setup = new Setup()
  await setup.begin()
  const rivals: number[] = []
  // Whenever we are in for a while the other one comes back, as it backs off like us.
  const begun = setup.time.now()
  for (let wait = 1000; setup.time.now() < begun + 3600_000; wait = Math.min(wait * 2, 60_000)) {
    await setup.time.pass(wait)
    if (!setup.broker.connected) continue
    rivals.push(setup.time.now())
    setup.broker.drop({ code: 'taken_over', clientId: 'lifeline-router-c0ffee' })
  }
  const within = (span: number) => setup.broker.attempts.filter((at) => at - begun < span).length
  assert.ok(within(30_000) <= 3, `${within(30_000)} attempts in 30 s`)
  assert.ok(within(3600_000) <= 80, `${within(3600_000)} attempts in an hour`)
  const warned = setup.log.entries.filter(({ level }) => level === 'warn')
  assert.equal(warned.length, 1, 'told once')
  assert.equal(warned[0]?.fields.client_id, 'lifeline-router-c0ffee')
  assert.match(
    String(warned[0]?.fields.cause),
    /another client came with the client id .*: set option client_id/,
  )
})

test('so where the broker gives no reason, as by MQTT 3.1.1; a connection that lived begins anew', async () => {
  const setup = new Setup()
  await setup.begin()
  for (let i = 0; i < 4; i++) {
    setup.broker.drop({ code: 'closed' })
    await setup.time.pass(100)
    const tried = setup.broker.attempts.length
    await setup.time.pass(i < 1 ? 1_000 : 25_000)
    assert.equal(setup.broker.attempts.length - tried, i < 1 ? 1 : 0, `loss ${i + 1}`)
    await setup.time.pass(36_000)
    assert.ok(setup.broker.connected)
  }
  const warned = setup.log.entries.filter(({ level }) => level === 'warn')
  assert.equal(warned[0]?.fields.client_id, 'lifeline-router-c0ffee')
  await setup.time.pass(120_000)
  setup.broker.drop({ code: 'closed' })
  await setup.time.pass(1_100)
  assert.ok(setup.broker.connected, 'it had lived')
})

test('a change goes out at once, the event before the state', async () => {
  const setup = new Setup()
  await setup.begin()
  const before = setup.broker.published.length
  const at = setup.time.now()
  setup.status.tunnel('aaisp', { state: 'up', uplink: 'lte' })
  await setup.time.pass(0)
  const sent = setup.broker.published.slice(before)
  assert.deepEqual(
    sent.map(({ topic }) => topic),
    [`${BASE}/event`, `${BASE}/event`, `${BASE}/state`, STATE],
  )
  assert.ok(sent.every((message) => message.at === at))
  const [up, internet] = setup.broker.events()
  assert.deepEqual(up, { event_type: 'tunnel_up', at: setup.time.wall().toISOString(), tunnel: 'aaisp' })
  assert.equal(internet?.event_type, 'internet')
})

test('a topic is told at most every 200 ms, and the last state is never lost', async () => {
  const setup = new Setup()
  await setup.begin()
  const before = setup.broker.on(STATE).length
  for (let i = 1; i <= 1000; i++) {
    setup.status.tunnel('aaisp', { mtu: 1000 + i })
    await setup.time.pass(1)
  }
  await setup.time.pass(500)
  const sent = setup.broker.on(STATE).slice(before)
  assert.equal(sent.length, 6)
  for (const [i, message] of sent.entries()) if (i > 0) assert.ok(message.at - (sent[i - 1]?.at ?? 0) >= 200)
  assert.equal(JSON.parse(sent.at(-1)?.payload ?? '').mtu, 2000)
})

test('nothing is told where nothing changed', async () => {
  const setup = new Setup()
  await setup.begin()
  const before = setup.broker.published.length
  for (let i = 0; i < 20; i++) {
    setup.status.tunnel('aaisp', { rtt_ms: i, loss: 0.1, attempts: i })
    await setup.time.pass(1000)
  }
  assert.equal(setup.broker.published.length, before)
})

test('a broker that acknowledges slowly gets the latest state and no queue', async () => {
  const setup = new Setup()
  await setup.begin()
  setup.broker.latency = 5000
  const before = setup.broker.on(STATE).length
  for (let i = 1; i <= 100; i++) {
    setup.status.tunnel('aaisp', { mtu: 1000 + i })
    await setup.time.pass(100)
  }
  await setup.time.pass(10_000)
  const mtus = setup.broker
    .on(STATE)
    .slice(before)
    .map(({ payload }) => JSON.parse(payload).mtu)
  assert.deepEqual(mtus, [1001, 1050, 1100])
})

test('after an outage states are current, and the events in between follow in their order', async () => {
  const setup = new Setup()
  await setup.begin()
  setup.broker.refusal = { code: 'refused', broker: 'ha.lan:1883' }
  setup.broker.drop()
  assert.equal(setup.broker.retained.get(`${BASE}/status`), 'offline')
  setup.status.tunnel('aaisp', { state: 'up' })
  await setup.time.pass(60_000)
  setup.status.failed('aaisp', { code: 'silent', seconds: 10 })
  setup.status.tunnel('aaisp', { state: 'waiting' })
  const before = setup.broker.published.length
  setup.broker.refusal = undefined
  await setup.time.pass(61_000)
  assert.equal(setup.broker.retained.get(`${BASE}/status`), 'online')
  assert.equal(JSON.parse(setup.broker.retained.get(STATE) ?? '').state, 'waiting')
  const types = setup.broker.events().map(({ event_type }) => event_type)
  assert.deepEqual(types, ['tunnel_up', 'internet', 'tunnel_failed', 'tunnel_down', 'internet'])
  assert.match(String(setup.broker.events()[3]?.cause), /nothing arrived from the LNS for 10 s/)
  const topics = setup.broker.published.slice(before).map(({ topic }) => topic)
  assert.ok(topics.indexOf(STATE) < topics.indexOf(`${BASE}/event`))
})

test('events that were under way when the connection broke are told again', async () => {
  const setup = new Setup()
  await setup.begin()
  setup.broker.latency = undefined
  setup.status.event('budget', { uplink: 'lte', percent: 80, used: 4, limit: 5 })
  await setup.time.pass(10)
  setup.broker.latency = 1
  setup.broker.drop()
  await setup.time.pass(5000)
  assert.deepEqual(
    setup.broker.events().map(({ event_type, percent }) => [event_type, percent]),
    [
      ['budget_warning', 80],
      ['budget_warning', 80],
    ],
  )
})

test('of too many events the oldest are dropped, and their number is told first', async () => {
  const setup = new Setup()
  setup.broker.refusal = { code: 'refused', broker: 'ha.lan:1883' }
  await setup.begin()
  for (let i = 0; i < MAX_EVENTS + 25; i++) setup.status.event('reloaded', { changes: [`change ${i}`] })
  setup.broker.refusal = undefined
  await setup.time.pass(61_000)
  const events = setup.broker.events()
  assert.equal(events.length, MAX_EVENTS + 1)
  assert.deepEqual([events[0]?.event_type, events[0]?.dropped], ['events_dropped', 25])
  assert.deepEqual(
    [events[1]?.changes, events.at(-1)?.changes],
    [['change 25'], [`change ${MAX_EVENTS + 24}`]],
  )
})

test('attempts back off to a minute, and the log is told once', async () => {
  const setup = new Setup()
  setup.broker.refusal = { code: 'login' }
  await setup.begin()
  await setup.time.pass(600_000)
  const gaps = setup.broker.attempts.slice(1).map((at, i) => at - (setup.broker.attempts[i] ?? 0))
  assert.ok((gaps[0] ?? 0) < 1100)
  assert.ok(gaps.every((gap) => gap >= 800 && gap <= 60_010))
  assert.ok(gaps.slice(7).every((gap) => gap >= 48_000))
  assert.deepEqual(setup.said('warn'), [
    'no connection to the broker: the broker refused user name or password',
  ])
})

test('a new path to the internet makes a waiting attempt come at once', async () => {
  const setup = new Setup()
  setup.broker.refusal = { code: 'unreachable', broker: 'ha.lan:1883', cause: 'there is no network' }
  await setup.begin()
  await setup.time.pass(300_000)
  const before = setup.broker.attempts.length
  await setup.time.pass(1500)
  if (setup.broker.attempts.length > before) await setup.time.pass(1500)
  const quiet = setup.broker.attempts.length
  setup.broker.refusal = undefined
  setup.status.tunnel('aaisp', { state: 'up' })
  await setup.time.pass(10)
  assert.equal(setup.broker.attempts.length, quiet + 1)
  assert.ok(setup.broker.connected)
})

test('a clock that is not set is told, and the connection is tried when it jumps', async () => {
  const setup = new Setup()
  setup.broker.refusal = { code: 'clock_not_set' }
  await setup.begin()
  await setup.time.pass(300_000)
  assert.match(setup.said('warn')[0] ?? '', /clock not set/)
  setup.broker.refusal = undefined
  const before = setup.broker.attempts.length
  setup.time.wallOffset += 3600_000
  await setup.time.pass(1100)
  assert.equal(setup.broker.attempts.length, before + 1)
  assert.ok(setup.broker.connected)
})

test('statistics come at the interval, with rates over it', async () => {
  const setup = new Setup()
  await setup.begin()
  const traffic = { packets: 1, octets: 0, dropped: 0 }
  setup.status.tunnel('aaisp', {
    state: 'up',
    rx: { ...traffic, octets: 3_750_000 },
    tx: { ...traffic, octets: 37_500 },
    rtt_ms: 12.5,
    loss: 0.05,
    jitter_ms: 1.25,
  })
  await setup.time.pass(30_000)
  const [first, second, ...more] = setup.broker.on(`${BASE}/tunnel/aaisp/stats`)
  assert.equal(more.length, 0)
  assert.equal((second?.at ?? 0) - (first?.at ?? 0), 30_000)
  assert.equal(JSON.parse(first?.payload ?? '').rx_rate, null)
  const { at, ...stats } = JSON.parse(second?.payload ?? '')
  assert.match(at, /^2026-01-01T00:00:3/)
  assert.deepEqual(stats, {
    rx_rate: 1_000_000,
    tx_rate: 10_000,
    rx_octets: 3_750_000,
    tx_octets: 37_500,
    rtt_ms: 12.5,
    jitter_ms: 1.25,
    loss: 5,
  })
})

test('uplinks have rates and volumes of their own, as the kernel counts their devices', async () => {
  const setup = new Setup()
  setup.traffic.set('wwan0', { receivedOctets: 1000, receivedPackets: 1, sentOctets: 500 })
  await setup.begin({ mqtt: { home: HOME }, uplink: { lte: { device: 'wwan0' }, off: { device: 'eth9' } } })
  setup.traffic.set('wwan0', { receivedOctets: 3_751_000, receivedPackets: 9, sentOctets: 38_000 })
  await setup.time.pass(29_000)
  const last = (name: string) =>
    JSON.parse(setup.broker.on(`${BASE}/uplink/${name}/stats`).at(-1)?.payload ?? '')
  const { rx_rate, tx_rate, rx_octets, tx_octets } = last('lte')
  assert.deepEqual([rx_rate, tx_rate, rx_octets, tx_octets], [1_000_000, 10_000, 3_751_000, 38_000])
  assert.deepEqual([last('off').rx_rate, last('off').rx_octets], [null, null])
})

test('Home Assistant is told again some seconds after it has started, not at once', async () => {
  const setup = new Setup()
  await setup.begin()
  const before = setup.broker.published.length
  setup.broker.send('homeassistant/status', 'offline')
  setup.broker.send('homeassistant/status', 'online', true)
  await setup.time.pass(10_000)
  assert.equal(setup.broker.published.length, before)
  setup.broker.send('homeassistant/status', 'online')
  await setup.time.pass(900)
  assert.equal(setup.broker.published.length, before)
  await setup.time.pass(4200)
  const topics = setup.broker.published.slice(before).map(({ topic }) => topic)
  assert.deepEqual(topics, [DISCOVERY, `${BASE}/tunnel/aaisp/stats`, `${BASE}/state`, STATE])
})

test('entities and states that the configuration no longer has are taken back, after a restart too', async () => {
  const setup = new Setup()
  await setup.begin({ mqtt: { home: HOME }, tunnel: { aaisp: TUNNEL, old: TUNNEL } })
  const components = () => JSON.parse(setup.broker.retained.get(DISCOVERY) ?? '').components
  assert.ok(components().old_works.unique_id)
  assert.ok(setup.broker.retained.has(`${BASE}/tunnel/old/state`))
  await setup.begin({ mqtt: { home: HOME }, tunnel: { aaisp: TUNNEL } })
  assert.deepEqual(components().old_works, { platform: 'binary_sensor' })
  assert.deepEqual(components().old_state, { platform: 'sensor' })
  assert.ok(components().aaisp_works.unique_id)
  assert.ok(!setup.broker.retained.has(`${BASE}/tunnel/old/state`))

  const later = new Setup(1, new MemoryFiles(setup.files.texts))
  for (const [topic, payload] of setup.broker.retained) later.broker.retained.set(topic, payload)
  await later.begin({ mqtt: { home: HOME }, tunnel: { another: TUNNEL } })
  const after = JSON.parse(later.broker.retained.get(DISCOVERY) ?? '').components
  assert.deepEqual(after.aaisp_works, { platform: 'binary_sensor' })
  assert.deepEqual(after.old_works, { platform: 'binary_sensor' })
  assert.ok(!later.broker.retained.has(STATE))
})

test('another name of the node takes the old device and its topics back', async () => {
  const setup = new Setup()
  await setup.begin()
  await setup.begin({
    lifeline: { main: { node: 'gate' } },
    mqtt: { home: HOME },
    tunnel: { aaisp: TUNNEL },
  })
  const topics = [...setup.broker.retained.keys()]
  assert.ok(topics.includes('homeassistant/device/lifeline_gate/config'))
  assert.deepEqual(
    topics.filter((topic) => topic.includes('router')),
    [],
  )
})

test('discovery that is switched off takes the device back', async () => {
  const setup = new Setup()
  await setup.begin()
  await setup.begin({ mqtt: { home: { ...HOME, discovery: 0 } }, tunnel: { aaisp: TUNNEL } })
  assert.ok(!setup.broker.retained.has(DISCOVERY))
  assert.ok(setup.broker.retained.has(STATE))
  assert.deepEqual(setup.broker.subscriptions(), [])
})

test('a reload touches only brokers that changed', async () => {
  const setup = new Setup()
  await setup.begin()
  const attempts = setup.broker.attempts.length
  setup.configure({ mqtt: { home: HOME }, tunnel: { aaisp: { ...TUNNEL, mtu: 1400 } } })
  await setup.time.pass(5000)
  assert.equal(setup.broker.attempts.length, attempts)
  setup.configure({ mqtt: { home: { ...HOME, base_topic: 'house' } }, tunnel: { aaisp: TUNNEL } })
  await setup.time.pass(5000)
  assert.equal(setup.broker.attempts.length, attempts + 1)
  assert.equal(setup.broker.retained.get('house/status'), 'online')
  setup.configure({ tunnel: { aaisp: TUNNEL } })
  await setup.time.pass(5000)
  assert.ok(!setup.broker.connected)
  assert.equal(setup.broker.retained.get('house/status'), 'offline')
})

test('stopping says offline and leaves nothing armed', async () => {
  const setup = new Setup()
  await setup.begin()
  await setup.publishers.stop()
  assert.equal(setup.broker.retained.get(`${BASE}/status`), 'offline')
  assert.ok(!setup.broker.connected)
  await setup.time.pass(10)
  assert.equal(setup.time.armed, 0)
  setup.status.tunnel('aaisp', { state: 'up' })
  await setup.time.pass(60_000)
  assert.ok(!setup.broker.connected)
})

test('stopping while connecting or waiting ends that', async () => {
  for (const wait of [1, 500]) {
    const setup = new Setup()
    setup.broker.refusal = { code: 'refused', broker: 'ha.lan:1883' }
    setup.configure()
    await setup.time.pass(wait)
    await setup.publishers.stop()
    const attempts = setup.broker.attempts.length
    await setup.time.pass(120_000)
    assert.equal(setup.broker.attempts.length, attempts)
  }
})

test('topics that the broker does not allow are told once and do no harm', async () => {
  const setup = new Setup()
  setup.broker.forbidden = (topic) => topic.startsWith('homeassistant/') || topic === `${BASE}/event`
  await setup.begin()
  for (let i = 0; i < 5; i++) setup.status.event('reloaded', { changes: [`change ${i}`] })
  setup.status.tunnel('aaisp', { state: 'up' })
  await setup.time.pass(60_000)
  assert.deepEqual(
    setup.said('warn').map((line) => /topic (\S+):/.exec(line)?.[1]),
    [DISCOVERY, `${BASE}/event`],
  )
  assert.equal(JSON.parse(setup.broker.retained.get(STATE) ?? '').state, 'up')
})

test('commands are carried out and answered', async () => {
  const setup = new Setup()
  await setup.begin({ mqtt: { home: COMMANDS }, tunnel: { aaisp: TUNNEL } })
  assert.ok(setup.broker.subscriptions().includes(`${BASE}/cmd/#`))
  setup.broker.send(`${BASE}/cmd/reconnect`, '{"tunnel":"aaisp"}')
  setup.broker.send(`${BASE}/cmd`, '{"command":"down","tunnel":"aaisp"}')
  await setup.time.pass(10)
  setup.refusal = 'not now'
  setup.broker.send(`${BASE}/cmd/up`, '{"tunnel":"aaisp"}')
  await setup.time.pass(10)
  assert.deepEqual(setup.commands, ['reconnect aaisp', 'down aaisp', 'up aaisp'])
  assert.deepEqual(
    setup.broker.events().map(({ at: _at, ...event }) => event),
    [
      { event_type: 'command_done', command: 'reconnect', tunnel: 'aaisp' },
      { event_type: 'command_done', command: 'down', tunnel: 'aaisp' },
      { event_type: 'command_refused', command: 'up', tunnel: 'aaisp', message: 'not now' },
    ],
  )
})

test('retained commands are never obeyed', async () => {
  const setup = new Setup()
  await setup.begin({ mqtt: { home: COMMANDS }, tunnel: { aaisp: TUNNEL } })
  for (let i = 0; i < 3; i++) setup.broker.send(`${BASE}/cmd/reconnect`, '{"tunnel":"aaisp"}', true)
  await setup.time.pass(10)
  assert.deepEqual(setup.commands, [])
  assert.deepEqual(setup.broker.events(), [])
  assert.deepEqual(setup.said('warn'), ['a retained command is never obeyed'])
})

test('commands that are wrong, unknown or not allowed are refused with a reason', async () => {
  const setup = new Setup()
  await setup.begin({ mqtt: { home: { ...HOME, commands: ['up'] } }, tunnel: { aaisp: TUNNEL } })
  for (const [topic, payload] of [
    ['down', '{"tunnel":"aaisp"}'],
    ['format', '{}'],
    ['up', ''],
    ['up', 'aaisp'],
    ['up', '{"tunnel":"nowhere"}'],
    ['up', '{"tunnel":"aaisp","force":true}'],
    ['up', `{"tunnel":"${'x'.repeat(5000)}"}`],
    ['up/now', '{"tunnel":"aaisp"}'],
  ] as const)
    setup.broker.send(`${BASE}/cmd/${topic}`, payload)
  setup.broker.send(`${BASE}/cmd`, '{"tunnel":"aaisp"}')
  await setup.time.pass(100)
  assert.deepEqual(setup.commands, [])
  assert.deepEqual(
    setup.broker.events().map(({ event_type, command, message }) => `${event_type} ${command}: ${message}`),
    [
      "command_refused down: this command is not allowed over MQTT: see option 'commands'",
      'command_refused format: there is no such command',
      'command_refused up: up needs the argument tunnel: configured are aaisp',
      'command_refused up: the payload is not a JSON object',
      'command_refused up: there is no tunnel "nowhere": configured are aaisp',
      'command_refused up: up has no argument "force"',
      'command_refused up: the payload has more than 4096 octets',
      'command_refused up/now: there is no such command',
      'command_refused : the payload does not name a command',
    ],
  )
})
