/** What l2tpns 2.4.1 said to another client, replayed to our endpoints: see test/fixtures/l2tpns. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { ByteWriter, encodeUtf8, toHex } from '../../../src/core/bytes.ts'
import { L2tpEndpoint } from '../../../src/core/l2tp/endpoint.ts'
import { decodePacket } from '../../../src/core/l2tp/header.ts'
import { decodeMessage } from '../../../src/core/l2tp/message-decode.ts'
import type { ControlMessage } from '../../../src/core/l2tp/messages.ts'
import type { L2tpCommand, L2tpEvent, L2tpOptions } from '../../../src/core/l2tp/types.ts'
import { millis } from '../../../src/core/time.ts'
import { type CapturedPacket, readPcap } from '../../sim/pcap.ts'
import { digests } from './pair.ts'

const FOLDER = new URL('../../fixtures/l2tpns/', import.meta.url).pathname
const SECRET = encodeUtf8('tunnelsecret')

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.pcap'))) {
  test(`${file}: every packet can be read`, () => {
    let control = 0
    for (const { bytes } of readPcap(FOLDER + file)) {
      const packet = decodePacket(bytes)
      assert.ok(packet.ok, toHex(bytes))
      if (packet.value.kind === 'data') {
        assert.ok(packet.value.frame.length > 0)
        continue
      }
      control += 1
      if (packet.value.body.length === 0) continue
      const message = decodeMessage(packet.value.body, { digests, secret: SECRET })
      if (message.ok) assert.notEqual(message.value.type, 'ignored')
      else assert.equal(`${file} ${message.error.violation}`, 'l2tpns-avp-unknown-mandatory.pcap avpUnknown')
    }
    assert.ok(control >= 2)
  })
}

test('l2tpns-chap-ok.pcap holds what its description says', () => {
  const seen = readPcap(`${FOLDER}l2tpns-chap-ok.pcap`).map(({ direction, bytes }) => {
    const packet = decodePacket(bytes)
    const kind = packet.ok && packet.value.kind === 'control' ? wordOf(bytes) : 'data'
    return `${direction === 'toLns' ? '>' : '<'}${kind}`
  })
  assert.deepEqual(seen.slice(0, 11), [
    '>SCCRQ',
    '<SCCRP',
    '>SCCCN',
    '>ICRQ',
    '<ZLB',
    '<ICRP',
    '>ICCN',
    '>data',
    '<ZLB',
    '<data',
    '<data',
  ])
})

test('a LAC follows l2tpns from SCCRQ to StopCCN, and finds its Challenge Response right', () => {
  const { events, answers } = replayToLac('l2tpns-chap-ok.pcap', { secret: SECRET })
  assert.deepEqual(named(events), [
    'opened',
    'calling',
    'sessionOpened',
    'sessionClosed',
    'closed',
    'finished',
  ])
  const opened = events.find((event) => event.type === 'opened')
  assert.deepEqual(
    [opened?.hostName, opened?.peerTunnel, opened?.window, opened?.authenticated],
    ['lns.example', 8, 4, true],
  )
  const session = events.find((event) => event.type === 'sessionOpened')
  assert.deepEqual([session?.session, session?.peerSession], [35563, 14])
  assert.ok(events.filter((event) => event.type === 'received').length > 10)
  assert.deepEqual(answers.slice(0, 4), ['SCCRQ', 'SCCCN', 'ICRQ', 'ICCN'])
})

test('a LAC refuses the l2tpns whose secret differs', () => {
  const { events } = replayToLac('l2tpns-challenge-without-secret-wrong.pcap', {
    secret: encodeUtf8('not the secret'),
  })
  const closed = events.find((event) => event.type === 'closed')
  assert.ok(closed?.cause.by === 'protocol')
  assert.equal(closed.cause.violation, 'challengeResponseWrong')
})

/** By peer: what ends it (event, scope, phase, result). */
const ENDINGS = [
  ['l2tpns-auth-fail-chap.pcap', 'sessionClosed', 'session', 'established', 3],
  ['l2tpns-lns-drop-session.pcap', 'sessionClosed', 'session', 'established', 3],
  ['l2tpns-hello-dead-client.pcap', 'sessionClosed', 'session', 'established', 3],
  ['l2tpns-lns-drop-tunnel.pcap', 'closed', 'tunnel', 'open', 1],
  ['l2tpns-lns-shutdown-quit.pcap', 'closed', 'tunnel', 'open', 6],
  ['l2tpns-avp-unknown-mandatory.pcap', 'closed', 'tunnel', 'open', 2],
] as const

for (const [file, type, scope, phase, result] of ENDINGS) {
  test(`${file}: ${type} by the peer with result ${result}`, () => {
    const { events, answers } = replayToLac(file)
    const ended = events.find((event) => event.type === type)
    assert.ok(ended?.type === type && ended.cause.by === 'peer')
    assert.deepEqual([ended.cause.scope, ended.cause.phase, ended.cause.result], [scope, phase, result])
    assert.ok(answers.includes('ZLB'))
  })
}

test('a session dropped by the operator leaves the tunnel open for the next call', () => {
  const { events } = replayToLac('l2tpns-lns-drop-session.pcap')
  const opened = events.filter((event) => event.type === 'sessionOpened')
  assert.equal(opened.length, 2)
})

test('HELLO of l2tpns is acknowledged at once', () => {
  const { answers, events } = replayToLac('l2tpns-hello-tunnel-only.pcap')
  assert.deepEqual(answers, ['SCCRQ', 'SCCCN', 'ZLB', 'ZLB', 'StopCCN'])
  assert.deepEqual(named(events), ['opened', 'closed', 'finished'])
})

test('SCCRP that comes six times opens one tunnel and is acknowledged each time', () => {
  const { answers, events } = replayToLac('l2tpns-lns-ctl-retransmit.pcap')
  assert.deepEqual(answers, ['SCCRQ', 'SCCCN', 'ZLB', 'ZLB', 'ZLB', 'ZLB', 'ZLB'])
  assert.deepEqual(named(events), ['opened'])
})

test('answers for a tunnel of a former life on the same port are dropped', () => {
  const packets = readPcap(`${FOLDER}l2tpns-sccrq-restart-same-port.pcap`)
  const restarted = packets.findIndex(({ bytes }) => assignedTunnel(bytes) === 10514)
  assert.ok(restarted > 0)
  const { events, answers } = replayPackets(packets.slice(restarted), {})
  assert.deepEqual([named(events), answers], [[], ['SCCRQ']])
})

test('an old CDN that arrives in the middle of the next life is dropped', () => {
  const packets = readPcap(`${FOLDER}l2tpns-client-restart-same-port.pcap`)
  const restarted = packets.findIndex(({ bytes }) => assignedTunnel(bytes) === 50784)
  const { events } = replayPackets(packets.slice(restarted), {})
  const closed = events.filter((event) => event.type === 'sessionClosed')
  assert.deepEqual(
    closed.map((event) => event.cause.by),
    ['local'],
  )
})

// The same client, talking to our LNS.

for (const file of [
  'l2tpns-sccrq-minimal.pcap',
  'l2tpns-avp-unknown-optional.pcap',
  'l2tpns-avp-proxy-auth.pcap',
  'l2tpns-client-hello.pcap',
]) {
  test(`an LNS follows the client of ${file}`, () => {
    const events = replayToLns(file)
    assert.deepEqual(named(events), ['opened', 'sessionOpened', 'sessionClosed', 'closed', 'finished'])
  })
}

test('an LNS reads data messages with L, O, without FF03 and with PFC', () => {
  const events = replayToLns('l2tpns-data-header-variants.pcap')
  const sent = readPcap(`${FOLDER}l2tpns-data-header-variants.pcap`).filter(
    ({ direction, bytes }) => direction === 'toLns' && ((bytes[0] ?? 0) & 0x80) === 0,
  )
  const received = events.filter((event) => event.type === 'received')
  assert.equal(received.length, sent.length)
  for (const { frame } of received) assert.ok([0xff, 0xc0, 0xc2, 0x80, 0x00, 0x21].includes(frame[0] ?? -1))
})

test('an LNS numbers its data messages when ICCN requires it (l2tpns-seq-data.pcap)', () => {
  const events = replayToLns('l2tpns-seq-data.pcap')
  const opened = events.find((event) => event.type === 'sessionOpened')
  assert.equal(opened?.sequencing, true)
})

test('an unknown mandatory AVP in ICRQ costs the call, and not the tunnel as with l2tpns', () => {
  const events = replayToLns('l2tpns-avp-unknown-mandatory.pcap')
  assert.deepEqual(named(events), ['opened'])
})

test('protocol version 2.0 is refused (l2tpns is silent)', () => {
  const events = replayToLns('l2tpns-bad-proto-version.pcap')
  const closed = events.find((event) => event.type === 'closed')
  assert.ok(closed?.cause.by === 'protocol')
  assert.equal(closed.cause.violation, 'versionUnsupported')
})

interface Replayed {
  readonly events: L2tpEvent[]
  /** The control messages that our endpoint sent, as words. */
  readonly answers: string[]
}

function replayToLac(file: string, more: Partial<L2tpOptions> = {}): Replayed {
  return replayPackets(readPcap(FOLDER + file), more)
}

/** Our LAC takes the place of the recorded client: it has its ids and challenge, and calls and closes when that did. */
function replayPackets(packets: readonly CapturedPacket[], more: Partial<L2tpOptions>): Replayed {
  const client = packets.filter(({ direction }) => direction === 'toLns').map(({ bytes }) => messageOf(bytes))
  const sccrq = client.find((message) => message?.type === 'SCCRQ')
  const icrq = client.find((message) => message?.type === 'ICRQ')
  const [first] = packets
  assert.ok(first && sccrq?.type === 'SCCRQ')
  const ids = [sccrq.assignedTunnelId, (icrq?.type === 'ICRQ' ? icrq.assignedSessionId : 2) - 1]
  const replayed: Replayed = { events: [], answers: [] }
  const endpoint = new L2tpEndpoint({
    role: 'lac',
    peer: first.to,
    hostName: 'lac.example',
    helloInterval: millis(0),
    digests,
    entropy: (octets) => {
      if (octets === 16) return sccrq.challenge ?? new Uint8Array(16)
      return octets === 2 ? new ByteWriter(2).u16(ids.shift() ?? 0).finish() : new Uint8Array(octets)
    },
    ...more,
  })
  const sessions: number[] = []
  const drain = () => {
    for (let event = endpoint.pollEvent(); event; event = endpoint.pollEvent()) {
      replayed.events.push(event)
      if (event.type === 'calling') sessions.push(event.session)
    }
    for (let out = endpoint.pollTransmit(); out; out = endpoint.pollTransmit()) {
      if (((out.bytes[0] ?? 0) & 0x80) !== 0) replayed.answers.push(wordOf(out.bytes))
    }
  }
  for (const { time, direction, from, bytes } of packets) {
    const now = millis(time)
    if (direction === 'fromLns') endpoint.receive(now, from, bytes)
    else {
      const command = commandOf(messageOf(bytes), sessions)
      if (command) endpoint.command(now, command)
    }
    drain()
  }
  return replayed
}

function commandOf(
  message: ControlMessage | undefined,
  sessions: readonly number[],
): L2tpCommand | undefined {
  switch (message?.type) {
    case 'SCCRQ':
      return { type: 'open' }
    case 'ICRQ':
      return { type: 'call' }
    case 'CDN':
      return { type: 'clear', session: sessions.at(-1) ?? 0 }
    case 'StopCCN':
      return { type: 'close' }
    default:
      return undefined
  }
}

/** Our LNS takes the place of l2tpns: it assigns the same ids, and hears what the client said. */
function replayToLns(file: string): L2tpEvent[] {
  const packets = readPcap(FOLDER + file)
  const lns = packets.filter(({ direction }) => direction === 'fromLns').map(({ bytes }) => messageOf(bytes))
  const sccrp = lns.find((message) => message?.type === 'SCCRP')
  const icrp = lns.find((message) => message?.type === 'ICRP')
  const ids = [
    sccrp?.type === 'SCCRP' ? sccrp.assignedTunnelId : 1,
    (icrp?.type === 'ICRP' ? icrp.assignedSessionId : 2) - 1,
  ]
  const [first] = packets
  assert.ok(first)
  const endpoint = new L2tpEndpoint({
    role: 'lns',
    peer: first.from,
    hostName: 'lns.example',
    helloInterval: millis(0),
    digests,
    entropy: (octets) => new ByteWriter(octets).u16(ids.shift() ?? 0).finish(),
  })
  const events: L2tpEvent[] = []
  for (const { time, direction, from, bytes } of packets) {
    if (direction === 'toLns') endpoint.receive(millis(time), from, bytes)
    for (let event = endpoint.pollEvent(); event; event = endpoint.pollEvent()) events.push(event)
    while (endpoint.pollTransmit());
  }
  return events
}

function named(events: readonly L2tpEvent[]): string[] {
  return events.map(({ type }) => type).filter((type) => type !== 'received')
}

function messageOf(bytes: Uint8Array): ControlMessage | undefined {
  const packet = decodePacket(bytes)
  if (!packet.ok || packet.value.kind !== 'control' || packet.value.body.length === 0) return undefined
  const message = decodeMessage(packet.value.body, { digests, secret: SECRET })
  if (message.ok) return message.value.type === 'ignored' ? undefined : message.value
  // The one with an unknown mandatory AVP.
  const assignedSessionId = message.error.assignedSessionId ?? 0
  return message.error.type === 'ICRQ' ? { type: 'ICRQ', assignedSessionId, callSerialNumber: 0 } : undefined
}

function assignedTunnel(bytes: Uint8Array): number | undefined {
  const message = messageOf(bytes)
  return message?.type === 'SCCRQ' ? message.assignedTunnelId : undefined
}

function wordOf(bytes: Uint8Array): string {
  const packet = decodePacket(bytes)
  const empty = packet.ok && packet.value.kind === 'control' && packet.value.body.length === 0
  return empty ? 'ZLB' : (messageOf(bytes)?.type ?? 'unreadable')
}
