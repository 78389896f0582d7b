/** Our client in the place of libubus in recorded conversations, and before an ubusd that is restarted, silent or mad. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { millis } from '../../../src/core/time.ts'
import type { BlobmsgTable } from '../../../src/core/ubus/blobmsg.ts'
import { UbusClient } from '../../../src/core/ubus/client.ts'
import { objectOf, tableOf } from '../../../src/core/ubus/json.ts'
import {
  decodeMessage,
  encodeMessage,
  type UbusAttributes,
  UbusType,
} from '../../../src/core/ubus/message.ts'
import { UbusStatus } from '../../../src/core/ubus/status.ts'
import type { UbusCaller, UbusCommand, UbusObject, UbusRole } from '../../../src/core/ubus/types.ts'
import { NOBODY, Replay } from './replay.ts'

const ECHO = {
  str: 'string',
  flag: 'int8',
  i16: 'int16',
  i32: 'int32',
  i64: 'int64',
  dbl: 'double',
  tbl: 'table',
  arr: 'array',
  any: 'unspec',
} as const
const FIXTURE_TWO: UbusObject = {
  path: 'fixture.two',
  methods: { echo: ECHO, fail: { code: 'int32', delay: 'int32' } },
}

function call(path: string, method: string, data: BlobmsgTable = [], timeout = 1000): UbusCommand {
  return { kind: 'call', number: 1, path, method, data, timeout: millis(timeout) }
}

describe('in the place of libubus', () => {
  const calls: readonly [string, string, string, string, BlobmsgTable][] = [
    ['invoke', 'client1', 'network.interface.wan', 'status', []],
    ['invoke', 'client2', 'network.device', 'status', tableOf({ name: 'eth1' })],
    ['serve_more', 'client3', 'fixture.obj', 'multi', []],
    ['fd_passing', 'client1', 'log', 'read', tableOf({ lines: 3, stream: true, oneshot: true })],
  ]
  for (const [name, client, path, method, data] of calls) {
    test(`calls ${path} ${method} (${name})`, () => {
      const replay = new Replay(name, client, NOBODY)
      replay.go(1)
      replay.command(call(path, method, data))
      replay.go()
      replay.end()
      const [answer, ...more] = replay.heard()
      assert.deepEqual(more, [])
      assert.ok(answer?.kind === 'answered' && answer.status === UbusStatus.ok)
      if (method === 'multi')
        assert.deepEqual(answer.data.map(objectOf), [{ part: 0 }, { part: 1 }, { part: 2 }])
      if (path === 'network.interface.wan') assert.equal(objectOf(answer.data[0] ?? []).l3_device, 'eth1')
    })
  }

  test('a path that is not there', () => {
    const replay = new Replay('status_codes', 'client2', NOBODY)
    replay.go(1)
    replay.command(call('fixture.none', 'x'))
    replay.client.pollWrite()
    replay.client.receive(millis(0), status(1, UbusStatus.notFound))
    assert.deepEqual(replay.client.pollEvent(), {
      kind: 'answered',
      number: 1,
      status: UbusStatus.notFound,
      data: [],
    })
  })

  test('registers an object and serves what others call', () => {
    const replay = new Replay('register_serve', 'client1', { ...NOBODY, objects: [FIXTURE_TWO] })
    replay.go(4)
    assert.deepEqual(replay.heard(), [{ kind: 'registered', path: 'fixture.two' }])
    replay.go(1)
    const [echo] = replay.heard()
    assert.ok(echo?.kind === 'called')
    assert.deepEqual([echo.path, echo.method, echo.user], ['fixture.two', 'echo', 'root'])
    replay.command({ kind: 'reply', to: echo.caller, data: echo.data })
    replay.command({ kind: 'finish', to: echo.caller, status: UbusStatus.ok })
    replay.go(3)
    const [fail] = replay.heard()
    assert.ok(fail?.kind === 'called')
    assert.deepEqual(objectOf(fail.data), { code: 0 })
    replay.command({ kind: 'finish', to: fail.caller, status: UbusStatus.ok })
    replay.go(1)
  })

  test('an object whose path is taken is refused', () => {
    const replay = new Replay('add_object_conflict', 'client2', { ...NOBODY, objects: [FIXTURE_TWO] })
    replay.go()
    replay.end()
    assert.deepEqual(replay.heard(), [
      { kind: 'refused', path: 'fixture.two', status: UbusStatus.invalidArgument },
    ])
  })

  for (const [name, client, pattern] of [
    ['events', 'client1', '*'],
    ['events', 'client2', 'foo.*'],
    ['netifd_proto', 'client1', '*'],
    ['netifd_events', 'client1', '*'],
  ] as const) {
    test(`listens for ${pattern} (${name})`, () => {
      const replay = new Replay(name, client, { ...NOBODY, events: [pattern] })
      replay.go()
      replay.end()
      const heard = replay.heard()
      assert.ok(heard.length > 0 && heard.every(({ kind }) => kind === 'heard'))
      if (name !== 'netifd_events') return
      const actions = heard.flatMap((event) => (event.kind === 'heard' ? [objectOf(event.data)] : []))
      assert.deepEqual(
        actions.map(({ action, interface: name }) => `${action} ${name}`),
        ['ifdown wan', 'ifdown wan', 'ifup wan'],
      )
    })
  }

  test('broadcasts an event', () => {
    const replay = new Replay('events', 'client4', NOBODY)
    replay.go(1)
    replay.command({ kind: 'send', name: 'other', data: [] })
    replay.go()
    replay.end()
  })
})

/** An ubusd by hand: what the client says is taken apart, and answered as the test wants. */
class Ubusd {
  readonly client: UbusClient
  now = 0

  constructor(role: UbusRole) {
    this.client = new UbusClient(millis(0), role)
    this.greet()
  }

  greet(): void {
    this.client.connected(millis(this.now))
    this.say(UbusType.hello, 0, 0x1234, {})
    this.events()
  }

  say(type: number, sequence: number, peer: number, attributes: UbusAttributes): void {
    this.client.receive(millis(this.now), encodeMessage({ type, sequence, peer, attributes }))
  }

  /** What the client says next. */
  hear(): { type: number; sequence: number; attributes: UbusAttributes } {
    const bytes = this.client.pollWrite()
    const message = bytes && decodeMessage(bytes)
    assert.ok(message, 'the client says nothing')
    return message
  }

  /** Grants what is asked next, with an object id. */
  grant(type: number, objectId: number): UbusAttributes {
    const { type: asked, sequence, attributes } = this.hear()
    assert.equal(asked, type)
    this.say(UbusType.data, sequence, 0, { objectId })
    this.say(UbusType.status, sequence, 0, { status: UbusStatus.ok })
    return attributes
  }

  ok(type: number): UbusAttributes {
    const { type: asked, sequence, attributes } = this.hear()
    assert.equal(asked, type)
    this.say(UbusType.status, sequence, 0, { status: UbusStatus.ok })
    return attributes
  }

  events() {
    const events = []
    for (let event = this.client.pollEvent(); event; event = this.client.pollEvent()) events.push(event)
    return events
  }

  /** Lets time go by, to the moment. */
  until(moment: number): void {
    this.now = moment
    this.client.timeout(millis(moment))
  }
}

function status(sequence: number, value: number): Uint8Array {
  return encodeMessage({ type: UbusType.status, sequence, peer: 0, attributes: { status: value } })
}

describe('notifications', () => {
  const role = { ...NOBODY, subscriptions: ['network.interface'] }
  const added = (path: string) => tableOf({ id: 77, path })

  test('come from the moment of the subscription on, and again after the other side was restarted', () => {
    const ubusd = new Ubusd(role)
    ubusd.grant(UbusType.addObject, 10)
    ubusd.grant(UbusType.addObject, 11)
    assert.deepEqual(objectOf(ubusd.ok(UbusType.invoke).data ?? []), {
      object: 10,
      pattern: 'ubus.object.add',
    })
    assert.equal(ubusd.grant(UbusType.lookup, 500).objectPath, 'network.interface')
    assert.deepEqual(ubusd.ok(UbusType.subscribe), { objectId: 11, target: 500 })
    assert.deepEqual(ubusd.events(), [{ kind: 'subscribed', path: 'network.interface' }])

    const data = tableOf({ interface: 'wan' })
    ubusd.say(UbusType.invoke, 9, 0x99, { noReply: true, objectId: 11, method: 'interface.down', data })
    assert.deepEqual(ubusd.events(), [
      { kind: 'notified', path: 'network.interface', name: 'interface.down', data },
    ])
    assert.equal(ubusd.client.pollWrite(), undefined, 'a notification that wants no answer gets none')

    ubusd.say(UbusType.unsubscribe, 1, 0, { objectId: 11, target: 500 })
    assert.deepEqual(ubusd.events(), [{ kind: 'unsubscribed', path: 'network.interface' }])
    ubusd.say(UbusType.invoke, 2, 0, {
      objectId: 10,
      method: 'ubus.object.add',
      data: added('network.interface.lan'),
      noReply: true,
    })
    assert.equal(ubusd.client.pollWrite(), undefined, 'an object of another name is nobody waited for')
    ubusd.say(UbusType.invoke, 3, 0, {
      objectId: 10,
      method: 'ubus.object.add',
      data: added('network.interface'),
      noReply: true,
    })
    ubusd.grant(UbusType.lookup, 600)
    assert.deepEqual(ubusd.ok(UbusType.subscribe), { objectId: 11, target: 600 })
    assert.deepEqual(ubusd.events(), [{ kind: 'subscribed', path: 'network.interface' }])
  })

  test('of an object that is not there yet are subscribed to when it comes', () => {
    const ubusd = new Ubusd(role)
    ubusd.grant(UbusType.addObject, 10)
    ubusd.grant(UbusType.addObject, 11)
    ubusd.ok(UbusType.invoke)
    const { sequence } = ubusd.hear()
    ubusd.say(UbusType.status, sequence, 0, { status: UbusStatus.notFound })
    assert.deepEqual(ubusd.events(), [])
    ubusd.say(UbusType.invoke, 3, 0, {
      objectId: 10,
      method: 'ubus.object.add',
      data: added('network.interface'),
    })
    // The event itself is acknowledged, as libubus does.
    assert.equal(ubusd.hear().type, UbusType.lookup)
    assert.equal(ubusd.hear().type, UbusType.status)
  })

  test('of ours go to the object that we have there, and we hear who listens', () => {
    const ubusd = new Ubusd({ ...NOBODY, objects: [FIXTURE_TWO] })
    const data = tableOf({ a: 1 })
    ubusd.client.command(millis(0), { kind: 'notify', path: 'fixture.two', name: 'changed', data })
    ubusd.grant(UbusType.addObject, 20)
    assert.equal(ubusd.client.pollWrite(), undefined, 'nobody can have subscribed before it was there')
    ubusd.client.command(millis(0), { kind: 'notify', path: 'fixture.two', name: 'changed', data })
    const { type, attributes } = ubusd.hear()
    assert.equal(type, UbusType.notify)
    assert.deepEqual(attributes, { objectId: 20, method: 'changed', data, noReply: true })
    ubusd.events()
    ubusd.say(UbusType.notify, 1, 0, { objectId: 20, active: true })
    assert.deepEqual(ubusd.events(), [{ kind: 'audience', path: 'fixture.two', active: true }])
  })
})

describe('what others ask of us', () => {
  function served(): Ubusd {
    const ubusd = new Ubusd({ ...NOBODY, objects: [FIXTURE_TWO] })
    ubusd.grant(UbusType.addObject, 20)
    ubusd.events()
    return ubusd
  }
  const refusals: readonly [string, UbusAttributes, number][] = [
    ['an unknown method', { objectId: 20, method: 'nope', data: [] }, UbusStatus.methodNotFound],
    ['a method of every object', { objectId: 20, method: 'toString', data: [] }, UbusStatus.methodNotFound],
    ['no method', { objectId: 20, data: [] }, UbusStatus.invalidArgument],
    ['arguments that are no blobmsg', { objectId: 20, method: 'echo' }, UbusStatus.invalidArgument],
    ['an object that is not ours', { objectId: 21, method: 'echo', data: [] }, UbusStatus.notFound],
  ]
  for (const [what, attributes, expected] of refusals) {
    test(`${what} is refused at once`, () => {
      const ubusd = served()
      ubusd.say(UbusType.invoke, 5, 0x77, attributes)
      const { type, sequence, attributes: answer } = ubusd.hear()
      assert.deepEqual(
        [type, sequence, answer],
        [UbusType.status, 5, { status: expected, objectId: attributes.objectId }],
      )
      assert.deepEqual(ubusd.events(), [])
    })
  }

  test('who wants no answer gets none', () => {
    const ubusd = served()
    ubusd.say(UbusType.invoke, 5, 0x77, { objectId: 20, method: 'echo', data: [], noReply: true })
    const [called] = ubusd.events()
    assert.ok(called?.kind === 'called')
    ubusd.client.command(millis(0), { kind: 'reply', to: called.caller, data: [] })
    ubusd.client.command(millis(0), { kind: 'finish', to: called.caller, status: 0 })
    assert.equal(ubusd.client.pollWrite(), undefined)
  })
})

describe('time and trouble', () => {
  const answer = (value: number) => [{ kind: 'answered', number: 1, status: value, data: [] }]

  test('a method that hangs is given up, and its late answer is nobody’s', () => {
    const ubusd = new Ubusd(NOBODY)
    ubusd.client.command(millis(0), call('a', 'b', [], 300))
    ubusd.grant(UbusType.lookup, 5)
    const { sequence } = ubusd.hear()
    assert.equal(ubusd.client.pollTimeout(), 300)
    ubusd.until(299)
    assert.deepEqual(ubusd.events(), [])
    ubusd.until(300)
    assert.deepEqual(ubusd.events(), answer(UbusStatus.timeout))
    ubusd.say(UbusType.data, sequence, 5, { objectId: 5, data: [] })
    ubusd.say(UbusType.status, sequence, 5, { status: 0, objectId: 5 })
    assert.deepEqual(ubusd.events(), [])
  })

  test('one whose owner was restarted is looked up again, once', () => {
    const ubusd = new Ubusd(NOBODY)
    ubusd.client.command(millis(0), call('a', 'b'))
    ubusd.grant(UbusType.lookup, 5)
    ubusd.ok(UbusType.invoke)
    ubusd.events()
    ubusd.client.command(millis(0), call('a', 'b'))
    const first = ubusd.hear()
    assert.deepEqual([first.type, first.attributes.objectId], [UbusType.invoke, 5])
    ubusd.say(UbusType.status, first.sequence, 5, { status: UbusStatus.notFound })
    ubusd.grant(UbusType.lookup, 6)
    const second = ubusd.hear()
    assert.deepEqual([second.type, second.attributes.objectId], [UbusType.invoke, 6])
    ubusd.say(UbusType.status, second.sequence, 6, { status: UbusStatus.notFound })
    assert.deepEqual(ubusd.events(), answer(UbusStatus.notFound))
  })

  test('an ubusd that ends fails what waits, and another connection is wanted, ever later', () => {
    const ubusd = new Ubusd({ ...NOBODY, objects: [FIXTURE_TWO] })
    ubusd.grant(UbusType.addObject, 20)
    ubusd.events()
    ubusd.client.command(millis(0), call('a', 'b'))
    ubusd.client.disconnected(millis(0))
    assert.deepEqual(ubusd.events(), answer(UbusStatus.connectionFailed))
    assert.equal(ubusd.client.pollWrite(), undefined)
    const waits = []
    for (let tries = 0; tries < 8; tries++) {
      const at = ubusd.client.pollTimeout() ?? 0
      waits.push(at - ubusd.now)
      ubusd.until(at)
      assert.deepEqual(ubusd.events(), [{ kind: 'connectionWanted' }])
      ubusd.client.disconnected(millis(ubusd.now))
    }
    assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000])
    ubusd.until(ubusd.client.pollTimeout() ?? 0)
    ubusd.events()
    ubusd.greet()
    // All of the role is asked for again.
    assert.equal(ubusd.grant(UbusType.addObject, 30).objectPath, 'fixture.two')
    assert.deepEqual(ubusd.events(), [{ kind: 'registered', path: 'fixture.two' }])
  })

  test('a call while there is no connection fails at once', () => {
    const client = new UbusClient(millis(0), NOBODY)
    assert.deepEqual(client.pollEvent(), { kind: 'connectionWanted' })
    client.command(millis(0), call('a', 'b'))
    assert.deepEqual(client.pollEvent(), answer(UbusStatus.connectionFailed)[0])
  })

  test('an ubusd that does not greet, or not answer, is left', () => {
    const client = new UbusClient(millis(0), NOBODY)
    client.pollEvent()
    client.connected(millis(10))
    assert.equal(client.pollTimeout(), 5010)
    client.timeout(millis(5010))
    assert.deepEqual(client.pollEvent(), { kind: 'connectionGivenUp', cause: 'silent' })

    const ubusd = new Ubusd({ ...NOBODY, objects: [FIXTURE_TWO] })
    ubusd.until(4999)
    assert.deepEqual(ubusd.events(), [])
    ubusd.until(5000)
    assert.deepEqual(ubusd.events(), [{ kind: 'connectionGivenUp', cause: 'silent' }])
  })

  test('what is longer than any message of ubus ends the connection', () => {
    const ubusd = new Ubusd(NOBODY)
    ubusd.client.receive(millis(0), Uint8Array.of(0, 2, 0, 1, 0, 0, 0, 0, 0, 0x10, 0, 0))
    assert.deepEqual(ubusd.events(), [{ kind: 'connectionGivenUp', cause: 'nonsense' }])
    ubusd.say(UbusType.hello, 0, 1, {})
    assert.deepEqual(ubusd.events(), [])
  })

  test('sequence numbers go round without meeting one that waits', () => {
    const ubusd = new Ubusd(NOBODY)
    ubusd.client.command(millis(0), call('slow', 'b', [], 1e9))
    const { sequence: waiting } = ubusd.hear()
    for (let n = 0; n < 0x10001; n++) {
      ubusd.client.command(millis(0), { kind: 'send', name: 'x', data: [] })
      const { sequence } = ubusd.hear()
      assert.notEqual(sequence, waiting)
      ubusd.say(UbusType.status, sequence, 1, { status: 0 })
    }
  })
})

test('a caller is answered under its own number', () => {
  const caller: UbusCaller = { sequence: 9, peer: 0x55, objectId: 20, noReply: false }
  const ubusd = new Ubusd(NOBODY)
  ubusd.client.command(millis(0), { kind: 'finish', to: caller, status: 3 })
  assert.deepEqual(ubusd.hear(), {
    type: UbusType.status,
    sequence: 9,
    peer: 0x55,
    attributes: { status: 3, objectId: 20 },
  })
})
