/** A failover as a broker hears it, from the LAN and from the far side of the tunnel. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import * as common from '../addresses.ts'
import { configuration, LOGIN, SECRET, TUNNEL, waitForPath } from '../failover/scenario.ts'
import { buildProvider, type Provider } from '../failover/topology.ts'
import type { Lifeline } from '../lifeline.ts'
import { BASE, DISCOVERY } from './bench.ts'
import { Listener, Mosquitto, publish } from './mosquitto.ts'

const PORT = 1883
type Section = Readonly<Record<string, unknown>>
const LOCAL = { port: PORT }

describe('a failover', { timeout: 400_000 }, () => {
  let net: Provider
  before(async () => {
    net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET })
  })
  after(() => net.close())

  function start(t: TestContext, broker: string, mqtt: object = {}, failover: Section = {}): Lifeline {
    const home = { url: `mqtt://${broker}:${PORT}`, stats_interval: 5, ...mqtt }
    const config = { ...configuration({ failover }), lifeline: { main: { node: 'router' } }, mqtt: { home } }
    const lifeline = net.router.lifeline({ config })
    t.after(() => lifeline.stop())
    return lifeline
  }

  async function brokerInLan(t: TestContext): Promise<Mosquitto> {
    const broker = new Mosquitto(net.lan, { port: PORT })
    await broker.start()
    t.after(() => broker.stop('SIGKILL'))
    return broker
  }

  test('is on the wire at once: event with cause and outage, then states', async (t) => {
    t.after(() => net.fibre.heal())
    await brokerInLan(t)
    const listener = await Listener.start(net.lan, LOCAL)
    t.after(() => listener.stop())
    const lifeline = start(t, common.lan.ipv4)
    await waitForPath(lifeline, 'fibre')
    await listener.waitFor(`${BASE}/state`, (payload) => JSON.parse(payload).path === 'fibre')
    const kernel = net.router.namespace.start('ip monitor', ['ip', '-ts', '-o', 'monitor', 'route'])
    t.after(() => kernel.stop('SIGKILL'))
    await new Promise((resolve) => setTimeout(resolve, 500))
    const before = Date.now()
    await net.fibre.cut()
    await waitForPath(lifeline, TUNNEL)
    const event = await heard(listener, `${BASE}/event`, 'event_type', 'failover', before)
    const state = await heard(listener, `${BASE}/state`, 'path', TUNNEL, before)
    const { cause, outage_ms, from, to } = JSON.parse(event.payload)
    assert.deepEqual([from, to], ['fibre', TUNNEL])
    assert.match(cause, /carrier/)
    assert.ok(outage_ms > 0)
    assert.ok(event.at <= state.at)
    const { on_backup, last_switch, problem, switches } = JSON.parse(state.payload)
    assert.deepEqual([on_backup, problem, switches], [true, true, 1])
    assert.equal(last_switch.cause, cause)
    const switched = routeChange(kernel.output, event.at)
    const late = (at: number) => `${(at - switched).toFixed(1)} ms`
    t.diagnostic(`after the route changed: event on the wire ${late(event.at)}, state ${late(state.at)}`)

    await net.fibre.heal()
    await waitForPath(lifeline, 'fibre')
    await heard(listener, `${BASE}/event`, 'event_type', 'failback', before)
    await heard(listener, `${BASE}/state`, 'path', 'fibre', state.at)
    await lifeline.stop()
    await listener.waitFor(`${BASE}/status`, (payload) => payload === 'offline')
  })

  test('while the broker is dead is told when it is back', async (t) => {
    t.after(() => net.fibre.heal())
    const broker = await brokerInLan(t)
    const lifeline = start(t, common.lan.ipv4)
    await waitForPath(lifeline, 'fibre')
    await lifeline.process.waitForOutput(/connected to the broker/)
    await broker.stop('SIGKILL')
    await net.fibre.cut()
    await waitForPath(lifeline, TUNNEL)
    await broker.start()
    const listener = await Listener.start(net.lan, LOCAL)
    t.after(() => listener.stop())
    await listener.waitFor(DISCOVERY)
    const state = await listener.waitFor(`${BASE}/state`)
    assert.equal(JSON.parse(state.payload).path, TUNNEL)
    const event = await heard(listener, `${BASE}/event`, 'event_type', 'failover', 0)
    assert.equal(JSON.parse(event.payload).to, TUNNEL)
    assert.equal(listener.on(`${BASE}/status`).at(-1)?.payload, 'online')
  })

  test('reaches a broker that only the tunnel leads to', async (t) => {
    t.after(() => net.fibre.heal())
    const broker = new Mosquitto(net.internet.namespace, { port: PORT })
    await broker.start()
    t.after(() => broker.stop('SIGKILL'))
    const listener = await Listener.start(net.internet.namespace, LOCAL)
    t.after(() => listener.stop())
    await net.fibre.cut()
    const lifeline = start(t, common.internet.ipv4, {}, { path: ['fibre', TUNNEL] })
    await waitForPath(lifeline, TUNNEL)
    const state = await heard(listener, `${BASE}/state`, 'path', TUNNEL, 0)
    assert.equal(JSON.parse(state.payload).on_backup, true)
    // Goodbye goes out before the tunnel does.
    await lifeline.stop()
    await listener.waitFor(`${BASE}/status`, (payload) => payload === 'offline', 3000)
  })

  test('can be commanded, and drilled, where that is allowed', async (t) => {
    await brokerInLan(t)
    const listener = await Listener.start(net.lan, LOCAL)
    t.after(() => listener.stop())
    const lifeline = start(t, common.lan.ipv4, { commands: ['use', 'drill'] })
    await waitForPath(lifeline, 'fibre')
    const discovery = await listener.waitFor(DISCOVERY)
    const { path, failover_drill } = JSON.parse(discovery.payload).components
    assert.deepEqual(path.options, ['auto', 'fibre', TUNNEL, 'lte'])
    await publish(net.lan, LOCAL, path.command_topic, `{"path": "${TUNNEL}"}`)
    await heard(listener, `${BASE}/event`, 'event_type', 'command_done', 0)
    await heard(listener, `${BASE}/state`, 'path', TUNNEL, 0)
    await heard(listener, `${BASE}/state`, 'mode', TUNNEL, 0)
    const at = Date.now()
    await publish(net.lan, LOCAL, `${BASE}/cmd/use`, '{"path":"auto"}')
    await heard(listener, `${BASE}/state`, 'path', 'fibre', at)
    await publish(net.lan, LOCAL, failover_drill.command_topic, failover_drill.payload_press)
    const drilled = await listener.waitFor(
      `${BASE}/event`,
      (payload) => JSON.parse(payload).command === 'drill',
      120_000,
    )
    const { event_type, outage_ms } = JSON.parse(drilled.payload)
    assert.equal(event_type, 'command_done', drilled.payload)
    t.diagnostic(`drill over MQTT: outage ${outage_ms} ms`)
  })
})

/** The first message after `since` on a topic whose JSON has this value. */
function heard(listener: Listener, topic: string, key: string, value: unknown, since: number) {
  return listener.waitFor(topic, (payload, at) => at >= since && JSON.parse(payload)[key] === value, 90_000)
}

/** When the kernel took over the last default route into the tunnel before `until`, in ms since 1970. */
function routeChange(monitor: string, until: number): number {
  const changes = monitor.split('\n').flatMap((line) => {
    const [, stamp] = /^\[([^\]]+)\] (?!Deleted).*default .*l2tp-/.exec(line) ?? []
    return stamp === undefined ? [] : [Date.parse(stamp)]
  })
  const last = changes.filter((at) => at <= until).at(-1)
  assert.ok(last !== undefined, `no route changed:\n${monitor}`)
  return last
}
