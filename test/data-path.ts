/** What every data path gives, whatever carries its packets: the same tests for each kind of them. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { SystemError } from '../src/app/ports.ts'
import type { DataPath, DataSession, TunDevice } from '../src/app/tuns.ts'
import type { Address } from '../src/core/endpoint.ts'
import { controlMessage, type DataForm, dataMessage, ipv4Udp } from './net/native/packets.ts'

/** Our ids of the session, and those of its peer. */
export const OURS = { tunnel: 0x1111, session: 0x2222 } as const
export const THEIRS = { tunnel: 0x3333, session: 0x4444 } as const

/** A device with an application behind it, and a socket with a peer at its other end, not connected. */
export interface DataPathBench {
  readonly tun: TunDevice
  readonly socket: DataSession['socket']
  readonly peerAddress: Address
  /** Throws SystemError. */
  attach(change?: Partial<DataSession>): DataPath
  /** The peer, or somebody else, sends octets to the socket. */
  fromPeer(bytes: Uint8Array): void
  fromStranger(bytes: Uint8Array): void
  /** The peer sends a text to the application, as IPv4 in a data message of this form. */
  dataFromPeer(text: string, form?: Partial<DataForm>): void
  /** The application sends a text through the device, as IPv4 of 28 octets more. */
  fromApplication(text: string): void
  /** Texts that came to the application. */
  readonly delivered: readonly string[]
  /** Texts that came to the peer as IPv4, behind so many octets of L2TP and PPP; 10 if left out. */
  textsAtPeer(header?: number): readonly string[]
  /** Messages that came to the peer. */
  readonly received: readonly Uint8Array[]
  /** What came to the socket's onMessage. */
  readonly toJs: readonly Uint8Array[]
  until(condition: () => boolean, what: string): Promise<void>
}

const LCP = [0xff, 0x03, 0xc0, 0x21]

function refusedAs(code: string) {
  return (error: unknown) => error instanceof SystemError && error.code === code
}

/** Ns of the data messages that have one (RFC 2661 section 3.1), without a Length before it. */
function numbersOf(messages: readonly Uint8Array[]): number[] {
  return messages
    .filter(([flags = 0]) => (flags & 0xc8) === 0x08)
    .map((message) => ((message[6] ?? 0) << 8) | (message[7] ?? 0))
}

/** `make` is called once for each test, with a name of its own for the device. */
export function dataPathTests(make: (t: TestContext, device: string) => Promise<DataPathBench>): void {
  let made = 0
  const contract = (name: string, run: (bench: DataPathBench) => Promise<void>) =>
    test(`a data path: ${name}`, async (t) => run(await make(t, `dp${made++}`)))

  contract('carries packets both ways from attach to detach', async (bench) => {
    const path = bench.attach()
    bench.fromApplication('out')
    bench.dataFromPeer('in')
    await bench.until(() => bench.textsAtPeer().includes('out'), 'it leaves')
    await bench.until(() => bench.delivered.includes('in'), 'it comes')
    path.detach()
    const before = bench.tun.counters().tx.dropped
    bench.fromApplication('late')
    await bench.until(() => bench.tun.counters().tx.dropped > before, 'it is dropped')
    assert.deepEqual(bench.textsAtPeer(), ['out'])
    assert.deepEqual(bench.delivered, ['in'])
  })

  contract('carries only families that are open, and no packet above the MTU', async (bench) => {
    const path = bench.attach({ ipv4: false })
    const { rx, tx } = bench.tun.counters()
    const dropped = { rx: rx.dropped, tx: tx.dropped }
    bench.dataFromPeer('closed')
    bench.fromApplication('closed')
    await bench.until(() => bench.tun.counters().rx.dropped === dropped.rx + 1, 'what came is dropped')
    await bench.until(() => bench.tun.counters().tx.dropped > dropped.tx, 'what was to leave is dropped')
    path.update({ ipv4: true, mtu: 100 })
    bench.dataFromPeer('open')
    bench.fromApplication('x'.repeat(73))
    bench.fromApplication('x'.repeat(72))
    await bench.until(() => bench.delivered.length > 0, 'it is delivered')
    await bench.until(() => bench.textsAtPeer().length > 0, 'it leaves')
    assert.deepEqual(bench.delivered, ['open'])
    assert.deepEqual(bench.textsAtPeer(), ['x'.repeat(72)])
  })

  contract('hands up what is not IP data, whole and in order', async (bench) => {
    bench.attach()
    const messages = [
      dataMessage({ ...OURS, ppp: LCP }, Uint8Array.of(9, 1, 0, 4)),
      controlMessage(1, OURS.tunnel),
      dataMessage({ ...OURS, ppp: [0xff, 0x03, 0x80, 0x21] }, Uint8Array.of(1, 1, 0, 4)),
    ]
    for (const message of messages) bench.fromPeer(message)
    bench.dataFromPeer('data')
    await bench.until(() => bench.toJs.length === messages.length, 'all are there')
    await bench.until(() => bench.delivered.length === 1, 'the data is delivered')
    const frames = (found: readonly Uint8Array[]) => found.filter(([flags = 0]) => (flags & 0x80) === 0)
    assert.deepEqual(frames(bench.toJs), frames(messages))
    assert.equal(bench.toJs.length, messages.length)
  })

  contract(
    'says of a message that is numbered that it is, and numbers all that is sent as one',
    async (bench) => {
      bench.attach({ sequencing: true })
      bench.fromPeer(dataMessage({ ...OURS, ns: 7, ppp: LCP }, Uint8Array.of(9, 1, 0, 4)))
      await bench.until(() => bench.toJs.length === 1, 'it is there')
      assert.equal((bench.toJs[0]?.[0] ?? 0) & 0x08, 0x08)
      const before = bench.received.length
      bench.fromApplication('one')
      await bench.until(() => bench.textsAtPeer(14).includes('one'), 'one leaves')
      bench.socket.send(dataMessage({ ...THEIRS, ns: 999, ppp: LCP }, new Uint8Array(8)), bench.peerAddress)
      bench.fromApplication('two')
      await bench.until(() => bench.textsAtPeer(14).includes('two'), 'two leaves')
      const [first = 0, ...rest] = numbersOf(bench.received.slice(before))
      assert.ok(rest.length >= 2)
      assert.deepEqual(
        rest,
        rest.map((_, i) => first + 1 + i),
      )
    },
  )

  contract(
    "takes nothing for the session that is not its peer's, and lets strangers say nothing else",
    async (bench) => {
      const path = bench.attach()
      const dropped = bench.tun.counters().rx.dropped
      const stray = dataMessage({ ...OURS, session: 0x2223, ppp: LCP }, Uint8Array.of(9, 1, 0, 4))
      const packet = ipv4Udp([192, 0, 2, 1], [192, 0, 2, 2], [7001, 7000], Uint8Array.of(1))
      bench.fromPeer(stray)
      bench.fromStranger(dataMessage({ ...OURS, ppp: LCP }, Uint8Array.of(9, 1, 0, 4)))
      bench.fromStranger(dataMessage(OURS, packet))
      bench.fromStranger(controlMessage(5))
      await bench.until(() => bench.tun.counters().rx.dropped === dropped + 3, 'they are dropped')
      await bench.until(() => bench.toJs.length > 0, 'the control message is there')
      assert.deepEqual(bench.toJs, [controlMessage(5)])
      assert.deepEqual(bench.delivered, [])
      assert.equal(path.received(), 0)
    },
  )

  contract('counts every message of the session as proof of life, IP data or not', async (bench) => {
    const path = bench.attach({ ipv4: false })
    const dropped = bench.tun.counters().rx.dropped
    bench.dataFromPeer('closed')
    bench.fromPeer(dataMessage({ ...OURS, ppp: LCP }, Uint8Array.of(9, 1, 0, 4)))
    bench.fromPeer(controlMessage(1, OURS.tunnel))
    await bench.until(() => bench.toJs.length === 2, 'both are there')
    await bench.until(() => bench.tun.counters().rx.dropped === dropped + 1, 'one is dropped')
    assert.equal(path.received(), 2)
  })

  contract('touches nothing once it has ended, and counts for itself', async (bench) => {
    const first = bench.attach()
    bench.dataFromPeer('one')
    await bench.until(() => bench.delivered.includes('one'), 'the first carries')
    first.detach()
    const second = bench.attach()
    first.detach()
    first.update({ ipv4: false })
    bench.dataFromPeer('two')
    bench.dataFromPeer('three')
    await bench.until(() => bench.delivered.includes('three'), 'the second carries')
    assert.deepEqual([first.received(), second.received()], [1, 2])
    assert.equal(bench.tun.counters().rx.packets, 3)
  })

  contract('has device and socket to itself', async (bench) => {
    const path = bench.attach()
    assert.throws(() => bench.attach(), refusedAs('EBUSY'))
    path.update({ mtu: 1400 })
    bench.dataFromPeer('still')
    await bench.until(() => bench.delivered.includes('still'), 'the first goes on')
  })

  contract('ends with its device', async (bench) => {
    const path = bench.attach()
    bench.tun.destroy()
    path.update({ mtu: 1400 })
    path.detach()
    bench.fromPeer(dataMessage({ ...OURS, ppp: LCP }, Uint8Array.of(9, 1, 0, 4)))
    await bench.until(() => bench.toJs.length === 1, 'all goes to who reads the socket')
  })
}
