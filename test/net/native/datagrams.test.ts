import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DatagramSocket, SystemError } from '../../../src/app/ports.ts'
import { toHex } from '../../../src/core/bytes.ts'
import type { Address } from '../../../src/core/endpoint.ts'
import { NativeDatagrams } from '../../../src/host/datagrams.ts'
import { loadAddon } from '../../../src/host/native.ts'
import { inNamespace, run, until } from './namespace.ts'
import { controlMessage, dataMessage } from './packets.ts'

interface Opened {
  readonly socket: DatagramSocket
  readonly messages: { from: Address; text: string }[]
  readonly errors: string[]
}

function codeOf(error: unknown): string | undefined {
  return error instanceof SystemError ? error.code : undefined
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function transmitted(device: string): number {
  const [found] = JSON.parse(run(`ip -j -s link show ${device}`))
  return found.stats64.tx.packets
}

inNamespace(import.meta.url, () => {
  const datagrams = new NativeDatagrams(loadAddon())

  function open(options: { family?: 4 | 6; device?: string; source?: string; port?: number } = {}): Opened {
    const messages: Opened['messages'] = []
    const errors: string[] = []
    const socket = datagrams.open({
      family: 4,
      ...options,
      onMessage: (from, message) => messages.push({ from, text: new TextDecoder().decode(message) }),
      onError: (code) => errors.push(code),
    })
    return { socket, messages, errors }
  }

  async function echoServer(address: string, port = 0): Promise<Socket> {
    const server = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    server.on('message', (message, from) => server.send(message, from.port, from.address))
    server.bind(port, address)
    await once(server, 'listening')
    return server
  }

  for (const [family, address] of [
    [4, '127.0.0.1'],
    [6, '::1'],
  ] as const) {
    test(`messages go and come over IPv${family}, before and after connecting`, async () => {
      const server = await echoServer(address)
      const peer = { host: address, port: server.address().port }
      const { socket, messages, errors } = open({ family })
      assert.notEqual(socket.local.port, 0)
      socket.send(bytes('one'), peer)
      await until(() => messages.length === 1, 'the first came back')
      socket.connect(peer)
      assert.deepEqual(socket.local.host, address)
      socket.send(bytes('two'))
      socket.send(new Uint8Array())
      socket.send(bytes('x'.repeat(9000)))
      await until(() => messages.length === 4, 'all came back')
      assert.deepEqual(
        messages.map(({ from, text }) => [from, text.length]),
        [3, 3, 0, 9000].map((length) => [peer, length]),
      )
      assert.deepEqual(errors, [])
      socket.close()
      server.close()
    })
  }

  test('a socket bound to a device never sends by another, whatever the routes say', () => {
    run('ip link add ndA type veth peer name ndA2')
    run('ip link add ndB type veth peer name ndB2')
    for (const device of ['ndA', 'ndA2', 'ndB', 'ndB2']) run(`ip link set ${device} up`)
    run('sysctl -qw net.ipv6.conf.all.disable_ipv6=1')
    run('ip addr add 192.0.2.1/24 dev ndA')
    run('ip addr add 198.51.100.1/24 dev ndB')
    run('ip neigh add 198.51.100.9 lladdr 02:00:00:00:00:09 dev ndA')
    run('ip neigh add 198.51.100.9 lladdr 02:00:00:00:00:09 dev ndB')
    const before = [transmitted('ndA'), transmitted('ndB')] as const
    const { socket } = open({ device: 'ndA' })
    for (let i = 0; i < 10; i++) socket.send(bytes('hello'), { host: '198.51.100.9', port: 9 })
    assert.deepEqual([transmitted('ndA') - before[0], transmitted('ndB') - before[1]], [10, 0])
    socket.close()
    run('sysctl -qw net.ipv6.conf.all.disable_ipv6=0')
  })

  test('source and port are what was asked for; what cannot be is refused with its code', () => {
    run('ip addr add 127.0.0.7/8 dev lo')
    const first = open({ source: '127.0.0.7', port: 1701 })
    assert.deepEqual(first.socket.local, { host: '127.0.0.7', port: 1701 })
    assert.throws(
      () => open({ source: '127.0.0.7', port: 1701 }),
      (error) => codeOf(error) === 'EADDRINUSE',
    )
    assert.throws(
      () => open({ source: '203.0.113.77' }),
      (error) => codeOf(error) === 'EADDRNOTAVAIL',
    )
    assert.throws(
      () => open({ device: 'nosuch' }),
      (error) => {
        assert.ok(error instanceof SystemError)
        assert.equal(error.code, 'ENODEV')
        assert.match(error.message, /UDP socket on nosuch/)
        return true
      },
    )
    assert.throws(
      () => open({ family: 6, source: '127.0.0.7' }),
      (error) => codeOf(error) === 'EAFNOSUPPORT',
    )
    first.socket.close()
    open({ source: '127.0.0.7', port: 1701 }).socket.close()
  })

  test('a family 6 socket leaves the port of family 4 alone', () => {
    const four = open({ port: 1701 })
    const six = open({ family: 6, port: 1701 })
    four.socket.close()
    six.socket.close()
  })

  test('ECONNREFUSED is told, connected or not, and the socket goes on', async () => {
    for (const connected of [false, true]) {
      const { socket, messages, errors } = open()
      const silent = await echoServer('127.0.0.1')
      const peer = { host: '127.0.0.1', port: silent.address().port }
      silent.close()
      await once(silent, 'close')
      if (connected) socket.connect(peer)
      socket.send(bytes('anyone?'), peer)
      await until(() => errors.length > 0, 'the refusal is told')
      const server = await echoServer('127.0.0.1', peer.port)
      socket.send(bytes('now'), peer)
      await until(() => messages.length === 1, 'the next one is answered')
      assert.deepEqual(errors, ['ECONNREFUSED'])
      socket.close()
      server.close()
    }
  })

  test('an error that repeats is told a few times a second, and costs no message', async () => {
    const { socket, errors } = open()
    const silent = await echoServer('127.0.0.1')
    const refusing = { host: '127.0.0.1', port: silent.address().port }
    silent.close()
    await once(silent, 'close')
    const server = createSocket('udp4').bind(0, '127.0.0.1')
    await once(server, 'listening')
    let arrived = 0
    server.on('message', () => arrived++)
    const began = performance.now()
    for (let i = 0; i < 200; i++) {
      socket.send(bytes('x'), refusing)
      socket.send(bytes('y'), { host: '127.0.0.1', port: server.address().port })
      if (i % 20 === 0) await sleep(5)
    }
    await until(() => arrived === 200, 'each message to the other one arrives')
    const seconds = (performance.now() - began) / 1000
    assert.ok(
      errors.length >= 1 && errors.length <= 5 + 5 * seconds,
      `${errors.length} errors in ${seconds} s`,
    )
    assert.deepEqual([...new Set(errors)], ['ECONNREFUSED'])
    socket.close()
    server.close()
  })

  test('messages keep their order, and those that find JS busy wait in the kernel', async () => {
    const { socket, messages } = open()
    const { port } = socket.local
    const sent = 500
    // Another process sends while this one is blocked: more than a mailbox holds, no more than the kernel holds alone.
    execFileSync(process.execPath, [
      '-e',
      `const s = require('dgram').createSocket('udp4'); let i = 0;
       (function next() { if (i === ${sent}) return s.close(); s.send(String(i++).padEnd(800), ${port}, '127.0.0.1', next) })()`,
    ])
    await until(() => messages.length >= sent, 'all have arrived')
    assert.deepEqual(
      messages.map(({ text }) => Number(text)),
      Array.from({ length: sent }, (_, i) => i),
    )
    socket.close()
  })

  test('a mailbox that is full costs no CPU while JS is busy', async () => {
    const { socket, messages } = open()
    const sent = 12
    // 12 of 60,000 octets are more than a mailbox holds and fewer than the kernel does.
    for (let i = 0; i < sent; i++) socket.send(bytes(String(i).padEnd(60_000)), socket.local)
    const wait = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
    wait(200)
    const before = process.cpuUsage()
    wait(1000)
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < 100_000, `${(user + system) / 1000} ms of CPU within a second`)
    await until(() => messages.length === sent, 'all have arrived')
    socket.close()
  })

  test('however much arrives, a turn of the event loop gets a few dozen messages, and each socket its share', async () => {
    const sockets = Array.from({ length: 40 }, () => open())
    const [flooded, ...quiet] = sockets
    assert.ok(flooded)
    const ports = quiet.map(({ socket }) => socket.local.port)
    // All of it waits in the mailboxes and the kernel before the first turn.
    execFileSync(process.execPath, [
      '-e',
      `const s = require('dgram').createSocket('udp4'); let i = 0
       const to = [...Array(1000).fill(${flooded.socket.local.port}), ...${JSON.stringify(ports)}];
       (function next() { if (i === to.length) return s.close(); s.send('x', to[i++], '127.0.0.1', next) })()`,
    ])
    const count = () => sockets.reduce((sum, { messages }) => sum + messages.length, 0)
    const turns: number[] = []
    let seen = count()
    for (let turn = 0; count() < 1039 && turn < 100_000; turn++) {
      // One phase of timers, one of sockets, one of immediates: what runs in between is one turn.
      await new Promise((resolve) => setImmediate(resolve))
      turns.push(count() - seen)
      seen = count()
    }
    assert.equal(count(), 1039, 'all have arrived')
    assert.ok(Math.max(...turns) <= 128, `${Math.max(...turns)} in one turn`)
    assert.ok(turns.filter((each) => each > 0).length >= 1039 / 128)
    for (const { socket } of sockets) socket.close()
  })

  test('only L2TP of the host and the tunnel that are expected arrives, and a little of tunnel 0', async () => {
    run('ip addr add 127.0.0.8/8 dev lo')
    const arrived: string[] = []
    const socket = datagrams.open({
      family: 4,
      source: '127.0.0.1',
      onMessage: (_from, message) => arrived.push(toHex(message.subarray(0, 10))),
      onError: (code) => assert.fail(code),
    })
    const peers = { peer: createSocket('udp4'), stranger: createSocket('udp4') }
    for (const [socketOf, address] of [
      [peers.peer, '127.0.0.1'],
      [peers.stranger, '127.0.0.8'],
    ] as const) {
      socketOf.bind(0, address)
      await once(socketOf, 'listening')
    }
    const say = (who: Socket, message: Uint8Array) =>
      new Promise<void>((resolve) => who.send(message, socket.local.port, '127.0.0.1', () => resolve()))
    socket.expect('127.0.0.1', 0x1234)
    const data = dataMessage({ tunnel: 0x1234, session: 1 }, new Uint8Array(4))
    const unwanted = [
      [peers.stranger, controlMessage(1, 0x1234)],
      [peers.stranger, data],
      [peers.peer, controlMessage(2, 0x1235)],
      [peers.peer, dataMessage({ tunnel: 0x1235, session: 1 }, new Uint8Array(4))],
      [peers.peer, dataMessage({ tunnel: 0, session: 1 }, new Uint8Array(4))],
      [peers.peer, Uint8Array.of(0xc8, 0x03, 0, 12, 0x12, 0x34)],
      [peers.peer, Uint8Array.of(0xc8)],
      [peers.peer, new Uint8Array()],
    ] as const
    for (const [who, message] of unwanted) await say(who, message)
    const wanted = [
      controlMessage(3, 0x1234),
      data,
      dataMessage({ tunnel: 0x1234, session: 1, length: true }, data),
    ]
    for (const message of wanted) await say(peers.peer, message)
    await until(() => arrived.length >= wanted.length, 'they arrive')
    assert.deepEqual(
      arrived,
      wanted.map((message) => toHex(message.subarray(0, 10))),
    )

    arrived.length = 0
    const began = performance.now()
    for (let i = 0; i < 200; i++) await say(peers.peer, controlMessage(i, 0))
    socket.expect('127.0.0.1', 0x4321)
    await say(peers.peer, controlMessage(4, 0x1234))
    await say(peers.peer, controlMessage(5, 0x4321))
    const last = toHex(controlMessage(5, 0x4321).subarray(0, 10))
    await until(() => arrived.includes(last), 'the new id is expected')
    const seconds = (performance.now() - began) / 1000
    assert.ok(
      arrived.length >= 21 && arrived.length <= 22 + 10 * seconds,
      `${arrived.length} in ${seconds} s`,
    )
    assert.throws(
      () => socket.expect('127.0.0.8', 1),
      (error) => codeOf(error) === 'EINVAL',
    )
    for (const each of Object.values(peers)) each.close()
    socket.close()
  })

  test('a peer that floods is cut to its share, and keeps nobody else from being heard', async () => {
    const flooded = open()
    const other = open()
    const began = performance.now()
    execFileSync(process.execPath, [
      '-e',
      `const s = require('dgram').createSocket('udp4'); let i = 0;
       (function next() { if (i++ === 12000) return s.send('y', ${other.socket.local.port}, '127.0.0.1', () => s.close())
         s.send('x', ${flooded.socket.local.port}, '127.0.0.1', next) })()`,
    ])
    await until(() => other.messages.length === 1, 'the other is heard')
    await sleep(100)
    const seconds = (performance.now() - began) / 1000
    const { length } = flooded.messages
    assert.ok(length >= 1000 && length <= 2000 + 500 * seconds, `${length} in ${seconds} s`)
    flooded.socket.close()
    other.socket.close()
  })

  test('nothing arrives after close, not even the rest of a batch', async () => {
    const server = await echoServer('127.0.0.1')
    let arrived = 0
    const socket = datagrams.open({
      family: 4,
      onMessage() {
        arrived++
        socket.close()
      },
      onError: (code) => assert.fail(code),
    })
    for (let i = 0; i < 10; i++) socket.send(bytes('x'), { host: '127.0.0.1', port: server.address().port })
    await until(() => arrived > 0, 'one has arrived')
    await sleep(50)
    assert.equal(arrived, 1)
    socket.send(bytes('closed'), { host: '127.0.0.1', port: 9 })
    socket.close()
    server.close()
  })

  test('a datagram above the MTU goes out in fragments', async () => {
    run('ip link add nfA type veth peer name nfB')
    run('ip link add nfOther type veth')
    run('ip addr add 192.0.2.33/28 dev nfA')
    run('ip neigh add 192.0.2.34 lladdr 02:00:00:00:00:34 dev nfA')
    run('ip -6 addr add 2001:db8::33/64 dev nfA nodad')
    run('ip link set nfA up mtu 1500')
    run('ip link set nfB up mtu 1500')
    run('ip neigh add 2001:db8::34 lladdr 02:00:00:00:00:34 dev nfA')
    for (const [family, host] of [
      [4, '192.0.2.34'],
      [6, '2001:db8::34'],
    ] as const) {
      const { socket, errors } = open({ family, device: 'nfA' })
      await sleep(20)
      const before = transmitted('nfA')
      socket.send(new Uint8Array(1510), { host, port: 1701 })
      socket.connect({ host, port: 1701 })
      socket.send(new Uint8Array(1510))
      await sleep(20)
      assert.deepEqual(errors, [])
      assert.ok(transmitted('nfA') - before >= 4, `${transmitted('nfA') - before} packets for two datagrams`)
      socket.close()
    }
  })

  test('a removed device is told at the next send; a socket on its successor works', async () => {
    const make = () => {
      run('ip link add nrA type veth peer name nrB')
      run('ip addr add 192.0.2.49/28 dev nrA')
      run('ip link set nrA up')
      run('ip link set nrB up')
      run('ip neigh add 192.0.2.50 lladdr 02:00:00:00:00:50 dev nrA')
    }
    make()
    const { socket, errors } = open({ device: 'nrA' })
    socket.connect({ host: '192.0.2.50', port: 1701 })
    run('ip link del nrA')
    socket.send(bytes('lost'))
    await until(() => errors.length > 0, 'the error is told')
    assert.match(errors[0] ?? '', /^(ENODEV|ENETUNREACH|EINVAL)$/)
    make()
    const before = transmitted('nrA')
    const successor = open({ device: 'nrA' })
    successor.socket.send(bytes('there'), { host: '192.0.2.50', port: 1701 })
    await until(() => transmitted('nrA') > before, 'it leaves')
    socket.close()
    successor.socket.close()
  })
})
