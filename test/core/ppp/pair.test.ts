/** A client and a server over a virtual path. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthMethod } from '../../../src/core/ppp/auth-option.ts'
import { Secret } from '../../../src/core/secret.ts'
import { seconds } from '../../../src/core/time.ts'
import { seededEntropy } from '../../sim/random.ts'
import { clientOptions, serverOptions, World } from './links.ts'

const methods: readonly AuthMethod[] = ['chap', 'mschapv2', 'pap']

for (const method of methods) {
  test(`${method}: a cooperative server lets the client in`, () => {
    const world = new World(clientOptions({ auth: [method] }), serverOptions({ auth: [method] }))
    world.open().run(seconds(0))
    assert.deepEqual(world.client.last('lcpOpened'), { type: 'lcpOpened', mru: 1460, ourMru: 1460 })
    assert.equal(world.client.last('authenticated')?.method, method)
    assert.equal(world.server.last('authenticated')?.username, 'alice')
    assert.deepEqual(world.client.last('ipcpOpened')?.ipv4, {
      address: '203.0.113.10',
      peer: '203.0.113.1',
      dns: ['198.51.100.53', '198.51.100.54'],
    })
    assert.deepEqual(world.server.last('ipcpOpened')?.ipv4, {
      address: '203.0.113.1',
      peer: '203.0.113.10',
      dns: [],
    })
    assert.deepEqual(
      world.client.last('ipv6cpOpened')?.ipv6.interfaceId,
      world.server.last('ipv6cpOpened')?.ipv6.peerInterfaceId,
    )
    assert.deepEqual(
      world.client.of('phase').map(({ phase }) => phase),
      ['establish', 'authenticate', 'network'],
    )
  })

  test(`${method}: a wrong password ends both with words`, () => {
    const wrong = new Secret('looking-glass')
    const world = new World(
      clientOptions({ auth: [method], password: wrong }),
      serverOptions({ auth: [method] }),
    )
    world.open().run(seconds(10))
    const cause = world.client.last('closed')?.cause
    assert.equal(cause?.code, 'authFailed')
    assert.equal(world.server.last('closed')?.cause.code, 'authFailed')
    assert.equal(world.client.of('ipcpOpened').length, 0)
  })

  test(`${method}: an unknown user is refused`, () => {
    const world = new World(
      clientOptions({ auth: [method], username: 'mallory' }),
      serverOptions({ auth: [method] }),
    )
    world.open().run(seconds(10))
    assert.equal(world.client.last('closed')?.cause.code, 'authFailed')
  })

  test(`${method}: with 30 % loss, copies and overtaking both ways every seed comes up within 120 s`, () => {
    const slow: number[] = []
    for (let seed = 1; seed <= 150; seed++) {
      const world = new World(
        clientOptions({ auth: [method], entropy: seededEntropy(seed) }),
        serverOptions({ auth: [method], entropy: seededEntropy(seed + 1000) }),
        { loss: 0.3, duplication: 0.1, reordering: 0.2, jitter: 200, delay: 20 },
        seed,
      )
      world.open().run(seconds(120), () => world.client.up && world.server.up)
      assert.ok(world.client.up && world.server.up, `seed ${seed}: ${JSON.stringify(world.client.events)}`)
      slow.push(world.now)
    }
    slow.sort((a, b) => a - b)
    console.log(
      `${method}: up after ${slow[75]?.toFixed(0)} ms (median), ${slow.at(-1)?.toFixed(0)} ms (worst)`,
    )
  })
}

const ROUND_TRIP = 100

/** Round trips from both sides' first Configure-Request to our IPCP opened. */
function roundTrips(changes: Parameters<typeof clientOptions>[0], method: AuthMethod): number {
  const client = clientOptions({ auth: [method], ...changes })
  const world = new World(client, serverOptions({ auth: [method] }), { delay: ROUND_TRIP / 2 })
  world.open().run(seconds(10), () => world.client.up)
  assert.ok(world.client.up)
  return world.now / ROUND_TRIP
}

test('round trips from the first Configure-Request to IPCP opened', () => {
  const known = { lastAddress: '203.0.113.10', lastDns: ['198.51.100.53', '198.51.100.54'] }
  // LCP 1, Challenge to Success 1.5, our IPCP request and its Ack 1, a Nak before it 1.
  assert.equal(roundTrips({}, 'chap'), 4.5)
  assert.equal(roundTrips(known, 'chap'), 3.5)
  assert.equal(roundTrips({}, 'mschapv2'), 4.5)
  // The client speaks first, when LCP opens: half a round trip less.
  assert.equal(roundTrips({}, 'pap'), 4)
  assert.equal(roundTrips(known, 'pap'), 3)
})
