import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SystemError } from '../../../src/app/ports.ts'
import { toHex } from '../../../src/core/bytes.ts'
import { dataPathTests, OURS } from '../../data-path.ts'
import { inNamespace, run, until } from './namespace.ts'
import { controlMessage, type DataForm, dataMessage, ipv4Udp, ipv6Echo } from './packets.ts'
import { Bench, LOCAL, LOCAL6, REMOTE, REMOTE6 } from './peer.ts'

function isControl(message: Uint8Array): boolean {
  return ((message[0] ?? 0) & 0x80) !== 0
}

inNamespace(import.meta.url, () => {
  dataPathTests((t, device) => Bench.make(t, device))

  test('packets of the device leave as data messages with a full PPP header', async (t) => {
    const bench = await Bench.make(t, 'ndp1')
    bench.attach()
    assert.equal(bench.path.rung, 'plain')
    bench.fromApplication('hello')
    await until(() => bench.textsAtPeer().includes('hello'), 'it arrives')
    const message = bench.received.find((found) => found[10] === 0x45)
    // Flags and version, their tunnel and session id, FF 03, 0021 (RFC 2661 section 3.1, RFC 1661 section 2).
    assert.equal(toHex(message?.subarray(0, 10) ?? new Uint8Array()), '000233334444ff030021')
    assert.throws(() => run('ping -6 -c 1 -W 0.2 2001:db8:9::1'))
    const findSix = () => bench.received.find((found) => (found[10] ?? 0) >> 4 === 6)
    await until(() => findSix() !== undefined, 'a packet of IPv6 arrives')
    const six = findSix()
    assert.equal(toHex(six?.subarray(0, 10) ?? new Uint8Array()), '000233334444ff030057')
    // The kernel may send of its own, and what has left is counted before it is here.
    let { tx } = bench.tun.counters()
    await until(() => {
      tx = bench.tun.counters().tx
      return tx.packets === bench.received.length
    }, 'what left has arrived')
    assert.equal(
      tx.octets,
      bench.received.reduce((sum, { length }) => sum + length - 10, 0),
    )
  })

  test('data messages of every form reach the application', async (t) => {
    const bench = await Bench.make(t, 'ndp2')
    bench.attach()
    const forms: Partial<DataForm>[] = [
      {},
      { length: true },
      { priority: true },
      { offset: 0 },
      { offset: 5 },
      { length: true, offset: 3 },
      { length: true, priority: true, offset: 16 },
      { ppp: [0x00, 0x21] },
      { ppp: [0x21] },
      { ppp: [0xff, 0x03, 0x21] },
      { length: true, ppp: [0x21] },
    ]
    for (const [i, form] of forms.entries()) bench.dataFromPeer(`form ${i}`, form)
    await until(() => bench.delivered.length === forms.length, 'all are delivered')
    assert.deepEqual(
      bench.delivered,
      forms.map((_, i) => `form ${i}`),
    )
    const padded = dataMessage(
      { ...OURS, length: true },
      ipv4Udp(REMOTE, LOCAL, [7001, 7000], Buffer.from('x')),
    )
    bench.fromPeer(Uint8Array.from([...padded, 0, 0, 0, 0]))
    await until(() => bench.delivered.at(-1) === 'x', 'octets behind the length do not matter')
    const { rx } = bench.tun.counters()
    const received = bench.path.received()
    assert.deepEqual(
      { ...rx, received },
      { packets: 12, octets: 11 * (28 + 6) + 1 + 29, dropped: 0, received: 12 },
    )
    assert.deepEqual(bench.toJs, [])
  })

  test('IPv6 goes both ways', async (t) => {
    const bench = await Bench.make(t, 'ndp3')
    bench.attach()
    for (const ppp of [[0xff, 0x03, 0x00, 0x57], [0x57]])
      bench.fromPeer(dataMessage({ ...OURS, ppp }, ipv6Echo(REMOTE6, LOCAL6, 1)))
    const replies = () => bench.received.filter((found) => (found[10] ?? 0) >> 4 === 6 && found[50] === 129)
    await until(() => replies().length === 2, 'the kernel answers both echoes')
  })

  test('what is malformed, of other ids or of a protocol that is not open is dropped and counted', async (t) => {
    const bench = await Bench.make(t, 'ndp4', { ipv6: false })
    bench.attach()
    const packet = ipv4Udp(REMOTE, LOCAL, [7001, 7000], Buffer.from('no'))
    const bad: Uint8Array[] = [
      dataMessage({ ...OURS, tunnel: 1 }, packet),
      dataMessage({ ...OURS, session: 0 }, packet),
      dataMessage({ ...OURS, ppp: [0xff, 0x03, 0x00, 0x57] }, ipv6Echo(REMOTE6, LOCAL6, 1)),
      dataMessage({ ...OURS, ppp: [0xff, 0x03, 0x00, 0x57] }, packet),
      dataMessage({ ...OURS, ppp: [0xff, 0x03, 0x00, 0x21] }, ipv6Echo(REMOTE6, LOCAL6, 1)),
      dataMessage({ ...OURS, ppp: [0xff, 0x03, 0x00, 0x20] }, packet),
      dataMessage(OURS, new Uint8Array()),
      dataMessage({ ...OURS, ppp: [] }, new Uint8Array()),
      dataMessage({ ...OURS, ppp: [0xff] }, new Uint8Array()),
      dataMessage({ ...OURS, ppp: [0xff, 0x03] }, new Uint8Array()),
      dataMessage({ ...OURS, ppp: [0xff, 0x03, 0x00] }, new Uint8Array()),
      Uint8Array.from([0x02, 0x02, 0x11, 0x11, 0x22, 0x22, 0xff, 0xff, 0xff, 0x03, 0x00, 0x21]),
      Uint8Array.from([0x40, 0x02, 0xff, 0xff, 0x11, 0x11, 0x22, 0x22, 0xff, 0x03, 0x00, 0x21, 0x45]),
      Uint8Array.from([0x40, 0x02, 0, 3, 0x11, 0x11, 0x22, 0x22, 0xff, 0x03, 0x00, 0x21, 0x45]),
      Uint8Array.from([0x08, 0x02, 0x11, 0x11, 0x22, 0x22, 0, 0]),
      Uint8Array.from([0x00, 0x03, 0x11, 0x11, 0x22, 0x22, 0xff, 0x03, 0x00, 0x21, ...packet]),
      Uint8Array.from([0x00]),
      new Uint8Array(),
    ]
    for (const message of bad) bench.fromPeer(message)
    await bench.dropped('rx', bad.length)
    bench.path.update({ ipv4: false })
    bench.dataFromPeer('closed')
    await bench.dropped('rx', bad.length + 1)
    bench.path.update({ ipv4: true })
    bench.dataFromPeer('open')
    await until(() => bench.delivered.length === 1, 'the open one is delivered')
    assert.deepEqual(bench.delivered, ['open'])
    assert.deepEqual(bench.toJs, [])
    // Those that name this session, whatever is in them.
    assert.equal(bench.path.received(), 8 + 2)
  })

  test('only what names this session is a sign of its life', async (t) => {
    const bench = await Bench.make(t, 'ndp16')
    bench.attach()
    const packet = ipv4Udp(REMOTE, LOCAL, [7001, 7000], Buffer.from('data'))
    const ours = dataMessage(OURS, packet)
    // A restarted LNS that answers for tunnels it does not know, other versions, and noise.
    bench.fromPeer(dataMessage({ ...OURS, tunnel: 0x1112 }, packet))
    bench.fromPeer(dataMessage({ ...OURS, session: 0x2223 }, packet))
    bench.fromPeer(Uint8Array.from([0x00, 0x03, ...ours.subarray(2)]))
    bench.fromPeer(Uint8Array.from([0x00]))
    bench.fromPeer(controlMessage(1))
    await bench.dropped('rx', 4)
    // JS hears of control messages by itself, and they say nothing of the session.
    bench.fromPeer(controlMessage(2, OURS.tunnel))
    await until(() => bench.toJs.length === 2, 'the control messages are there')
    assert.equal(bench.path.received(), 0)
    bench.fromPeer(dataMessage({ ...OURS, ppp: [0xc0, 0x21] }, Uint8Array.of(9, 1, 0, 4)))
    bench.fromPeer(ours)
    await until(() => bench.delivered.length === 1, 'the data is delivered')
    assert.equal(bench.path.received(), 2)
  })

  test('PPP that is not IP data comes to JS as the whole datagram', async (t) => {
    const bench = await Bench.make(t, 'ndp7')
    bench.attach()
    bench.socket.connect(bench.peerAddress)
    const messages = [
      [0xff, 0x03, 0xc0, 0x21],
      [0xc0, 0x21],
      [0xff, 0x03, 0x80, 0x57],
      [0xff, 0x03, 0xc2, 0x23],
      [0xff, 0x03, 0x00, 0xfd],
      [0xfd],
    ].map((ppp, i) => dataMessage({ ...OURS, ppp, length: i % 2 === 0 }, Uint8Array.from([1, i])))
    for (const message of messages) bench.fromPeer(message)
    await until(() => bench.toJs.length === messages.length, 'all are there')
    assert.deepEqual(bench.toJs, messages)
    bench.socket.send(controlMessage(9))
    await until(() => bench.received.some(isControl), 'JS sends by the same socket')
  })

  test('attaching and detaching loses and reorders no message', async (t) => {
    const bench = await Bench.make(t, 'ndp8')
    let sent = 0
    for (let round = 0; round < 100; round++) {
      if (round % 2 === 0) bench.attach()
      else bench.path.detach()
      for (let i = 0; i < 10; i++) bench.fromPeer(controlMessage(sent++))
      if (round % 5 === 0) await sleep(1)
    }
    await until(() => bench.toJs.length === sent, 'all have arrived')
    assert.deepEqual(
      bench.toJs.map((message) => ((message[8] ?? 0) << 8) | (message[9] ?? 0)),
      Array.from({ length: sent }, (_, i) => i),
    )
  })

  test('a busy JS loop loses no data and delays none; control messages wait for it in order', async (t) => {
    const bench = await Bench.make(t, 'ndp9')
    const { fork } = await import('node:child_process')
    // A process of its own sends 2,000 packets while this one is blocked.
    const packet = ipv4Udp(REMOTE, LOCAL, [7001, 7000], Buffer.from('data'))
    const octets = dataMessage(OURS, packet)
    const sender = fork(
      new URL('./sender.ts', import.meta.url),
      [String(bench.socket.local.port), toHex(octets), toHex(controlMessage(1))],
      { execArgv: ['--import', 'tsx'] },
    )
    t.after(() => sender.kill())
    await new Promise((resolve) => sender.once('message', resolve))
    const port = await new Promise<number>((resolve) => {
      sender.once('message', (answer) => resolve(Number(answer)))
      sender.send('port')
    })
    bench.attach({ peer: { host: '127.0.0.1', port } })
    bench.delivered.length = 0
    sender.send('go')
    // Nothing but this loop runs here until all of them have been carried; a slow machine gets its time.
    const blocked = performance.now()
    const elapsed = () => performance.now() - blocked
    while (elapsed() < 300 || (bench.tun.counters().rx.packets < 2000 && elapsed() < 60_000));
    const { rx } = bench.tun.counters()
    assert.equal(rx.packets, 2000, `${JSON.stringify(rx)} at the end of the block`)
    await until(() => bench.toJs.length === 20, 'the control messages follow')
  })

  test('sequence numbers: no message is delivered twice, one that was overtaken once; ours count up over both senders', async (t) => {
    const bench = await Bench.make(t, 'ndp10', { sequencing: true })
    bench.attach()
    for (const [ns, text] of [
      [65534, 'a'],
      [65535, 'b'],
      [1, 'd'],
      [0, 'late'],
      [1, 'again'],
      [2, 'e'],
    ] as const)
      bench.dataFromPeer(text, { ns })
    await until(() => bench.delivered.includes('e'), 'the last is delivered')
    // RFC 2661 section 5.4: what was overtaken may be delivered; what came before is not, and nobody waits.
    assert.deepEqual(bench.delivered, ['a', 'b', 'd', 'late', 'e'])
    assert.equal(bench.tun.counters().rx.dropped, 1)

    bench.received.length = 0
    const start = bench.tun.counters().tx.packets
    bench.fromApplication('one')
    await until(() => bench.textsAtPeer(14).length === 1, 'one arrives')
    const echo = dataMessage(
      { tunnel: 0x3333, session: 0x4444, ns: 999, ppp: [0xff, 0x03, 0xc0, 0x21] },
      new Uint8Array(8),
    )
    bench.socket.send(echo, bench.peerAddress)
    bench.fromApplication('two')
    await until(() => bench.textsAtPeer(14).length === 2, 'two arrives')
    const numbers = bench.received.map((message) => ((message[6] ?? 0) << 8) | (message[7] ?? 0))
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => start + i),
    )
    assert.equal(toHex(bench.received[0]?.subarray(0, 2) ?? new Uint8Array()), '0802')
  })

  test('sequence numbers follow the peer, and recover when it starts anew', async (t) => {
    const bench = await Bench.make(t, 'ndp11')
    bench.attach()
    const flags = async (text: string) => {
      bench.fromApplication(text)
      const has = (message: Uint8Array) => Buffer.from(message).includes(text)
      await until(() => bench.received.some(has), 'it arrives')
      return bench.received.find(has)?.[0]
    }
    assert.equal(await flags('plain'), 0x00)
    bench.dataFromPeer('numbered', { ns: 40000 })
    await until(() => bench.delivered.length === 1, 'it is delivered')
    assert.equal(await flags('numbered too'), 0x08)
    bench.dataFromPeer('without')
    await until(() => bench.delivered.length === 2, 'it is delivered')
    assert.equal(await flags('plain again'), 0x00)
    for (let ns = 30000; ns < 30100; ns++) bench.dataFromPeer('anew', { ns })
    await until(() => bench.delivered.length >= 2 + 99, 'the new numbers are taken up')
    assert.ok(bench.tun.counters().rx.dropped <= 1)
  })

  test('a peer that swaps each two numbered messages loses none', async (t) => {
    const bench = await Bench.make(t, 'ndp17')
    bench.attach()
    const numbers = Array.from({ length: 200 }, (_, i) => i ^ 1)
    for (const ns of numbers) {
      bench.dataFromPeer(String(ns), { ns })
      if (ns % 40 === 0) await sleep(1)
    }
    await until(() => bench.delivered.length === 200, 'all are delivered')
    assert.deepEqual(bench.delivered.map(Number), numbers)
    assert.equal(bench.tun.counters().rx.dropped, 0)
  })

  test('what the socket did not take yet counts as dropped when the session ends', async (t) => {
    const bench = await Bench.make(t, 'ndp18')
    bench.attach()
    try {
      run('tc qdisc add dev lo root tbf rate 8kbit burst 2k limit 8m')
    } catch (error) {
      if (!/Specified qdisc (kind is unknown|not found)/.test(String(error))) throw error
      return t.skip('this kernel has no tbf')
    }
    t.after(() => run('tc qdisc del dev lo root'))
    const counted = () => {
      const { tx } = bench.tun.counters()
      return tx.packets + tx.dropped
    }
    // What the kernel has handed to us of the device, in whatever way it went on.
    const read = () => JSON.parse(run('ip -j -s link show ndp18'))[0].stats64.tx.packets
    // More than the socket's buffer.
    for (let i = 0; i < 1400; i++) {
      bench.fromApplication(String(i).padEnd(1000))
      if (i % 50 === 0) await sleep(1)
    }
    await until(() => read() > 100 && read() === counted() + 1, 'one packet is in hand')
    bench.path.detach()
    await until(() => read() === counted(), 'it is counted, as are those that waited in the device')
  })

  test('where the uplink is slow, packets wait in the device instead of being lost', async (t) => {
    const bench = await Bench.make(t, 'ndp15')
    bench.attach()
    try {
      run('tc qdisc add dev lo root tbf rate 6mbit burst 20k limit 8m')
    } catch (error) {
      if (!/Specified qdisc (kind is unknown|not found)/.test(String(error))) throw error
      return t.skip('this kernel has no tbf')
    }
    t.after(() => run('tc qdisc del dev lo root'))
    const count = 1400
    const before = bench.tun.counters()
    for (let i = 0; i < count; i++) {
      bench.fromApplication(String(i).padEnd(1000))
      if (i % 50 === 0) await sleep(1)
    }
    bench.fromPeer(controlMessage(1))
    const arrived = () => bench.textsAtPeer().length >= count
    await until(arrived, 'all arrive')
    assert.deepEqual(
      bench.textsAtPeer().map(Number),
      Array.from({ length: count }, (_, i) => i),
    )
    assert.equal(bench.tun.counters().tx.dropped, before.tx.dropped)
    assert.equal(bench.toJs.length, 1)
  })

  test('a peer that refuses is told as an error, and data goes on afterwards', async (t) => {
    const bench = await Bench.make(t, 'ndp12')
    bench.socket.connect(bench.peerAddress)
    bench.attach()
    const { port } = bench.peerAddress
    await new Promise<void>((resolve) => bench.peer.close(resolve))
    bench.fromApplication('lost')
    await until(() => bench.errors.length > 0, 'the refusal is told')
    const next = createSocket('udp4')
    await new Promise<void>((resolve) => next.bind(port, '127.0.0.1', resolve))
    const got: string[] = []
    next.on('message', (message) => got.push(message.toString('latin1')))
    bench.fromApplication('after')
    await until(() => got.some((text) => text.endsWith('after')), 'the next one arrives')
    assert.deepEqual([...new Set(bench.errors)], ['ECONNREFUSED'])
    next.close()
  })

  test('a removed device is told while attached; control messages still come, detaching works', async (t) => {
    const bench = await Bench.make(t, 'ndp13')
    bench.attach()
    run('ip link del ndp13')
    await until(() => bench.gone === 1, 'the device is gone')
    bench.fromPeer(controlMessage(1))
    bench.dataFromPeer('nowhere')
    await until(() => bench.toJs.length === 1, 'the message is there')
    bench.path.detach()
    bench.fromPeer(controlMessage(2))
    await until(() => bench.toJs.length === 2, 'the next one too')
    await sleep(50)
    assert.equal(bench.gone, 1)
  })

  test('wrong uses are refused and change nothing', async (t) => {
    const bench = await Bench.make(t, 'ndp14')
    bench.attach()
    assert.throws(
      () => bench.attach(),
      (error) => error instanceof SystemError && error.code === 'EBUSY',
    )
    bench.socket.close()
    bench.path.detach()
    bench.path.detach()
    bench.path.update({ mtu: 1000 })
    assert.throws(
      () => bench.attach(),
      (error) => error instanceof SystemError && error.code === 'EBADF',
    )
  })
})
