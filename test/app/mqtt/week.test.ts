/** A week in virtual time, with failovers, brokers that go away or stall, and restarts of Home Assistant. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MAX_EVENTS } from '../../../src/app/mqtt/events.ts'
import { seededRandom } from '../../sim/random.ts'
import { HOME, Setup, TUNNEL } from './setup.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const CONFIG = {
  mqtt: { home: { ...HOME, commands: ['up', 'down', 'reconnect'] } },
  tunnel: { aaisp: TUNNEL, other: TUNNEL },
  uplink: { fibre: { device: 'eth0' }, lte: { device: 'wwan0' } },
}

test('a week grows no queue and no memory, and ends with what is so', { timeout: 300_000 }, async (t) => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const random = seededRandom(7)
  const setup = new Setup(7)
  const { broker, status, time } = setup
  broker.forget()
  await setup.begin(CONFIG)
  const heap: number[] = []
  const armed: number[] = []
  let away = 0
  for (let day = 0; day < 7; day++) {
    for (const end = time.now() + DAY; time.now() < end; ) {
      await time.pass(random() * 20 * MINUTE)
      misfortune(setup, random)
      if (broker.refusal !== undefined) away++
    }
    // In peace, so that only what is kept for ever counts.
    peace(setup)
    await time.pass(2 * MINUTE)
    setup.log.entries.length = 0
    collect()
    heap.push(process.memoryUsage().heapUsed)
    armed.push(time.armed)
  }
  t.diagnostic(`heap at the end of each day: ${heap.map((octets) => (octets / 1e6).toFixed(2)).join(' ')} MB`)
  t.diagnostic(`alarms armed at the end of each day: ${armed.join(' ')}; steps without a broker: ${away}`)
  assert.ok(away > 50)
  // The first days compile what the later ones run.
  const [, , third = 0, ...later] = heap
  for (const octets of later) assert.ok(octets - third < 1_000_000, 'the heap grows')
  for (const count of armed) assert.ok(count < 10, `${count} alarms`)
  const shown = JSON.parse(broker.retained.get('lifeline/router/tunnel/aaisp/state') ?? '')
  assert.equal(shown.state, status.status().tunnel.aaisp?.state)
  assert.equal(broker.retained.get('lifeline/router/status'), 'online')
  assert.equal(broker.retained.size, 7)
})

test('a broker that is away for a week finds the last events and what is so', async () => {
  const setup = new Setup(3)
  setup.broker.refusal = { code: 'no_answer', broker: 'ha.lan:1883' }
  await setup.begin(CONFIG)
  const random = seededRandom(3)
  for (let i = 0; i < 2000; i++) {
    await setup.time.pass(random() * 10 * MINUTE)
    setup.status.tunnel('aaisp', { state: i % 2 === 0 ? 'up' : 'waiting' })
  }
  setup.broker.refusal = undefined
  await setup.time.pass(2 * MINUTE)
  const events = setup.broker.events()
  assert.equal(events.length, MAX_EVENTS + 1)
  assert.equal(events[0]?.event_type, 'events_dropped')
  // Each change made two events, one of the tunnel and one of the internet.
  assert.equal(events[0]?.dropped, 4000 - MAX_EVENTS)
  const shown = JSON.parse(setup.broker.retained.get('lifeline/router/tunnel/aaisp/state') ?? '')
  assert.equal(shown.state, 'waiting')
})

function misfortune({ broker, status }: Setup, random: () => number): void {
  const kind = Math.floor(random() * 8)
  const tunnel = random() < 0.5 ? 'aaisp' : 'other'
  switch (kind) {
    case 0:
      status.tunnel(tunnel, { state: 'up', uplink: 'fibre' })
      break
    case 1:
      status.failed(tunnel, { code: 'silent', seconds: 10 })
      status.tunnel(tunnel, { state: 'waiting' })
      break
    case 2:
      broker.refusal = { code: 'refused', broker: 'ha.lan:1883' }
      broker.drop()
      break
    case 3:
      broker.refusal = undefined
      break
    case 4:
      broker.latency = random() < 0.5 ? undefined : random() * 5000
      break
    case 5:
      broker.latency = 1
      // A stalled connection is given up, as the host does after some seconds.
      broker.drop({ code: 'silent', seconds: 15 })
      break
    case 6:
      broker.send('homeassistant/status', 'online')
      break
    default:
      for (let i = 0; i < 50; i++) status.tunnel(tunnel, { mtu: 1000 + Math.floor(random() * 400) })
  }
}

function peace({ broker, status }: Setup): void {
  broker.refusal = undefined
  broker.latency = 1
  broker.drop()
  for (const name of ['aaisp', 'other']) status.tunnel(name, { state: 'up', mtu: 1462 })
}
