/** What Home Assistant makes of the messages, in the order in which they come. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toldPath } from '../../core/status/status-samples.ts'
import { MemoryFiles } from '../../memory-files.ts'
import { HomeAssistant } from './home-assistant.ts'
import { configOf, HOME, Setup, TUNNEL } from './setup.ts'

const BASE = 'lifeline/router'
const DISCOVERY = 'homeassistant/device/lifeline_router/config'
const MQTT = { mqtt: { home: HOME } }
const UPLINKS = { fibre: { device: 'eth0' }, lte: { device: 'wwan0' } }
const CHOICE = { mqtt: { home: { ...HOME, commands: ['use'] } } }
const path = (health: 'up' | 'down' | 'unknown') =>
  toldPath({ health, readiness: 'hot', reason: '', rtt_ms: null, loss: null, ipv6: 'unknown', ready: null })

/** Another time after the announcement each, in which entities are as they were before. */
const DELAYS = [0, 1, 150, 300, 990]

/** No error in any Home Assistant, however long it works on an announcement; the last of them. */
function assertCalm(setup: Setup): HomeAssistant {
  let house = new HomeAssistant(0)
  for (const delay of DELAYS) {
    house = new HomeAssistant(delay)
    house.hear(setup.broker.published)
    assert.deepEqual(house.errors, [], `${delay} ms`)
  }
  return house
}

test('without failover the active path is no enum: the default route moves to a device that nobody named', async () => {
  const setup = new Setup()
  await setup.begin({ ...MQTT, tunnel: { aaisp: TUNNEL } })
  const devices = ['eth0', 'wwan7', 'usb0']
  for (const [i, device] of devices.entries()) {
    setup.status.removeUplink(devices[i - 1] ?? '')
    setup.status.uplink(device, { device, state: 'up', addresses: ['192.0.2.7/24'] })
    await setup.time.pass(50)
  }
  await setup.time.pass(5000)
  const house = assertCalm(setup)
  assert.equal(house.state('active_path'), 'usb0')
  assert.equal(house.entities.get('active_path')?.config.options, undefined)
})

test('paths that are renamed while traffic is on one: options and state never contradict each other', async () => {
  const setup = new Setup()
  const failover = (...names: readonly string[]) => ({ failover: { way: { path: names } } })
  const at = (active: string, mode: string, ...names: readonly string[]) =>
    setup.status.failover({
      mode,
      active,
      problem: null,
      path: Object.fromEntries(names.map((name) => [name, path('up')])),
    })
  setup.configure({ ...CHOICE, uplink: UPLINKS, tunnel: { aaisp: TUNNEL }, ...failover('fibre', 'lte') })
  at('lte', 'lte', 'fibre', 'lte')
  await setup.time.pass(5000)
  const renamed = { fibre: { device: 'eth0' }, mobile: { device: 'wwan0' } }
  setup.configure({ ...CHOICE, uplink: renamed, tunnel: { aaisp: TUNNEL }, ...failover('fibre', 'mobile') })
  await setup.time.pass(30)
  at('mobile', 'mobile', 'fibre', 'mobile')
  await setup.time.pass(5000)
  const house = assertCalm(setup)
  assert.equal(house.state('active_path'), 'mobile')
  assert.equal(house.state('path'), 'mobile')
  assert.deepEqual(house.entities.get('active_path')?.config.options, ['none', 'fibre', 'mobile'])
  assert.deepEqual(house.entities.get('path')?.config.options, ['auto', 'fibre', 'mobile'])
})

test('the same over a restart, of which only what the broker and the state directory keep is left', async () => {
  const first = new Setup()
  const content = (lte: string) => ({
    ...CHOICE,
    uplink: { fibre: { device: 'eth0' }, [lte]: { device: 'wwan0' } },
    tunnel: { aaisp: TUNNEL },
    failover: { way: { path: ['fibre', lte] } },
  })
  const show = (setup: Setup, lte: string) =>
    setup.status.failover({
      mode: lte,
      active: lte,
      problem: null,
      path: { fibre: path('up'), [lte]: path('up') },
    })
  first.configure(content('lte'))
  show(first, 'lte')
  await first.time.pass(5000)
  await first.publishers.stop()
  const second = new Setup(1, new MemoryFiles(first.files.texts))
  second.configure(content('mobile'))
  show(second, 'mobile')
  await second.time.pass(5000)
  const later = second.broker.published.map((message) => ({ ...message, at: message.at + 60_000 }))
  for (const delay of DELAYS) {
    const house = new HomeAssistant(delay)
    house.hear([...first.broker.published, ...later])
    assert.deepEqual(house.errors, [], `${delay} ms`)
    assert.deepEqual(house.entities.get('path')?.config.options, ['auto', 'fibre', 'mobile'])
  }
})

/** When a message with this payload came on a topic, in ms; undefined if none did. */
function when(setup: Setup, topic: string, matches: (payload: string) => boolean): number | undefined {
  return setup.broker
    .on(topic)
    .filter(({ payload }) => matches(payload))
    .at(-1)?.at
}

const gone = (id: string) => (payload: string) =>
  payload !== '' && JSON.stringify(JSON.parse(payload).components[id]) === '{"platform":"binary_sensor"}'

test('what is removed: first the entities, their topics a second later; on reload', async () => {
  const setup = new Setup()
  await setup.begin({ ...MQTT, tunnel: { aaisp: TUNNEL, old: TUNNEL } })
  setup.configure({ ...MQTT, tunnel: { aaisp: TUNNEL } })
  await setup.time.pass(5000)
  const announced = when(setup, DISCOVERY, gone('old_works')) ?? Number.NaN
  const emptied = when(setup, `${BASE}/tunnel/old/state`, (payload) => payload === '') ?? Number.NaN
  assert.ok(emptied - announced >= 1000 && emptied - announced < 1500, `${emptied - announced} ms`)
  assertCalm(setup)
  assert.doesNotMatch(setup.files.texts.get('mqtt-home.json') ?? '', /tunnel\/old/)
})

test('also where the status is rid of it a little before the configuration is', async () => {
  const setup = new Setup()
  await setup.begin({ ...MQTT, tunnel: { aaisp: TUNNEL, old: TUNNEL } })
  const next = { ...MQTT, tunnel: { aaisp: TUNNEL } }
  const { tunnels, uplinks } = configOf(next)
  setup.status.configure({ node: 'router', tunnels, uplinks })
  await setup.time.pass(100)
  setup.configure(next)
  await setup.time.pass(5000)
  assertCalm(setup)
  assert.ok(!setup.broker.retained.has(`${BASE}/tunnel/old/state`))
})

test('and on restart, also where the connection breaks in the second between', async () => {
  for (const broken of [false, true]) {
    const first = new Setup()
    await first.begin({ ...MQTT, tunnel: { aaisp: TUNNEL, old: TUNNEL } })
    await first.publishers.stop()
    const second = new Setup(1, new MemoryFiles(first.files.texts))
    second.configure({ ...MQTT, tunnel: { aaisp: TUNNEL } })
    await second.time.pass(500)
    if (broken) second.broker.drop()
    await second.time.pass(8000)
    const announced = second.broker.on(DISCOVERY).find(({ payload }) => gone('old_works')(payload))?.at
    const emptied = when(second, `${BASE}/tunnel/old/state`, (payload) => payload === '')
    assert.ok((emptied ?? 0) - (announced ?? 0) >= 1000, 'the entities have a second to go')
    const later = second.broker.published.map((message) => ({ ...message, at: message.at + 60_000 }))
    const house = new HomeAssistant(990)
    house.hear([...first.broker.published, ...later])
    assert.deepEqual(house.errors, [])
  }
})

test('and on rename of the node', async () => {
  const setup = new Setup()
  await setup.begin({ ...MQTT, tunnel: { aaisp: TUNNEL } })
  setup.configure({ lifeline: { main: { node: 'gate' } }, ...MQTT, tunnel: { aaisp: TUNNEL } })
  await setup.time.pass(5000)
  const taken = when(setup, DISCOVERY, (payload) => payload === '') ?? Number.NaN
  for (const topic of [`${BASE}/state`, `${BASE}/status`, `${BASE}/tunnel/aaisp/state`]) {
    const emptied = when(setup, topic, (payload) => payload === '') ?? Number.NaN
    assert.ok(emptied - taken >= 1000, topic)
  }
  assertCalm(setup)
})

test('an announcement is followed by states and statistics a second later, and by none before where it is new', async () => {
  const setup = new Setup()
  await setup.begin({ ...MQTT, tunnel: { aaisp: TUNNEL } })
  const before = setup.broker.published.length
  const at = setup.time.now()
  setup.configure({ ...MQTT, tunnel: { aaisp: TUNNEL, new_one: TUNNEL } })
  setup.status.tunnel('aaisp', { state: 'dialling' })
  await setup.time.pass(2000)
  const sent = setup.broker.published.slice(before).map((message) => ({ ...message, after: message.at - at }))
  assert.deepEqual([sent[0]?.topic, sent[0]?.after], [DISCOVERY, 0])
  const rest = sent.slice(1)
  assert.ok(rest.every(({ after }) => after >= 1000))
  for (const topic of ['state', 'tunnel/aaisp/state', 'tunnel/new_one/state', 'tunnel/aaisp/stats'])
    assert.ok(
      rest.some((message) => message.topic === `${BASE}/${topic}`),
      topic,
    )
  assertCalm(setup)
})

test('a line whose probes are not answered is not connected, whatever its link says', async () => {
  const setup = new Setup()
  setup.configure({ ...MQTT, uplink: UPLINKS, failover: { way: { path: ['fibre', 'lte'] } } })
  setup.status.uplink('fibre', { state: 'up', addresses: ['192.0.2.7/24'] })
  setup.status.uplink('lte', { state: 'up', addresses: ['100.64.0.7/24'] })
  const paths = { fibre: path('down'), lte: path('unknown') }
  setup.status.failover({ mode: 'auto', active: 'lte', problem: null, path: paths })
  await setup.time.pass(5000)
  const house = assertCalm(setup)
  assert.equal(house.state('fibre_works'), 'OFF')
  assert.equal(house.state('fibre_link'), 'ON')
  assert.equal(house.entities.get('fibre_link')?.config.device_class, undefined, 'it would say Connected')
  assert.equal(house.state('lte_works'), null, 'nothing was heard yet, for or against')
  const green = [...house.entities.values()].filter(
    ({ config, state }) => config.device_class === 'connectivity' && state === 'ON',
  )
  assert.deepEqual(
    green.map(({ config }) => config.name),
    ['Internet'],
  )
  assert.equal(house.state('external_ipv4'), null, "the carrier's own address is none of the internet")
})

test('is the backup ready? so, not so, or nobody knows', async () => {
  const setup = new Setup()
  setup.configure({ ...MQTT, uplink: UPLINKS, failover: { way: { path: ['fibre', 'lte'] } } })
  const paths = { fibre: path('up'), lte: path('up') }
  for (const [ready, shown] of [
    [true, 'ON'],
    [false, 'OFF'],
    [null, null],
  ] as const) {
    const backup = { path: 'lte', ready }
    setup.status.failover({ mode: 'auto', active: 'fibre', problem: null, path: paths, backup })
    await setup.time.pass(5000)
    assert.equal(assertCalm(setup).state('backup_ready'), shown)
  }
})
