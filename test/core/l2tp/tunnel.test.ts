import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, encodeUtf8, fromHex } from '../../../src/core/bytes.ts'
import { describeCause } from '../../../src/core/l2tp/cause.ts'
import { challengeResponse } from '../../../src/core/l2tp/challenge.ts'
import { encodeControl } from '../../../src/core/l2tp/header.ts'
import { encodeMessage } from '../../../src/core/l2tp/message-encode.ts'
import { millis } from '../../../src/core/time.ts'
import { digests, LAC, LNS } from './pair.ts'
import { ICRP, ICRQ, only, PEER_TUNNEL, Puppet, SCCRP, SCCRQ, words } from './puppet.ts'

const secret = encodeUtf8('tunnelsecret')
const OTHER_PORT = { host: LNS.host, port: 49_152 }
const STOP = { type: 'StopCCN', assignedTunnelId: PEER_TUNNEL, result: { result: 1 } } as const

test('SCCRQ goes to tunnel 0 and carries what RFC 2661 section 6.1 requires, and nothing unknown', () => {
  const lac = new Puppet('lac', { receiveWindow: 8 })
  const { tunnel, session, ns, nr, to, message } = only(lac.command({ type: 'open' }), 'SCCRQ')
  assert.deepEqual([tunnel, session, ns, nr, to], [0, 0, 0, 0, LNS])
  const { assignedTunnelId, ...rest } = message
  assert.ok(assignedTunnelId > 0)
  assert.deepEqual(rest, {
    type: 'SCCRQ',
    protocolVersion: 0x0100,
    framingCapabilities: 3,
    bearerCapabilities: 0,
    firmwareRevision: 0x0100,
    hostName: encodeUtf8('lac.example'),
    vendorName: encodeUtf8('lifeline'),
    receiveWindowSize: 8,
  })
})

test('a second open, and open while established, do nothing', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'open' })
  assert.deepEqual(lac.command({ type: 'open' }), [])
  lac.say(SCCRP)
  assert.deepEqual(lac.command({ type: 'open' }), [])
})

test('SCCRP with the least that an LNS may send opens the tunnel', () => {
  const lac = new Puppet('lac')
  const scccn = only(lac.openTunnel(), 'SCCCN')
  assert.deepEqual([scccn.tunnel, scccn.session, scccn.ns, scccn.nr], [PEER_TUNNEL, 0, 1, 1])
  assert.deepEqual(lac.event('opened'), {
    type: 'opened',
    localTunnel: lac.tunnel,
    peerTunnel: PEER_TUNNEL,
    peer: LNS,
    hostName: 'peer.example',
    vendor: undefined,
    firmware: undefined,
    window: 4,
    authenticated: false,
  })
})

test('an LNS answers SCCRQ, and SCCCN opens', () => {
  const lns = new Puppet('lns')
  const sccrp = only(lns.say(SCCRQ, 0, { tunnel: 0 }), 'SCCRP')
  assert.deepEqual([sccrp.tunnel, sccrp.ns, sccrp.nr, sccrp.to], [PEER_TUNNEL, 0, 1, LAC])
  assert.deepEqual(lns.events, [])
  assert.equal(words(lns.say({ type: 'SCCCN' })), 'ZLB')
  assert.equal(lns.event('opened').hostName, 'peer.example')
})

test('an SCCRQ that comes again is acknowledged, another one is not of this tunnel', () => {
  const lns = new Puppet('lns')
  const sccrq = encodeControl({ tunnel: 0, session: 0, ns: 0, nr: 0 }, encodeMessage(SCCRQ))
  const other = encodeControl(
    { tunnel: 0, session: 0, ns: 0, nr: 0 },
    encodeMessage({ ...SCCRQ, assignedTunnelId: 701 }),
  )
  assert.equal(words(lns.raw(sccrq)), 'SCCRP')
  assert.equal(words(lns.raw(sccrq)), 'ZLB')
  assert.equal(words(lns.raw(other)), '')
  lns.ns = 1
  lns.say({ type: 'SCCCN' })
  assert.equal(words(lns.raw(sccrq)), 'ZLB')
  assert.equal(words(lns.raw(other)), '')
  assert.deepEqual(lns.types(), ['opened'])
})

test('an LNS hears nothing but an SCCRQ before it has a tunnel', () => {
  const lns = new Puppet('lns')
  for (const message of [SCCRP, { type: 'SCCCN' }, { type: 'HELLO' }, STOP, ICRQ] as const) {
    lns.ns = 0
    assert.deepEqual(lns.say(message, 0, { tunnel: 0 }), [], message.type)
  }
  assert.deepEqual(lns.raw(encodeControl({ tunnel: 0, session: 0, ns: 0, nr: 0 }, new Uint8Array())), [])
  assert.deepEqual(lns.events, [])
})

test('what comes for a foreign tunnel id, or from a foreign address, is dropped', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'open' })
  const wrongTunnel = { tunnel: (lac.tunnel % 0xffff) + 1 }
  assert.deepEqual(lac.say(SCCRP, 0, wrongTunnel), [])
  lac.ns = 0
  assert.deepEqual(lac.say(SCCRP, 0, { tunnel: 0 }), [])
  lac.ns = 0
  assert.deepEqual(lac.say(SCCRP, 0, { from: { host: '192.0.2.9', port: 1701 } }), [])
  lac.ns = 0
  assert.equal(words(lac.say(SCCRP)), 'SCCCN')
  assert.deepEqual(lac.say(STOP, 0, wrongTunnel), [])
  lac.ns = 1
  assert.deepEqual(lac.say(STOP, 0, { from: OTHER_PORT }), [])
  assert.deepEqual(lac.types(), ['opened'])
})

test('an answer from another port is learnt once, then the address is fixed (section 8.1)', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'open' })
  const sent = lac.say(SCCRP, 0, { from: OTHER_PORT })
  assert.deepEqual(only(sent, 'SCCCN').to, OTHER_PORT)
  assert.deepEqual(lac.types(), ['peerChanged', 'opened'])
  assert.deepEqual(lac.event('peerChanged').peer, OTHER_PORT)
  assert.deepEqual(lac.event('opened').peer, OTHER_PORT)
  assert.deepEqual(lac.say({ type: 'HELLO' }, 0, { from: LNS }), [])
  lac.ns = 1
  assert.equal(words(lac.say({ type: 'HELLO' }, 0, { from: OTHER_PORT })), 'ZLB')
})

test('a refusal from another port is taken, and acknowledged there', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'open' })
  const sent = lac.say({ ...STOP, result: { result: 4 } }, 0, { from: OTHER_PORT })
  assert.deepEqual(
    sent.map(({ tunnel, to }) => [tunnel, to]),
    [[PEER_TUNNEL, OTHER_PORT]],
  )
  assert.equal(words(sent), 'ZLB')
  const { cause } = lac.event('closed')
  assert.ok(cause.by === 'peer')
  assert.deepEqual([cause.phase, cause.result], ['opening', 4])
})

test('the peer is shown as printable text', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'open' })
  lac.say({ ...SCCRP, hostName: fromHex('6c6e73 0a 1b'), vendorName: fromHex('76 80'), firmwareRevision: 3 })
  const { hostName, vendor, firmware } = lac.event('opened')
  assert.deepEqual([hostName, vendor, firmware], ['lns??', 'v?', 3])
})

// Authentication, RFC 2661 section 5.1.1.

test('with a secret both sides challenge, and the right answers open', () => {
  const lac = new Puppet('lac', { secret })
  const { challenge } = only(lac.command({ type: 'open' }), 'SCCRQ').message
  assert.equal(challenge?.length, 16)
  const theirs = fromHex('0102030405')
  const response = challengeResponse(digests, secret, 'SCCRP', challenge)
  const sent = lac.say({ ...SCCRP, challenge: theirs, challengeResponse: response })
  const expected = challengeResponse(digests, secret, 'SCCCN', theirs)
  assert.deepEqual(only(sent, 'SCCCN').message.challengeResponse, expected)
  assert.equal(lac.event('opened').authenticated, true)
})

test('an LNS with a secret checks SCCCN', () => {
  for (const right of [true, false]) {
    const lns = new Puppet('lns', { secret })
    const sccrp = only(lns.say({ ...SCCRQ, challenge: fromHex('0a0b') }, 0, { tunnel: 0 }), 'SCCRP').message
    const answer = challengeResponse(digests, secret, 'SCCRP', fromHex('0a0b'))
    assert.deepEqual(sccrp.challengeResponse, answer)
    assert.ok(sccrp.challenge)
    const key = right ? secret : encodeUtf8('another')
    const sent = lns.say({
      type: 'SCCCN',
      challengeResponse: challengeResponse(digests, key, 'SCCCN', sccrp.challenge),
    })
    assert.equal(words(sent), right ? 'ZLB' : 'StopCCN')
    assert.deepEqual(lns.types(), right ? ['opened'] : ['closed'])
  }
})

const REFUSALS = [
  ['no Challenge Response', SCCRP, 'challengeResponseMissing', /did not answer our challenge/],
  [
    'a wrong Challenge Response',
    { ...SCCRP, challengeResponse: new Uint8Array(16) },
    'challengeResponseWrong',
    /secrets differ/,
  ],
] as const

for (const [what, sccrp, violation, sentence] of REFUSALS) {
  test(`a LAC with a secret refuses ${what}`, () => {
    const lac = new Puppet('lac', { secret })
    lac.command({ type: 'call' })
    const { tunnel, message } = only(lac.say(sccrp), 'StopCCN')
    assert.equal(tunnel, PEER_TUNNEL)
    assert.equal(message.assignedTunnelId, lac.tunnel)
    assert.equal(message.result?.result, 4)
    assert.deepEqual(lac.types(), ['calling', 'sessionClosed', 'closed'])
    const { cause } = lac.event('closed')
    assert.ok(cause.by === 'protocol')
    assert.deepEqual([cause.violation, cause.phase, cause.result], [violation, 'opening', 4])
    assert.match(describeCause(cause), sentence)
  })
}

test('a challenge cannot be answered without a secret', () => {
  const challenge = fromHex('0102')
  const lac = new Puppet('lac')
  lac.command({ type: 'open' })
  assert.equal(only(lac.say({ ...SCCRP, challenge }), 'StopCCN').message.result?.result, 4)
  const lns = new Puppet('lns')
  const refused = only(lns.say({ ...SCCRQ, challenge }, 0, { tunnel: 0 }), 'StopCCN')
  assert.equal(refused.tunnel, PEER_TUNNEL)
  for (const { cause } of [lac.event('closed'), lns.event('closed')]) {
    assert.ok(cause.by === 'protocol')
    assert.equal(cause.violation, 'secretNeeded')
  }
})

test('another protocol version is refused with the one that is supported, a newer revision is not', () => {
  const lns = new Puppet('lns')
  const { message } = only(lns.say({ ...SCCRQ, protocolVersion: 0x0200 }, 0, { tunnel: 0 }), 'StopCCN')
  assert.deepEqual([message.result?.result, message.result?.error], [5, 0x0100])
  const lac = new Puppet('lac')
  lac.command({ type: 'open' })
  assert.equal(words(lac.say({ ...SCCRP, protocolVersion: 0x0107 })), 'SCCCN')
})

test('an LNS refuses tunnels by policy', () => {
  const lns = new Puppet('lns', { refuseTunnels: { result: 2, error: 7, message: 'go away' } })
  const { message } = only(lns.say(SCCRQ, 0, { tunnel: 0 }), 'StopCCN')
  assert.deepEqual(message.result, { result: 2, error: 7, message: encodeUtf8('go away') })
  const { cause } = lns.event('closed')
  assert.ok(cause.by === 'protocol')
  assert.equal(cause.violation, 'refused')
})

// Messages that break the rules, RFC 2661 sections 4.2 and 7.1.

const unknownMandatory = fromHex('8008 0000 0063 0001')

test('an unknown mandatory AVP in SCCRP ends the tunnel with error 8, named', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'open' })
  const { tunnel, message } = only(lac.say(concat(encodeMessage(SCCRP), unknownMandatory)), 'StopCCN')
  assert.equal(tunnel, PEER_TUNNEL)
  assert.deepEqual(message.result, { result: 2, error: 8, message: encodeUtf8('attribute 99') })
  const { cause } = lac.event('closed')
  assert.ok(cause.by === 'protocol')
  assert.equal(cause.violation, 'avpUnknown')
})

test('the same in SCCRQ and in HELLO', () => {
  const lns = new Puppet('lns')
  const sent = lns.say(concat(encodeMessage(SCCRQ), unknownMandatory), 0, { tunnel: 0 })
  assert.deepEqual([only(sent, 'StopCCN').tunnel, lns.types()], [PEER_TUNNEL, ['closed']])
  const lac = new Puppet('lac')
  lac.openTunnel()
  assert.equal(words(lac.say(concat(encodeMessage({ type: 'HELLO' }), unknownMandatory))), 'StopCCN')
})

test('an unknown message ends the tunnel if it is mandatory, else it is acknowledged and ignored', () => {
  const lac = new Puppet('lac')
  lac.openTunnel()
  assert.equal(words(lac.say(fromHex('0008 0000 0000 0014'))), 'ZLB')
  const { message } = only(lac.say(fromHex('8008 0000 0000 0014')), 'StopCCN')
  assert.deepEqual([message.result?.result, message.result?.error], [2, 8])
})

test('messages out of sequence end the tunnel with result 7', () => {
  for (const message of [SCCRQ, SCCRP, { type: 'SCCCN' }] as const) {
    const lac = new Puppet('lac')
    lac.openTunnel()
    assert.equal(only(lac.say(message), 'StopCCN').message.result?.result, 7)
  }
  const early = new Puppet('lac')
  early.command({ type: 'open' })
  assert.equal(only(early.say(ICRP), 'StopCCN').message.result?.result, 7)
  const confirmed = new Puppet('lac')
  confirmed.command({ type: 'open' })
  assert.equal(only(confirmed.say({ type: 'SCCCN' }), 'StopCCN').message.result?.result, 7)
  const lns = new Puppet('lns')
  lns.say(SCCRQ, 0, { tunnel: 0 })
  assert.equal(only(lns.say(ICRQ), 'StopCCN').message.result?.result, 7)
})

test('HELLO is acknowledged in every state of the opening', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'open' })
  assert.equal(words(lac.say({ type: 'HELLO' })), 'ZLB')
  const lns = new Puppet('lns')
  lns.say(SCCRQ, 0, { tunnel: 0 })
  assert.equal(words(lns.say({ type: 'HELLO' })), 'ZLB')
})

test('a peer that asks on and on without acknowledging is cut off', () => {
  const lns = new Puppet('lns', { refuseCalls: { result: 4 } })
  lns.say(SCCRQ, 0, { tunnel: 0 })
  lns.say({ type: 'SCCCN' })
  lns.nr = 1
  for (let call = 0; call < 300 && lns.types().length === 1; call++) {
    lns.say({ ...ICRQ, assignedSessionId: call + 1 })
    lns.nr = 1
  }
  const { cause } = lns.event('closed')
  assert.ok(cause.by === 'protocol')
  assert.deepEqual([cause.result, cause.error], [2, 4])
})

// A collision of two SCCRQs, RFC 2661 section 4.4.3 (Tie Breaker).

test('a LAC whose peer opens with a Tie Breaker takes that tunnel, and its calls go there', () => {
  const lac = new Puppet('lac')
  const first = only(lac.command({ type: 'call' }), 'SCCRQ').message.assignedTunnelId
  // The peer has not seen our SCCRQ, nor counted it.
  lac.nr = 0
  const sccrp = only(lac.say({ ...SCCRQ, tieBreaker: new Uint8Array(8) }, 0, { tunnel: 0 }), 'SCCRP')
  assert.notEqual(sccrp.message.assignedTunnelId, first)
  assert.deepEqual([sccrp.ns, sccrp.nr], [0, 1])
  assert.equal(words(lac.say({ type: 'SCCCN' })), 'ICRQ')
  assert.deepEqual(lac.types(), ['calling', 'opened'])
})

test('an SCCRQ without a Tie Breaker asks for a second tunnel, which there is not', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'open' })
  assert.deepEqual(lac.say(SCCRQ, 0, { tunnel: 0 }), [])
  lac.ns = 0
  assert.equal(words(lac.say(SCCRP)), 'SCCCN')
})

// Keepalive and deadlines, RFC 2661 sections 5.5 and 5.8.

test('HELLO after helloInterval of silence; anything that arrives postpones it', () => {
  const lac = new Puppet('lac', { helloInterval: millis(25_000) })
  lac.openTunnel()
  lac.zlb()
  assert.deepEqual(lac.until(20_000), [])
  lac.say({ type: 'HELLO' })
  assert.deepEqual(lac.until(40_000), [])
  lac.command({ type: 'alive' })
  assert.deepEqual(lac.until(64_999), [])
  assert.equal(words(lac.until(65_000)), 'HELLO')
  lac.zlb()
  assert.equal(words(lac.until(90_000)), 'HELLO')
})

test('a dead peer is noticed within 38.3 s of its last sign of life, with hello 25', () => {
  const lac = new Puppet('lac', { helloInterval: millis(25_000) })
  lac.openTunnel()
  lac.now = 10
  lac.zlb()
  const sent = lac.until(38_310)
  assert.equal(words(sent), 'HELLO HELLO HELLO HELLO HELLO HELLO')
  const { cause } = lac.event('closed')
  assert.deepEqual(cause, {
    by: 'timeout',
    scope: 'tunnel',
    phase: 'open',
    awaited: 'acknowledgement',
    transmissions: 6,
  })
  assert.equal(lac.event('finished').acknowledged, false)
  assert.equal(lac.endpoint.pollTimeout(), undefined)
})

test('packets that cannot be of this connection do not postpone HELLO', () => {
  const lac = new Puppet('lac', { helloInterval: millis(25_000) })
  lac.openTunnel()
  lac.zlb()
  lac.now = 20_000
  const { nr } = lac
  lac.nr = nr + 9
  assert.deepEqual(lac.zlb(), [])
  lac.nr = nr
  assert.equal(words(lac.until(25_000)), 'HELLO')
})

test('helloInterval 0 sends none', () => {
  const lac = new Puppet('lac', { helloInterval: millis(0) })
  lac.openTunnel()
  lac.zlb()
  assert.equal(lac.endpoint.pollTimeout(), undefined)
})

test('an SCCRQ that nobody answers ends after its attempts', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'call' })
  const sent = lac.until(60_000)
  assert.equal(words(sent), 'SCCRQ SCCRQ SCCRQ SCCRQ')
  assert.deepEqual(lac.types(), ['calling', 'sessionClosed', 'closed', 'finished'])
  const { cause } = lac.event('closed')
  assert.ok(cause.by === 'timeout')
  assert.deepEqual([cause.phase, cause.awaited, cause.transmissions], ['opening', 'acknowledgement', 5])
})

test('an SCCRQ that is only acknowledged ends after the time for an answer', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'open' })
  lac.zlb()
  assert.deepEqual(lac.until(19_999), [])
  assert.deepEqual(lac.types(), [])
  assert.deepEqual(lac.until(20_000), [], 'to an id 0 nobody knows what ends')
  const { cause } = lac.event('closed')
  assert.ok(cause.by === 'timeout')
  assert.equal(cause.awaited, 'SCCRP')
})

test('an SCCRP that is only acknowledged ends after the time for an answer', () => {
  const lns = new Puppet('lns')
  lns.say(SCCRQ, 0, { tunnel: 0 })
  lns.zlb()
  assert.equal(words(lns.until(20_000)), 'StopCCN')
  const { cause } = lns.event('closed')
  assert.ok(cause.by === 'timeout')
  assert.equal(cause.awaited, 'SCCCN')
})

// The end, RFC 2661 sections 5.7 and 7.6.

test('close sends StopCCN, and its acknowledgement finishes', () => {
  const lac = new Puppet('lac')
  lac.openTunnel()
  lac.zlb()
  const { tunnel, message } = only(lac.command({ type: 'close', result: 6, message: 'bye' }), 'StopCCN')
  assert.equal(tunnel, PEER_TUNNEL)
  assert.deepEqual(message, {
    type: 'StopCCN',
    assignedTunnelId: lac.tunnel,
    result: { result: 6, error: 0, message: encodeUtf8('bye') },
  })
  assert.deepEqual(lac.types(), ['opened', 'closed'])
  const { cause } = lac.event('closed')
  assert.ok(cause.by === 'local')
  assert.deepEqual([cause.phase, cause.result], ['open', 6])
  assert.deepEqual(lac.zlb(), [])
  assert.equal(lac.event('finished').acknowledged, true)
})

test('a StopCCN that nobody acknowledges is repeated, then given up', () => {
  const lac = new Puppet('lac')
  lac.openTunnel()
  lac.zlb()
  lac.command({ type: 'close' })
  assert.equal(words(lac.until(60_000)), 'StopCCN StopCCN StopCCN StopCCN StopCCN')
  assert.equal(lac.event('finished').acknowledged, false)
  assert.equal(lac.endpoint.pollTimeout(), undefined)
})

test('StopCCN does not wait behind the congestion window', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'call' })
  lac.say(SCCRP)
  assert.equal(words(lac.command({ type: 'close' })), 'StopCCN')
})

test('close before anything was sent', () => {
  const lac = new Puppet('lac')
  assert.deepEqual(lac.command({ type: 'close' }), [])
  assert.deepEqual(lac.types(), ['closed', 'finished'])
  assert.equal(lac.endpoint.pollTimeout(), undefined)
  assert.deepEqual(lac.command({ type: 'open' }), [])
})

test('a dial that is given up falls silent at once, and whatever comes but an SCCRP is not answered', () => {
  const lac = new Puppet('lac')
  lac.command({ type: 'call' })
  lac.until(600)
  assert.deepEqual(lac.command({ type: 'close' }), [])
  assert.deepEqual(lac.types(), ['calling', 'sessionClosed', 'closed'])
  assert.deepEqual(lac.until(20_000), [], 'SCCRQ is not repeated')
  for (const message of [{ type: 'HELLO' }, STOP, ICRP, SCCRQ] as const) {
    lac.ns = 0
    assert.deepEqual([...lac.say(message), ...lac.say(message, 0, { tunnel: 0 }), ...lac.zlb()], [])
  }
  assert.deepEqual(lac.until(60_000), [])
  assert.equal(lac.event('finished').acknowledged, false)
  assert.equal(lac.endpoint.pollTimeout(), undefined)
  lac.ns = 0
  assert.deepEqual(lac.say(SCCRP), [], 'after half a minute nobody is there any more')
})

test('an SCCRP that comes after a dial was given up is refused under the id that it assigns', () => {
  const ways: readonly ((lac: Puppet) => void)[] = [
    (lac) => lac.command({ type: 'close' }),
    // Nobody has answered for so long.
    (lac) => lac.until(12_000),
    // It was acknowledged, and no more came.
    (lac) => {
      lac.zlb()
      lac.until(20_000)
    },
  ]
  const late = [SCCRP, { ...SCCRP, protocolVersion: 0x0200 }]
  for (const giveUp of ways)
    for (const answer of late)
      for (const from of [LNS, OTHER_PORT]) {
        const lac = new Puppet('lac')
        lac.command({ type: 'open' })
        giveUp(lac)
        assert.equal(lac.types().at(-1), 'closed')
        lac.now += 1000
        const stop = only(lac.say(answer, 0, { from }), 'StopCCN')
        assert.deepEqual([stop.tunnel, stop.ns, stop.nr, stop.to], [PEER_TUNNEL, 1, 1, from])
        assert.equal(stop.message.assignedTunnelId, lac.tunnel)
        assert.equal(lac.types().at(-1), 'answeredLate')
        assert.equal(words(lac.until(lac.now + 500)), 'StopCCN', 'until it is acknowledged')
        assert.deepEqual(
          lac.raw(encodeControl({ tunnel: lac.tunnel, session: 0, ns: 1, nr: 2 }, new Uint8Array()), from),
          [],
        )
        assert.deepEqual(lac.until(lac.now + 60_000), [])
        assert.equal(lac.endpoint.pollTimeout(), undefined)
      }
})

test('StopCCN to tunnel 0 names the id of who sends it, which an LNS recognizes', () => {
  const lns = new Puppet('lns')
  lns.say(SCCRQ, 0, { tunnel: 0 })
  assert.equal(words(lns.say(STOP, 0, { tunnel: 0 })), 'ZLB')
  assert.deepEqual(lns.types(), ['closed', 'finished'])
})

test('StopCCN from the peer, in every state: acknowledged, for 31 s again and again', () => {
  const opening = new Puppet('lac')
  opening.command({ type: 'open' })
  const open = new Puppet('lac')
  open.openTunnel()
  const up = new Puppet('lac')
  up.openCall()
  const answering = new Puppet('lns')
  answering.say(SCCRQ, 0, { tunnel: 0 })
  for (const puppet of [opening, open, up, answering]) {
    assert.equal(words(puppet.say(STOP)), 'ZLB')
    const { cause } = puppet.event('closed')
    assert.ok(cause.by === 'peer')
    assert.equal(cause.result, 1)
    puppet.until(30_000)
    puppet.ns -= 1
    assert.equal(words(puppet.say(STOP)), 'ZLB')
    puppet.until(31_000)
    assert.equal(puppet.endpoint.pollTimeout(), undefined)
    puppet.ns -= 1
    assert.deepEqual(puppet.say(STOP), [])
    assert.equal(puppet.types().filter((type) => type === 'closed').length, 1)
  }
})

test('StopCCN crossing StopCCN ends at once on both sides', () => {
  const lac = new Puppet('lac')
  lac.openTunnel()
  const before = lac.nr
  lac.command({ type: 'close' })
  lac.nr = before
  assert.equal(words(lac.say(STOP)), 'ZLB')
  assert.equal(lac.event('finished').acknowledged, true)
  const { cause } = lac.event('closed')
  assert.equal(cause.by, 'local')
  assert.equal(words(lac.until(60_000)), '')
})

test('a StopCCN whose Result Code is missing, short or padded ends the tunnel all the same', () => {
  const type = '8008 0000 0000 0004'
  const id = '8008 0000 0009 02bc'
  for (const [hex, result] of [
    [`${type}${id}`, undefined],
    [`${type}800e 0000 0001 0001 0000 00000000${id}`, 1],
    [`${type}8007 0000 0001 01${id}`, undefined],
    [type, undefined],
  ] as const) {
    const lac = new Puppet('lac')
    lac.openTunnel()
    assert.equal(words(lac.say(fromHex(hex))), 'ZLB')
    const { cause } = lac.event('closed')
    assert.ok(cause.by === 'peer')
    assert.equal(cause.result, result)
  }
})

test('after the end nothing is accepted any more', () => {
  const lac = new Puppet('lac')
  lac.openCall()
  lac.say(STOP)
  const count = lac.events.length
  assert.equal(words(lac.say(SCCRP)), 'ZLB')
  assert.deepEqual(lac.data(lac.session, fromHex('c021')), [])
  assert.deepEqual(lac.command({ type: 'send', session: lac.session, frame: fromHex('c021') }), [])
  assert.deepEqual(lac.command({ type: 'close' }), [])
  assert.equal(lac.events.length, count)
})
