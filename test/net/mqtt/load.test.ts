/** The publisher itself with a real broker: changes without number, brokers that stall, retained commands. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { BASE, Bench, DISCOVERY } from './bench.ts'
import { Listener, Mosquitto, publish } from './mosquitto.ts'

describe('a broker', () => {
  let bench: Bench
  before(async () => {
    bench = await Bench.create()
  })
  after(() => bench.close())

  test('changes without number reach it as at most five messages a second and topic, the last one too', async (t) => {
    await bench.broker(t, { port: 1883 })
    const listener = await Listener.start(bench.namespace, { port: 1883 })
    t.after(() => listener.stop())
    const report = await hammer(bench, 1883, 1000, 5)
    await listener.waitFor(`${BASE}/tunnel/aaisp/state`, (payload) => JSON.parse(payload).mtu === report.last)
    const sent = listener.on(`${BASE}/tunnel/aaisp/state`)
    t.diagnostic(
      `${report.last} changes in ${report.took} ms: ${sent.length} messages; the event loop waited ${report.lag} ms at most`,
    )
    // Counted, as a slow machine may deliver messages at any distance: one at the start, then one each 200 ms.
    assert.ok(sent.length <= 1 + report.took / 200, `${sent.length} messages in ${report.took} ms`)
    assert.ok(sent.length > 1 && report.last > sent.length, `${sent.length} messages, ${report.last} changes`)
  })

  test('that stalls costs neither time nor memory', async (t) => {
    const broker = new Mosquitto(bench.namespace, { port: 1884 })
    await broker.start()
    t.after(() => broker.stop('SIGKILL'))
    broker.signal('SIGSTOP')
    const report = await hammer(bench, 1884, 1000, 5)
    t.diagnostic(`against a broker that stands still: ${report.lag} ms, heap grown by ${report.grown} kB`)
    assert.ok(report.grown < 3000, `the heap grew by ${report.grown} kB`)
    broker.signal('SIGCONT')
  })

  for (const protocol of ['5', '3.1.1']) {
    test(`that keeps a command never gets it obeyed, MQTT ${protocol}`, async (t) => {
      await bench.broker(t, { port: 1883 })
      const listener = await Listener.start(bench.namespace, { port: 1883 })
      t.after(() => listener.stop())
      await publish(bench.namespace, { port: 1883 }, `${BASE}/cmd/down`, '{"tunnel":"aaisp"}', '-r')
      const lifeline = bench.run(t, { url: 'mqtt://127.0.0.1:1883', protocol, commands: ['down', 'up'] })
      await lifeline.process.waitForOutput(/a retained command is never obeyed/)
      // With MQTT 5 the broker also tells those who listen already.
      if (protocol === '5')
        await publish(bench.namespace, { port: 1883 }, `${BASE}/cmd/down`, '{"tunnel":"aaisp"}', '-r')
      await publish(bench.namespace, { port: 1883 }, `${BASE}/cmd/up`, '{"tunnel":"nowhere"}')
      await listener.waitFor(
        `${BASE}/event`,
        (payload) => JSON.parse(payload).event_type === 'command_refused',
      )
      assert.equal((await lifeline.status())?.tunnel.aaisp?.state, 'waiting')
      const types = listener.json(`${BASE}/event`).map(({ event_type }) => event_type)
      assert.ok(!types.includes('command_done'))
      await lifeline.stop()
      await publish(bench.namespace, { port: 1883 }, `${BASE}/cmd/down`, '', '-r')
    })
  }

  test('that restarts gets all that it had forgotten', async (t) => {
    const broker = await bench.broker(t, { port: 1883 })
    const lifeline = bench.run(t, { url: 'mqtt://127.0.0.1:1883' })
    await lifeline.process.waitForOutput(/connected to the broker/)
    await broker.stop('SIGKILL')
    await lifeline.process.waitForOutput(/no connection to the broker/)
    await lifeline.cli('down', 'aaisp')
    await broker.start()
    const listener = await Listener.start(bench.namespace, { port: 1883 })
    t.after(() => listener.stop())
    await listener.waitFor(DISCOVERY)
    await listener.waitFor(
      `${BASE}/tunnel/aaisp/state`,
      (payload) => JSON.parse(payload).state === 'disabled',
    )
    assert.equal((await listener.waitFor(`${BASE}/status`)).payload, 'online')
  })

  test('is told by the last will when the daemon is killed', async (t) => {
    await bench.broker(t, { port: 1883 })
    const listener = await Listener.start(bench.namespace, { port: 1883 })
    t.after(() => listener.stop())
    const lifeline = bench.run(t, { url: 'mqtt://127.0.0.1:1883' })
    await listener.waitFor(`${BASE}/tunnel/aaisp/state`)
    await lifeline.process.stop('SIGKILL')
    await listener.waitFor(`${BASE}/status`, (payload) => payload === 'offline')
  })

  test('is changed by a reload', async (t) => {
    const broker = await bench.broker(t, { port: 1883 })
    const listener = await Listener.start(bench.namespace, { port: 1883 })
    t.after(() => listener.stop())
    const lifeline = bench.run(t, { url: 'mqtt://127.0.0.1:1883' })
    await listener.waitFor(`${BASE}/tunnel/aaisp/state`)
    lifeline.reload({
      lifeline: { main: { node: 'router' } },
      tunnel: { aaisp: { server: '192.0.2.1', username: 'alice', password: 'wonderland' } },
      mqtt: { home: { url: 'mqtt://127.0.0.1:1883', base_topic: 'house' } },
    })
    await listener.waitFor('house/tunnel/aaisp/state')
    assert.equal(listener.on('house/status')[0]?.payload, 'online')
    // What lay under the old topic is taken back.
    await listener.waitFor(`${BASE}/tunnel/aaisp/state`, (payload) => payload === '')
    assert.match(broker.log, /lifeline-router/)
  })
})

interface Report {
  /** The last value. */
  readonly last: number
  /** ms from the start of the publisher until its last message has left. */
  readonly took: number
  /** ms that the event loop was held up at most. */
  readonly lag: number
  /** kB by which the heap grew. */
  readonly grown: number
}

/** Runs test/net/mqtt/hammer.ts in the namespace. */
async function hammer(bench: Bench, port: number, rate: number, seconds: number): Promise<Report> {
  const child = spawn(
    'ip',
    [
      'netns',
      'exec',
      bench.namespace.name,
      process.execPath,
      '--expose-gc',
      '--import',
      'tsx',
      'test/net/mqtt/hammer.ts',
      String(port),
      String(rate),
      String(seconds),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  await once(child, 'close')
  return JSON.parse(output)
}
