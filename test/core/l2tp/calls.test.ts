import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, encodeUtf8, fromHex, toHex } from '../../../src/core/bytes.ts'
import { encodeMessage, type SendableMessage } from '../../../src/core/l2tp/message-encode.ts'
import { MESSAGE_TYPES, type MessageName } from '../../../src/core/l2tp/messages.ts'
import { LNS } from './pair.ts'
import { ICCN, ICRP, ICRQ, only, PEER_SESSION, PEER_TUNNEL, Puppet, SCCRP, SCCRQ, words } from './puppet.ts'

const LCP = fromHex('ff03 c021 01010004')
const CDN = { type: 'CDN', assignedSessionId: PEER_SESSION, result: { result: 3 } } as const

test('SCCCN and ICRQ leave together, ICCN and the first frame leave together', () => {
  const lac = new Puppet('lac')
  assert.equal(words(lac.command({ type: 'call' })), 'SCCRQ')
  assert.equal(words(lac.say(SCCRP)), 'SCCCN ICRQ')
  // The driver issues commands for events before it takes datagrams.
  lac.react = (event) =>
    event.type === 'sessionOpened' ? [{ type: 'send', session: event.session, frame: LCP }] : []
  assert.equal(words(lac.say(ICRP, lac.session)), 'ICCN data')
})

test('a call in an open tunnel is placed at once', () => {
  const lac = new Puppet('lac')
  lac.openTunnel()
  lac.zlb()
  const icrq = only(lac.command({ type: 'call' }), 'ICRQ')
  assert.deepEqual([icrq.tunnel, icrq.session], [PEER_TUNNEL, 0])
  assert.equal(icrq.message.assignedSessionId, lac.event('calling').session)
})

test('ICRP makes a session: ICCN goes to the id that the peer assigned', () => {
  const lac = new Puppet('lac')
  const iccn = only(lac.openCall(), 'ICCN')
  assert.equal(iccn.session, PEER_SESSION)
  assert.deepEqual(iccn.message, {
    type: 'ICCN',
    txConnectSpeed: 1_000_000_000,
    framingType: 1,
    sequencingRequired: false,
  })
  assert.deepEqual(lac.event('sessionOpened'), {
    type: 'sessionOpened',
    session: lac.session,
    peerSession: PEER_SESSION,
    localTunnel: lac.tunnel,
    peerTunnel: PEER_TUNNEL,
    peer: LNS,
    sequencing: false,
    call: undefined,
  })
})

test('the framing type is one that the peer advertised', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'call' })
  lac.say({ ...SCCRP, framingCapabilities: 2 })
  assert.equal(only(lac.say(ICRP, lac.session), 'ICCN').message.framingType, 2)
})

test('an LNS takes a call and tells what the LAC said of it', () => {
  const lns = new Puppet('lns')
  lns.say(SCCRQ, 0, { tunnel: 0 })
  lns.say({ type: 'SCCCN' })
  const icrp = only(lns.say({ ...ICRQ, callingNumber: encodeUtf8('0123') }), 'ICRP')
  assert.equal(icrp.session, PEER_SESSION)
  lns.say({ ...ICCN, rxConnectSpeed: 9 }, lns.session)
  assert.deepEqual(lns.event('sessionOpened').call, {
    serialNumber: 5,
    callingNumber: '0123',
    calledNumber: undefined,
    txSpeed: 1000,
    rxSpeed: 9,
  })
})

test('frames go both ways, and only while the session is established', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'call' })
  lac.say(SCCRP)
  const { session } = lac
  assert.deepEqual(lac.data(session, LCP), [])
  assert.deepEqual(lac.command({ type: 'send', session, frame: LCP }), [])
  lac.say(ICRP, session)
  lac.data(session, LCP)
  assert.equal(toHex(lac.event('received').frame), toHex(LCP))
  lac.data((session % 0xffff) + 1, LCP)
  lac.data(0, LCP)
  lac.event('received')
  const [data] = lac.command({ type: 'send', session, frame: LCP })
  assert.deepEqual(data, {
    kind: 'data',
    tunnel: PEER_TUNNEL,
    session: PEER_SESSION,
    ns: undefined,
    priority: false,
    to: LNS,
    frame: LCP,
  })
})

test('data messages from another port or tunnel are dropped', () => {
  const lac = new Puppet('lac')
  lac.openCall()
  const header = `0002 ${hex16(lac.tunnel)} ${hex16(lac.session)} c021`
  lac.raw(fromHex(header), { host: LNS.host, port: 1702 })
  lac.raw(fromHex(header), { host: '192.0.2.9', port: LNS.port })
  lac.raw(fromHex(`0002 ${hex16((lac.tunnel % 0xffff) + 1)} ${hex16(lac.session)} c021`))
  assert.ok(!lac.types().includes('received'))
  lac.raw(fromHex(header))
  assert.equal(toHex(lac.event('received').frame), 'c021')
})

// Sequence numbers on data messages, RFC 2661 section 5.4.

test('the LAC numbers its data messages when the LNS does, and goes on where it left off', () => {
  const lac = new Puppet('lac')
  lac.openCall()
  const { session } = lac
  const send = () => lac.command({ type: 'send', session, frame: LCP }).map((one) => one.ns)
  assert.deepEqual(send(), [undefined])
  lac.data(session, LCP, 0)
  assert.deepEqual([...send(), ...send()], [0, 1])
  lac.data(session, LCP)
  assert.deepEqual(send(), [undefined])
  lac.data(session, LCP, 1)
  assert.deepEqual(send(), [2])
  const changes = lac.events.flatMap((event) =>
    event.type === 'sequencingChanged' ? [event.sequencing] : [],
  )
  assert.deepEqual(changes, [true, false, true])
})

test('a LAC that requires numbers says so in ICCN and never stops', () => {
  const lac = new Puppet('lac', { sequencing: true })
  assert.equal(only(lac.openCall(), 'ICCN').message.sequencingRequired, true)
  assert.equal(lac.event('sessionOpened').sequencing, true)
  const { session } = lac
  lac.data(session, LCP)
  assert.deepEqual(
    lac.command({ type: 'send', session, frame: LCP }).map((one) => one.ns),
    [0],
  )
  assert.ok(!lac.types().includes('sequencingChanged'))
})

test('an LNS numbers when the LAC requires it, and when it is configured to', () => {
  for (const [sequencing, sequencingRequired, expected] of [
    [false, false, [undefined, undefined]],
    [true, false, [0, 1]],
    [false, true, [0, 1]],
  ] as const) {
    const lns = new Puppet('lns', { sequencing })
    lns.say(SCCRQ, 0, { tunnel: 0 })
    lns.say({ type: 'SCCCN' })
    lns.say(ICRQ)
    lns.say({ ...ICCN, sequencingRequired }, lns.session)
    lns.data(lns.session, LCP)
    const { session } = lns
    const sent = [1, 2].flatMap(() => lns.command({ type: 'send', session, frame: LCP }))
    assert.deepEqual(
      sent.map((one) => one.ns),
      expected,
    )
  }
})

// The end of a call.

test('clear sends CDN at once, in every state of a call', () => {
  const waiting = new Puppet('lac')
  waiting.command({ type: 'call' })
  const pending = new Puppet('lac')
  pending.openTunnel()
  pending.zlb()
  pending.command({ type: 'call' })
  const up = new Puppet('lac')
  up.openCall()
  up.zlb()
  const taking = new Puppet('lns')
  taking.say(SCCRQ, 0, { tunnel: 0 })
  taking.say({ type: 'SCCCN' })
  taking.say(ICRQ)
  const taken = new Puppet('lns')
  taken.takeCall()
  for (const [puppet, session, phase, header] of [
    [waiting, waiting.event('calling').session, 'opening', undefined],
    [pending, pending.session, 'calling', undefined],
    [up, up.session, 'established', PEER_SESSION],
    [taking, taking.session, 'calling', PEER_SESSION],
    [taken, taken.session, 'established', PEER_SESSION],
  ] as const) {
    puppet.zlb()
    const sent = puppet.command({ type: 'clear', session, result: 1, message: 'bye' })
    const { cause } = puppet.event('sessionClosed')
    assert.ok(cause.by === 'local')
    assert.deepEqual([cause.scope, cause.phase, cause.result], ['session', phase, 1])
    if (header === undefined) continue
    const cdn = only(sent, 'CDN')
    assert.equal(cdn.session, header)
    assert.deepEqual(cdn.message, {
      type: 'CDN',
      assignedSessionId: session,
      result: { result: 1, error: 0, message: encodeUtf8('bye') },
    })
    assert.deepEqual(puppet.command({ type: 'clear', session }), [])
  }
  // Nothing was said of the call that waited for the tunnel.
  assert.equal(words(waiting.say(SCCRP)), 'SCCCN')
  // The other one is known by the id that we assigned.
  assert.equal(words(pending.until(100)), '')
})

test('CDN from the peer, in every state of a call: acknowledged, nothing else', () => {
  const pending = new Puppet('lac')
  pending.command({ type: 'call' })
  pending.say(SCCRP)
  const up = new Puppet('lac')
  up.openCall()
  const taking = new Puppet('lns')
  taking.say(SCCRQ, 0, { tunnel: 0 })
  taking.say({ type: 'SCCCN' })
  taking.say(ICRQ)
  const taken = new Puppet('lns')
  taken.takeCall()
  for (const [puppet, phase] of [
    [pending, 'calling'],
    [up, 'established'],
    [taking, 'calling'],
    [taken, 'established'],
  ] as const) {
    assert.equal(words(puppet.say(CDN, puppet.session)), 'ZLB')
    const { cause } = puppet.event('sessionClosed')
    assert.ok(cause.by === 'peer')
    assert.deepEqual([cause.scope, cause.phase, cause.result], ['session', phase, 3])
    assert.equal(words(puppet.say(CDN, puppet.session)), 'ZLB')
    puppet.event('sessionClosed')
  }
})

test('a CDN with session id 0 is known by the assigned id, or means the only pending call', () => {
  const up = new Puppet('lac')
  up.openCall()
  up.say(CDN)
  assert.equal(up.event('sessionClosed').session, up.session)
  const pending = new Puppet('lac')
  pending.command({ type: 'call' })
  pending.say(SCCRP)
  pending.say({ ...CDN, result: { result: 4 } })
  assert.equal(pending.event('sessionClosed').session, pending.session)
  const two = new Puppet('lac')
  two.openTunnel()
  two.zlb()
  two.command({ type: 'call' })
  two.command({ type: 'call' })
  assert.equal(words(two.say({ ...CDN, result: { result: 4 } })), 'ZLB')
  assert.ok(!two.types().includes('sessionClosed'), 'which of the two is meant nobody can tell')
})

test('a CDN for a session that is not is acknowledged and changes nothing', () => {
  const lac = new Puppet('lac')
  lac.openCall()
  assert.equal(words(lac.say({ ...CDN, assignedSessionId: 99 }, (lac.session % 0xffff) + 1)), 'ZLB')
  assert.equal(words(lac.say({ ...CDN, assignedSessionId: 99 })), 'ZLB')
  assert.deepEqual(lac.types(), ['calling', 'opened', 'sessionOpened'])
})

test('a CDN whose contents are broken ends the session of its header', () => {
  for (const hex of [
    '8008 0000 0000 000e',
    '8008 0000 0000 000e 8007 0000 0001 01',
    '8008 0000 0000 000e 8001',
  ]) {
    const lac = new Puppet('lac')
    lac.openCall()
    lac.say(fromHex(hex), lac.session)
    const { cause } = lac.event('sessionClosed')
    assert.ok(cause.by === 'peer')
    assert.equal(cause.result, undefined)
  }
})

test('CDN crossing CDN leaves both sides clean: each acknowledges, neither answers', () => {
  const lac = new Puppet('lac')
  lac.openCall()
  lac.zlb()
  const before = lac.nr
  only(lac.command({ type: 'clear', session: lac.session }), 'CDN')
  lac.nr = before
  assert.equal(words(lac.say(CDN, lac.session)), 'ZLB')
  lac.nr = before + 1
  assert.deepEqual(lac.zlb(), [])
  lac.event('sessionClosed')
  assert.equal(words(lac.command({ type: 'call' })), 'ICRQ')
})

test('an ICRP that crosses our CDN is answered with a CDN to the id that it tells', () => {
  const lac = new Puppet('lac')
  lac.openTunnel()
  lac.zlb()
  lac.command({ type: 'call' })
  const first = only(lac.command({ type: 'clear', session: lac.session }), 'CDN')
  assert.equal(first.session, 0)
  const late = only(lac.say(ICRP, lac.session), 'CDN')
  assert.equal(late.session, PEER_SESSION)
  assert.equal(late.message.assignedSessionId, lac.session)
  lac.event('sessionClosed')
})

test('the end of the tunnel ends its sessions first, each with the phase it was in', () => {
  const lac = new Puppet('lac')
  lac.openCall()
  lac.zlb()
  lac.command({ type: 'call' })
  lac.say({ type: 'StopCCN', assignedTunnelId: PEER_TUNNEL, result: { result: 6 } })
  const closings = lac.events.flatMap((event) => {
    if (event.type !== 'sessionClosed' && event.type !== 'closed') return []
    return [[event.type, event.cause.scope, event.cause.phase]]
  })
  assert.deepEqual(closings, [
    ['sessionClosed', 'tunnel', 'established'],
    ['sessionClosed', 'tunnel', 'calling'],
    ['closed', 'tunnel', 'open'],
  ])
})

test('a call in a closed tunnel fails at once', () => {
  const lac = new Puppet('lac')
  lac.openTunnel()
  lac.command({ type: 'close' })
  lac.events.length = 0
  assert.deepEqual(lac.command({ type: 'call' }), [])
  assert.deepEqual(lac.types(), ['calling', 'sessionClosed'])
})

test('a new call follows in the same tunnel, with another id', () => {
  const lac = new Puppet('lac')
  lac.openCall()
  const first = lac.session
  lac.say(CDN, first)
  assert.equal(words(lac.command({ type: 'call' })), 'ICRQ')
  assert.notEqual(lac.session, first)
  assert.equal(words(lac.say({ ...ICRP, assignedSessionId: 8 }, lac.session)), 'ICCN')
})

test('two calls at once have ids and frames of their own', () => {
  const lac = new Puppet('lac')
  lac.openCall()
  const first = lac.session
  lac.zlb()
  lac.command({ type: 'call' })
  const second = lac.session
  lac.say({ ...ICRP, assignedSessionId: 8 }, second)
  lac.data(second, LCP)
  assert.equal(lac.event('received').session, second)
  lac.say(CDN, first)
  assert.equal(lac.event('sessionClosed').session, first)
  assert.equal(lac.command({ type: 'send', session: second, frame: LCP }).length, 1)
})

// Deadlines.

test('an ICRQ that is only acknowledged ends after the time for an answer, with CDN 10', () => {
  const lac = new Puppet('lac')
  lac.openTunnel()
  lac.zlb()
  lac.command({ type: 'call' })
  lac.zlb()
  assert.deepEqual(lac.until(19_999), [])
  assert.equal(only(lac.until(20_000), 'CDN').message.result?.result, 10)
  const { cause } = lac.event('sessionClosed')
  assert.ok(cause.by === 'timeout')
  assert.deepEqual([cause.scope, cause.phase, cause.awaited], ['session', 'calling', 'ICRP'])
})

test('an ICRP that is only acknowledged ends after the time for an answer, with CDN 10', () => {
  const lns = new Puppet('lns')
  lns.say(SCCRQ, 0, { tunnel: 0 })
  lns.say({ type: 'SCCCN' })
  lns.say(ICRQ)
  lns.zlb()
  assert.equal(only(lns.until(20_000), 'CDN').message.result?.result, 10)
  const { cause } = lns.event('sessionClosed')
  assert.ok(cause.by === 'timeout')
  assert.equal(cause.awaited, 'ICCN')
})

// Refusals, RFC 2661 sections 4.2, 7.1 and 7.4.

test('an LNS refuses calls by policy, and when there are too many', () => {
  const refusing = new Puppet('lns', { refuseCalls: { result: 6, message: 'unknown' } })
  refusing.say(SCCRQ, 0, { tunnel: 0 })
  refusing.say({ type: 'SCCCN' })
  const cdn = only(refusing.say(ICRQ), 'CDN')
  assert.deepEqual([cdn.session, cdn.message.result?.result], [PEER_SESSION, 6])
  assert.deepEqual(refusing.types(), ['opened'])
  const full = new Puppet('lns', { maxCalls: 1 })
  full.takeCall()
  assert.equal(only(full.say({ ...ICRQ, assignedSessionId: 8 }), 'CDN').message.result?.result, 4)
})

test('a LAC refuses incoming and outgoing calls, and lives on', () => {
  for (const name of ['ICRQ', 'OCRQ'] as const) {
    const lac = new Puppet('lac')
    lac.openCall()
    lac.zlb()
    const { session, message } = only(lac.say(bodyOf(name)), 'CDN')
    assert.deepEqual([session, message.result?.result], [8, 5])
    assert.deepEqual(lac.types(), ['calling', 'opened', 'sessionOpened'])
  }
})

test('WEN and SLI are acknowledged and ignored, also when malformed', () => {
  for (const hex of [
    `8008 0000 0000 000f 8020 0000 0022 ${'00'.repeat(26)}`,
    '8008 0000 0000 000f',
    `8008 0000 0000 0010 8010 0000 0023 ${'00'.repeat(10)}`,
    '8008 0000 0000 0010 8007 0000 0023 00',
  ]) {
    const lac = new Puppet('lac')
    lac.openCall()
    lac.zlb()
    assert.equal(words(lac.say(fromHex(hex), lac.session)), 'ZLB')
    assert.deepEqual(lac.types(), ['calling', 'opened', 'sessionOpened'])
  }
})

test('an unknown mandatory AVP ends the session, not the tunnel', () => {
  const odd = fromHex('8008 0000 0063 0001')
  const lac = new Puppet('lac')
  lac.command({ type: 'call' })
  lac.say(SCCRP)
  const cdn = only(lac.say(concat(encodeMessage(ICRP), odd), lac.session), 'CDN')
  assert.deepEqual(cdn.message.result, { result: 2, error: 8, message: encodeUtf8('attribute 99') })
  const { cause } = lac.event('sessionClosed')
  assert.ok(cause.by === 'protocol')
  assert.equal(cause.violation, 'avpUnknown')

  const lns = new Puppet('lns')
  lns.say(SCCRQ, 0, { tunnel: 0 })
  lns.say({ type: 'SCCCN' })
  assert.equal(only(lns.say(concat(encodeMessage(ICRQ), odd)), 'CDN').session, PEER_SESSION)
  assert.equal(words(lns.say({ ...ICRQ, assignedSessionId: 8 })), 'ICRP')

  const sli = new Puppet('lac')
  sli.openCall()
  const body = concat(fromHex(`8008 0000 0000 0010 8010 0000 0023 ${'00'.repeat(10)}`), odd)
  assert.equal(words(sli.say(body, sli.session)), 'CDN')
})

test('messages out of place end the session with a CDN, or without where the RFC says so', () => {
  const out: readonly (readonly ['pending' | 'up', MessageName, string])[] = [
    ['pending', 'ICRQ', 'CDN'],
    ['pending', 'ICCN', 'ZLB'],
    ['pending', 'OCRP', 'CDN'],
    ['pending', 'OCRQ', 'CDN'],
    ['up', 'ICRQ', 'CDN'],
    ['up', 'ICRP', 'CDN'],
    ['up', 'ICCN', 'CDN'],
    ['up', 'OCCN', 'CDN'],
  ]
  for (const [state, name, answer] of out) {
    const lac = new Puppet('lac')
    lac.command({ type: 'call' })
    lac.say(SCCRP)
    if (state === 'up') lac.say(ICRP, lac.session)
    lac.zlb()
    assert.equal(words(lac.say(bodyOf(name), lac.session)), answer, `${state} ${name}`)
    lac.event('sessionClosed')
    assert.ok(!lac.types().includes('closed'))
  }
})

test('messages for a session that never was', () => {
  const answers: readonly (readonly ['lac' | 'lns', MessageName, string])[] = [
    ['lac', 'ICRP', 'CDN'],
    ['lac', 'ICCN', 'ZLB'],
    ['lac', 'OCRP', 'ZLB'],
    ['lac', 'OCCN', 'ZLB'],
    ['lns', 'ICRP', 'CDN'],
    ['lns', 'ICCN', 'ZLB'],
  ]
  for (const [role, name, answer] of answers) {
    const puppet = new Puppet(role)
    if (role === 'lac') puppet.openTunnel()
    else {
      puppet.say(SCCRQ, 0, { tunnel: 0 })
      puppet.say({ type: 'SCCCN' })
    }
    puppet.zlb()
    assert.equal(words(puppet.say(bodyOf(name), 1234)), answer, `${role} ${name}`)
    assert.deepEqual(puppet.types(), ['opened'])
  }
})

/** A message of that type with what it requires, by hand: some of them we never send. */
function bodyOf(name: MessageName): Uint8Array {
  const encodable: Partial<Record<MessageName, SendableMessage>> = {
    ICRQ: { ...ICRQ, assignedSessionId: 8 },
    ICRP: { ...ICRP, assignedSessionId: 8 },
    ICCN,
  }
  const message = encodable[name]
  if (message) return encodeMessage(message)
  const session = '8008 0000 000e 0008'
  const speed = '800a 0000 0018 00000001'
  const framing = '800a 0000 0013 00000001'
  const rest: Partial<Record<MessageName, string>> = {
    OCRQ: `${session} 800a 0000 000f 00000001 800a 0000 0010 00000001 800a 0000 0011 00000001 800a 0000 0012 00000001 ${framing} 8008 0000 0015 3432`,
    OCRP: session,
    OCCN: speed + framing,
  }
  return fromHex(`8008 0000 0000 ${hex16(MESSAGE_TYPES[name])} ${rest[name] ?? ''}`)
}

function hex16(value: number): string {
  return value.toString(16).padStart(4, '0')
}
