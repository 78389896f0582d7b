import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ControlChannel,
  DEFAULT_RETRANSMISSION,
  type Outgoing,
} from '../../../src/core/l2tp/control-channel.ts'
import type { ControlPacket } from '../../../src/core/l2tp/header.ts'
import type { Retransmission } from '../../../src/core/l2tp/types.ts'
import { millis } from '../../../src/core/time.ts'

/** A channel in a timed script: what it sends shows as `ns/nr`, a ZLB as `zlb ns/nr`. */
class Script {
  readonly channel: ControlChannel

  constructor(settings: Partial<Retransmission> = {}, firstNs = 0, receiveWindow = 4) {
    const retransmission = { ...DEFAULT_RETRANSMISSION, ...settings }
    this.channel = new ControlChannel({ retransmission, receiveWindow, firstNs })
  }

  send(at: number, expected: string[], attempts?: number): void {
    this.channel.send(millis(at), 0, Uint8Array.of(1), attempts)
    this.sends(expected)
  }

  /** A message arrives; `delivered` are the first octets of what is due. */
  recv(at: number, ns: number, nr: number, expected: string[], delivered: number[] = [ns & 0xff]): void {
    const due = this.channel.receive(millis(at), packet(ns, nr, Uint8Array.of(ns & 0xff)))
    assert.deepEqual(
      due.map(({ body }) => body[0]),
      delivered,
    )
    this.sends(expected)
  }

  zlb(at: number, nr: number, expected: string[]): void {
    assert.deepEqual(this.channel.receive(millis(at), packet(0, nr, new Uint8Array())), [])
    this.sends(expected)
  }

  /** Nothing happens before `at`, and then this is sent. */
  alarm(at: number, expected: string[]): void {
    assert.equal(this.channel.deadline, at)
    this.channel.timeout(millis(at - 1))
    this.sends([])
    this.channel.timeout(millis(at))
    this.sends(expected)
  }

  sends(expected: string[]): void {
    const sent: string[] = []
    for (let next = this.channel.poll(); next; next = this.channel.poll()) sent.push(show(next))
    assert.deepEqual(sent, expected)
  }
}

function show(next: Outgoing): string {
  if (next.kind === 'data') return `data ${next.bytes[0]}`
  return `${next.body.length === 0 ? 'zlb ' : ''}${next.ns}/${next.nr}`
}

function packet(ns: number, nr: number, body: Uint8Array): ControlPacket {
  return { kind: 'control', tunnel: 1, session: 0, ns, nr, body }
}

test('repeats with exponential back-off, and gives up 19.5 s after the first transmission', () => {
  const script = new Script()
  script.send(0, ['0/0'])
  script.alarm(500, ['0/0'])
  script.alarm(1500, ['0/0'])
  script.alarm(3500, ['0/0'])
  script.alarm(7500, ['0/0'])
  script.alarm(15_500, ['0/0'])
  assert.equal(script.channel.dead, false)
  script.alarm(19_500, [])
  assert.equal(script.channel.dead, true)
  assert.equal(script.channel.transmissions, 6)
  assert.equal(script.channel.deadline, undefined)
  script.send(12_000, [])
})

test('the wait between transmissions is capped', () => {
  const script = new Script({ attempts: 9, lastWait: millis(60_000) })
  script.send(0, ['0/0'])
  let at = 0
  for (const wait of [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000]) {
    at += wait
    script.alarm(at, ['0/0'])
  }
  script.alarm(at + 8000, [])
  assert.equal(script.channel.dead, true)
})

test('a peer that is heard is not given up, and repetitions keep their distance', () => {
  const script = new Script({ attempts: 5, attemptsAlive: 7 })
  script.send(0, ['0/0'])
  for (const at of [500, 1500, 3500, 7500]) script.alarm(at, ['0/0'])
  script.channel.heard(millis(9000))
  // The verdict at 11.5 s is: alive. The next repetition comes 8 s after the last one.
  script.alarm(11_500, [])
  script.alarm(15_500, ['0/0'])
  script.channel.heard(millis(16_000))
  script.alarm(19_500, [])
  script.alarm(23_500, ['0/0'])
  script.channel.heard(millis(24_000))
  script.alarm(27_500, [])
  assert.equal(script.channel.dead, true)
  assert.equal(script.channel.transmissions, 7)
})

test('an alive peer that falls silent is given up after the next verdict', () => {
  const script = new Script({ attempts: 5 })
  script.send(0, ['0/0'])
  for (const at of [500, 1500, 3500, 7500]) script.alarm(at, ['0/0'])
  script.channel.heard(millis(8000))
  script.alarm(11_500, [])
  script.alarm(15_500, ['0/0'])
  script.alarm(19_500, [])
  assert.equal(script.channel.dead, true)
})

test('a message may have its own number of attempts', () => {
  const script = new Script()
  script.send(0, ['0/0'], 2)
  script.alarm(500, ['0/0'])
  script.alarm(1500, [])
  assert.equal(script.channel.dead, true)
})

test('with a known round-trip time repetitions come sooner, but not before 300 ms', () => {
  const script = new Script()
  script.send(0, ['0/0'])
  script.zlb(20, 1, [])
  script.send(1000, ['1/0'])
  script.alarm(1300, ['1/0'])
  script.alarm(1900, ['1/0'])
})

test('with a long round-trip time repetitions wait for it', () => {
  const script = new Script()
  script.send(0, ['0/0'])
  script.zlb(400, 1, [])
  // RFC 6298: SRTT 400, RTTVAR 200, so 400 + 4 * 200.
  script.send(1000, ['1/0'])
  script.alarm(2200, ['1/0'])
})

test('the round-trip time is not taken from repeated messages', () => {
  const script = new Script()
  script.send(0, ['0/0'])
  script.alarm(500, ['0/0'])
  script.zlb(501, 1, [])
  script.send(1000, ['1/0'])
  script.alarm(1500, ['1/0'])
})

test('an acknowledgement rides on a message, and leaves as a ZLB otherwise', () => {
  const script = new Script()
  script.send(0, ['0/0'])
  script.recv(10, 0, 1, ['zlb 1/1'])
  script.channel.receive(millis(20), packet(1, 1, Uint8Array.of(1)))
  script.send(20, ['1/2'])
})

test('a repetition carries the newest Nr (section 5.8)', () => {
  const script = new Script()
  script.send(0, ['0/0'])
  script.recv(10, 0, 0, ['zlb 1/1'])
  script.alarm(500, ['0/1'])
})

test('ZLBs are not acknowledged and take no sequence number', () => {
  const script = new Script()
  script.send(0, ['0/0'])
  script.zlb(10, 1, [])
  script.zlb(11, 1, [])
  script.recv(12, 0, 1, ['zlb 1/1'])
  script.recv(13, 1, 1, ['zlb 1/2'])
})

test('duplicates are acknowledged again and not delivered (section 5.8)', () => {
  const script = new Script()
  script.recv(0, 0, 0, ['zlb 0/1'])
  script.recv(1, 0, 0, ['zlb 0/1'], [])
  script.recv(2, 65535, 0, ['zlb 0/1'], [])
  // The preceding 32767 values, inclusive, are duplicates; the next one lies in the future.
  script.recv(3, 32769, 0, ['zlb 0/1'], [])
  script.recv(4, 32768, 0, [], [])
})

test('a flood of duplicates is not answered with a flood', () => {
  const script = new Script()
  script.recv(0, 0, 0, ['zlb 0/1'])
  let answers = 0
  for (let round = 0; round < 1000; round++) {
    script.channel.receive(millis(1), packet(0, 0, Uint8Array.of(0)))
    while (script.channel.poll()) answers++
  }
  assert.equal(answers, 16)
  script.recv(1001, 0, 0, ['zlb 0/1'], [])
})

test('messages ahead of their turn are kept within the window and delivered in order', () => {
  const script = new Script({}, 0, 4)
  script.recv(0, 2, 0, [], [])
  script.recv(1, 3, 0, [], [])
  script.recv(2, 2, 0, [], [])
  script.recv(3, 4, 0, [], [])
  script.recv(4, 0, 0, ['zlb 0/1'], [0])
  script.recv(5, 1, 0, ['zlb 0/4'], [1, 2, 3])
  // 4 lay beyond the window when it came: it was dropped.
  script.recv(6, 4, 0, ['zlb 0/5'], [4])
})

test('what waits for its turn is a copy', () => {
  const script = new Script()
  const octets = Uint8Array.of(7)
  script.channel.receive(millis(0), packet(1, 0, octets))
  octets[0] = 9
  const due = script.channel.receive(millis(1), packet(0, 0, Uint8Array.of(0)))
  assert.deepEqual(
    due.map(({ body }) => body[0]),
    [0, 7],
  )
})

test('slow start: one message, then two, then four, never more than the peer allows (appendix A)', () => {
  const script = new Script()
  script.channel.peerWindow = 5
  for (let count = 0; count < 12; count++) script.channel.send(millis(0), 0, Uint8Array.of(1))
  script.sends(['0/0'])
  script.zlb(10, 1, ['1/0', '2/0'])
  script.zlb(20, 2, ['3/0', '4/0'])
  script.zlb(21, 3, ['5/0', '6/0'])
  script.zlb(30, 7, ['7/0', '8/0', '9/0', '10/0', '11/0'])
})

test('without a word from the peer its window is 4', () => {
  const script = new Script()
  for (let count = 0; count < 20; count++) script.channel.send(millis(0), 0, Uint8Array.of(1))
  script.sends(['0/0'])
  script.zlb(1, 1, ['1/0', '2/0'])
  script.zlb(2, 2, ['3/0', '4/0'])
  script.zlb(3, 3, ['5/0', '6/0'])
  script.zlb(4, 4, ['7/0'])
  script.zlb(5, 8, ['8/0', '9/0', '10/0', '11/0'])
})

test('a window of 1 makes lock-step', () => {
  const script = new Script()
  script.channel.peerWindow = 1
  for (let count = 0; count < 3; count++) script.channel.send(millis(0), 0, Uint8Array.of(1))
  script.sends(['0/0'])
  script.zlb(10, 1, ['1/0'])
  script.zlb(20, 2, ['2/0'])
})

test('after a loss only the oldest is repeated, and what was behind it as soon as that is acknowledged', () => {
  const script = new Script()
  script.send(0, ['0/0'])
  script.zlb(100, 1, [])
  script.send(200, ['1/0'])
  script.send(200, ['2/0'])
  // RTT 100: SRTT 100, RTTVAR 50.
  script.alarm(500, ['1/0'])
  // An LNS that does not queue dropped 2 with the lost 1: it is not left to its own timer.
  script.zlb(600, 2, ['2/0'])
  script.zlb(700, 3, [])
  assert.equal(script.channel.deadline, undefined)
})

test('an acknowledgement of several messages stops their repetition at once', () => {
  const script = new Script()
  script.send(0, ['0/0'])
  script.zlb(100, 1, [])
  script.send(200, ['1/0'])
  script.send(200, ['2/0'])
  script.channel.timeout(millis(500))
  script.zlb(500, 3, [])
  assert.equal(script.channel.backlog, 0)
})

test('an Nr that acknowledges what was never sent is not from this connection', () => {
  const script = new Script()
  script.send(0, ['0/0'])
  script.recv(10, 0, 2, [], [])
  script.recv(11, 0, 30_000, [], [])
  script.recv(12, 0, 1, ['zlb 1/1'])
  // An older Nr is only late.
  script.recv(13, 1, 0, ['zlb 1/2'])
})

test('Ns and Nr wrap at 65535', () => {
  const script = new Script({}, 65_534)
  script.send(0, ['65534/65534'])
  script.recv(10, 65_534, 65_535, ['zlb 65535/65535'])
  script.send(20, ['65535/65535'])
  script.recv(30, 65_535, 0, ['zlb 0/0'])
  script.send(40, ['0/0'])
  script.alarm(340, ['0/0'])
  script.recv(350, 0, 1, ['zlb 1/1'])
  script.recv(351, 65_535, 1, ['zlb 1/1'], [])
  assert.equal(script.channel.backlog, 0)
})

test('messages wait for their turn across the wrap', () => {
  const script = new Script({}, 65_534)
  script.recv(0, 0, 65_534, [], [])
  script.recv(1, 65_535, 65_534, [], [])
  script.recv(2, 65_534, 65_534, ['zlb 65534/1'], [254, 255, 0])
})

test('data messages keep their place between control messages', () => {
  const script = new Script()
  script.channel.send(millis(0), 0, Uint8Array.of(1))
  script.channel.sendData(Uint8Array.of(7))
  script.channel.receive(millis(0), packet(0, 1, Uint8Array.of(0)))
  script.channel.send(millis(0), 0, Uint8Array.of(1))
  script.channel.sendData(Uint8Array.of(8))
  // Message 0 is acknowledged already, so it need not leave any more.
  script.sends(['data 7', '1/1', 'data 8'])
})

test('hurry: what was never sent is dropped, and the last message passes the congestion window', () => {
  const script = new Script()
  for (let count = 0; count < 3; count++) script.channel.send(millis(0), 0, Uint8Array.of(1))
  script.sends(['0/0'])
  script.channel.hurry()
  script.send(10, ['1/0'])
  assert.equal(script.channel.backlog, 2)
})

test('silence: nothing of ours is repeated, the peer is still acknowledged', () => {
  const script = new Script()
  script.send(0, ['0/0'])
  script.channel.silence()
  assert.equal(script.channel.deadline, undefined)
  script.recv(10, 0, 1, ['zlb 1/1'])
  script.recv(11, 0, 1, ['zlb 1/1'], [])
})

test('a ZLB has the Ns of the first message that never left, also with others waiting behind the window', () => {
  const script = new Script()
  script.send(0, ['0/0'])
  script.send(0, [])
  script.send(0, [])
  script.recv(10, 0, 0, ['zlb 1/1'])
  script.recv(20, 1, 1, ['1/2', '2/2'])
  script.recv(30, 2, 1, ['zlb 3/3'])
})
