/** What the adapters of sockets make of what the addon tells; the addon itself is held in net/native. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SystemError } from '../../src/app/ports.ts'
import { NativeDatagrams } from '../../src/host/datagrams.ts'
import { Systemd } from '../../src/host/sd-notify.ts'
import { NativeTcpProbes } from '../../src/host/tcp-probes.ts'
import { FakeAddon } from './fake-addon.ts'

const [EADDRINUSE, ECONNREFUSED, EHOSTUNREACH] = [98, 111, 113]

const PEER = Uint8Array.of(198, 51, 100, 1)
const message = (...bytes: readonly number[]) => ({ host: PEER, number: 1701, bytes: Uint8Array.from(bytes) })
const refusedAs = (code: string) => (error: unknown) => error instanceof SystemError && error.code === code

test('what comes after a socket was closed is not handed over, though it came in the same batch', () => {
  const addon = new FakeAddon()
  const heard: unknown[] = []
  const socket = new NativeDatagrams(addon).open({
    family: 4,
    onMessage: (from, bytes) => {
      heard.push([from, ...bytes])
      if (bytes[0] === 2) socket.close()
    },
    onError: (code) => heard.push(code),
  })
  addon.arrive(0, message(1), message(2), message(3), { error: ECONNREFUSED })
  const from = { host: '198.51.100.1', port: 1701 }
  assert.deepEqual(heard, [
    [from, 1],
    [from, 2],
  ])
  addon.take()
  socket.send(Uint8Array.of(1), from)
  socket.expect(from.host, 1)
  assert.deepEqual(addon.take(), [], 'nothing is asked of a closed socket')
})

test('an error has its name, and that of an ICMP message says who sent it and what it quotes', () => {
  const addon = new FakeAddon()
  const heard: unknown[] = []
  new NativeDatagrams(addon).open({
    family: 4,
    onMessage: () => {},
    onError: (code, notice) => heard.push([code, notice]),
  })
  addon.arrive(0, { error: EHOSTUNREACH })
  addon.arrive(0, { error: ECONNREFUSED, host: PEER, bytes: Uint8Array.of(7) })
  assert.deepEqual(heard, [
    ['EHOSTUNREACH', undefined],
    ['ECONNREFUSED', { from: '198.51.100.1', quote: Uint8Array.of(7) }],
  ])
})

test('where a socket leaves is told to the addon, and in the error', () => {
  const addon = new FakeAddon()
  const datagrams = new NativeDatagrams(addon)
  const quiet = { onMessage: () => {}, onError: () => {} }
  datagrams.open({ family: 6, ...quiet })
  datagrams.open({ family: 4, device: 'wan0', source: '192.0.2.9', port: 1701, mark: 5, ...quiet })
  assert.deepEqual(addon.take(), [
    ['openDatagram', '', '0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0', 0, 0],
    ['openDatagram', 'wan0', '192.0.2.9', 1701, 5],
  ])
  addon.answers.openDatagram = -EADDRINUSE
  assert.throws(
    () => datagrams.open({ family: 4, device: 'wan0', port: 1701, ...quiet }),
    /on wan0 port 1701: EADDRINUSE/,
  )
  assert.throws(() => datagrams.open({ family: 6, source: '192.0.2.9', ...quiet }), refusedAs('EAFNOSUPPORT'))
})

test('a TCP probe tells one outcome, and none once it was given up; it is closed once', () => {
  const addon = new FakeAddon()
  const told: string[] = []
  const probe = () =>
    new NativeTcpProbes(addon).connect({
      to: { host: '198.51.100.1', port: 80 },
      onOutcome: (outcome) => told.push(outcome),
    })
  const cancel = probe()
  addon.arrive(0, message())
  addon.arrive(0, { error: ECONNREFUSED })
  cancel()
  probe()
  addon.arrive(1, { error: ECONNREFUSED })
  probe()()
  addon.arrive(2, message())
  assert.deepEqual(told, ['connected', 'ECONNREFUSED'])
  const closed = addon.take().filter(([name]) => name === 'close')
  assert.deepEqual(closed, [
    ['close', 0],
    ['close', 1],
    ['close', 2],
  ])
})

test('without a service manager, or with an address that is none of ours, nobody is notified', (t) => {
  const addon = new FakeAddon()
  const systemd = new Systemd(addon)
  const before = process.env.NOTIFY_SOCKET
  t.after(() => {
    if (before === undefined) delete process.env.NOTIFY_SOCKET
    else process.env.NOTIFY_SOCKET = before
  })
  for (const socket of [undefined, 'vsock:2', '/run/notify']) {
    if (socket === undefined) delete process.env.NOTIFY_SOCKET
    else process.env.NOTIFY_SOCKET = socket
    systemd.status('two\n lines')
  }
  assert.deepEqual(addon.take(), [['notify', '/run/notify', 'STATUS=two lines']])
})
