import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { inNamespace, link, run, startScript, until } from './namespace.ts'
import { controlMessage } from './packets.ts'
import { Bench } from './peer.ts'

const BEGIN = `
  import { loadAddon } from '$SRC/host/native.ts'
  import { NativeDatagrams } from '$SRC/host/datagrams.ts'
  import { NativeNetlinkSockets } from '$SRC/host/netlink-sockets.ts'
  import { NativeDataPaths } from '$SRC/host/data-paths.ts'
  import { NativeTuns } from '$SRC/host/tuns.ts'
  const onError = (code) => console.log('error', code)
  const onMessage = () => {}
  const addon = loadAddon()
  const datagrams = new NativeDatagrams(addon)
  const socket = datagrams.open({ family: 4, source: '127.0.0.1', onMessage, onError })
  const netlink = new NativeNetlinkSockets(addon).open({ protocol: 'route', groups: [1], onArrivals() {} })
  const tun = new NativeTuns(addon).open('nlt0')
  const attach = (tun, socket) => new NativeDataPaths(addon).attach(tun, {
    socket, peer: { host: '127.0.0.1', port: socket.local.port }, mtu: 1462, sequencing: false, ipv4: true, ipv6: true,
    localTunnelId: 1, localSessionId: 1, peerTunnelId: 1, peerSessionId: 1,
  })
  attach(tun, socket)
  // The socket is its own peer: each message that it sends keeps the threads and the mail busy.
  const flood = () => { for (let i = 0; i < 50; i++) socket.send(new Uint8Array([0xc8, 2, 0, 0]), socket.local) }
`

async function outcome(
  code: string,
): Promise<{ status: number | null; signal: string | null; output: string }> {
  const child = startScript(BEGIN + code)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (text) => {
      output += text
    })
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  const [status, signal] = await once(child, 'close')
  clearTimeout(timer)
  return { status, signal, output }
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length
}

function residentKilobytes(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1])
}

function threads(): number {
  return readdirSync('/proc/self/task').length
}

inNamespace(import.meta.url, () => {
  test('process.exit under load ends at once and cleanly', async () => {
    for (const when of ['setTimeout(() => process.exit(7), 20)', 'setImmediate(() => process.exit(7))'])
      assert.deepEqual(await outcome(`flood(); setInterval(flood, 1); ${when}`), {
        status: 7,
        signal: null,
        output: '',
      })
  })

  test('process.exit inside a callback ends cleanly', async () => {
    const code = `
      const other = datagrams.open({ family: 4, source: '127.0.0.1', onMessage: () => process.exit(8), onError })
      flood()
      other.send(new Uint8Array(10), other.local)`
    assert.deepEqual(await outcome(code), { status: 8, signal: null, output: '' })
  })

  test('an exception in a callback is an uncaught exception, not a warning', async () => {
    const code = `
      const other = datagrams.open({ family: 4, source: '127.0.0.1', onMessage() { throw new Error('thrown inside') }, onError })
      other.send(new Uint8Array(10), other.local)`
    const { status, output } = await outcome(code)
    assert.equal(status, 1)
    assert.match(output, /Error: thrown inside/)
    const caught = await outcome(`
      let count = 0
      process.on('uncaughtException', () => { if (++count === 2) process.exit(9); other.send(new Uint8Array(10), other.local) })
      ${code}`)
    assert.equal(caught.status, 9, caught.output)
  })

  test('the event loop ends when all is closed, and not before', async () => {
    const code = `
      setTimeout(() => { console.log('closing'); tun.close(); netlink.close(); socket.close() }, 100)
      flood()`
    assert.deepEqual(await outcome(code), { status: 0, signal: null, output: 'closing\n' })
    const waiting = await outcome(`
      tun.destroy(); netlink.close()
      const { createSocket } = await import('node:dgram')
      process.on('exit', () => console.log('got', got))
      let got = 0
      setTimeout(() => {}, 1)
      const other = datagrams.open({ family: 4, source: '127.0.0.1', onMessage() { got++; other.close(); socket.close() }, onError })
      setTimeout(() => socket.send(new Uint8Array(1), other.local), 300).unref()`)
    assert.deepEqual(waiting, { status: 0, signal: null, output: 'got 1\n' })
  })

  test('closing in any order, inside callbacks and attached, is harmless', async () => {
    const code = `
      for (let i = 0; i < 30; i++) {
        const messages = []
        const done = new Promise((resolve) => {
          const other = datagrams.open({ family: 4, source: '127.0.0.1', onError, onMessage() {
            if (i % 3 === 0) { other.close(); second.close() }
            if (i % 3 === 1) { second.destroy(); other.close() }
            if (i % 3 === 2) { path.detach(); other.close(); second.destroy() }
            resolve()
          } })
          const second = new NativeTuns(addon).open('nlt1')
          const path = attach(second, other)
          for (let j = 0; j < 5; j++) socket.send(new Uint8Array([0xc8, 2, 0, 0]), other.local)
        })
        await done
      }
      process.exit(3)`
    assert.deepEqual(await outcome(code), { status: 3, signal: null, output: '' })
  })

  test('SIGKILL while attached leaves the device without carrier', async () => {
    const child = startScript(`${BEGIN} tun.setCarrier(true); console.log('up'); setInterval(flood, 1)`)
    assert.ok(child.stdout)
    await once(child.stdout, 'data')
    run('ip link set nlt0 up')
    child.kill('SIGKILL')
    await once(child, 'exit')
    await until(() => link('nlt0')?.flags.includes('NO-CARRIER') === true, 'the carrier is off')
  })

  test('1,000 times attaching and detaching under traffic cost no descriptor, thread or memory', async (t) => {
    const bench = await Bench.make(t, 'nlt2')
    let sent = 0
    const cycle = async () => {
      bench.attach()
      bench.fromPeer(controlMessage(sent++))
      // What comes while detached goes to JS too, of which a peer has 2,000 at once and 500 a second: all of this stays below.
      if (sent % 3 === 0) bench.dataFromPeer('data')
      bench.fromApplication('data')
      if (sent % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
      bench.path.detach()
    }
    const control = () => bench.toJs.filter((message) => message[0] === 0xc8).length
    for (let i = 0; i < 300; i++) await cycle()
    const measure = () => {
      bench.toJs.length = bench.received.length = bench.delivered.length = 0
      sent = 0
      globalThis.gc?.()
      return { files: openFiles(), threads: threads(), rss: residentKilobytes() }
    }
    await until(() => control() === sent, 'every control message has arrived')
    const before = measure()
    for (let i = 0; i < 1000; i++) await cycle()
    await until(() => control() === sent, 'every control message has arrived')
    const after = measure()
    assert.equal(after.files, before.files)
    assert.equal(after.threads, before.threads)
    // What V8 keeps varies by a few megabytes; 8 kB a time would be 8 MB.
    assert.ok(after.rss - before.rss < 8192, `RSS grew from ${before.rss} to ${after.rss} kB`)
  })

  test('2,000 sockets opened and closed are given back, handles included', async () => {
    const { NativeDatagrams } = await import('../../../src/host/datagrams.ts')
    const { loadAddon } = await import('../../../src/host/native.ts')
    const datagrams = new NativeDatagrams(loadAddon())
    const cycle = async () => {
      const socket = datagrams.open({ family: 4, source: '127.0.0.1', onMessage() {}, onError() {} })
      socket.send(new Uint8Array(100), socket.local)
      await new Promise((resolve) => setImmediate(resolve))
      socket.close()
    }
    for (let i = 0; i < 2000; i++) await cycle()
    globalThis.gc?.()
    const before = { files: openFiles(), rss: residentKilobytes() }
    for (let i = 0; i < 2000; i++) await cycle()
    globalThis.gc?.()
    await until(() => openFiles() === before.files, 'all files are closed')
    // Leaking their mailboxes alone would be half a gigabyte of address space, and at least 8 MB resident.
    assert.ok(
      residentKilobytes() - before.rss < 6144,
      `RSS grew from ${before.rss} to ${residentKilobytes()} kB`,
    )
  })
})
