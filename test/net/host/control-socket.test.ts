import assert from 'node:assert/strict'
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { LineHandler, LineStream } from '../../../src/app/ports.ts'
import { ControlClient, ControlRefusal } from '../../../src/host/control-client.ts'
import { listenControl } from '../../../src/host/control-socket.ts'

const folder = mkdtempSync(join(tmpdir(), 'lifeline-control-'))
after(() => rmSync(folder, { recursive: true }))

/** Answers every line with itself, later. */
function echo(stream: LineStream): LineHandler {
  return {
    onLine: async (line) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      stream.send(`heard ${line}`)
    },
    onEnd: () => stream.close(),
    onClose: () => {},
  }
}

function gather(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}

test('the socket appears with mode 0600 and no other name, and goes away', async () => {
  const path = join(folder, 'made', 'control.sock')
  const control = await listenControl(path, echo)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(lstatSync(path).isSocket(), true)
  assert.deepEqual(readdirSync(join(folder, 'made')), ['control.sock'])
  control.close()
  assert.equal(existsSync(path), false)
})

test('lines that arrive in pieces are answered, all of them, before a half-closed client is let go', async () => {
  const path = join(folder, 'pieces.sock')
  const control = await listenControl(path, echo)
  const socket = connect({ path, allowHalfOpen: true })
  const text = gather(socket)
  socket.write('o')
  socket.write('ne\ntwo\n\nth')
  socket.end('ree \u20ac\n')
  assert.equal(await text, 'heard one\nheard two\nheard three \u20ac\n')
  control.close()
})

test('a client that is kept to be told of events is let go once it is gone', async () => {
  const path = join(folder, 'followers.sock')
  const followers = new Set<LineStream>()
  const control = await listenControl(path, (stream) => ({
    onLine: async () => void followers.add(stream),
    onEnd: () => {},
    onClose: () => void followers.delete(stream),
  }))
  const listening = connect({ path, allowHalfOpen: true })
  const text = gather(listening)
  listening.end('follow\n')
  for (let i = 0; i < 40; i++) {
    const socket = connect(path)
    await new Promise((resolve) => socket.write('follow\n', resolve))
    while (followers.size < 2) await new Promise((resolve) => setTimeout(resolve, 1))
    socket.destroy()
    while (followers.size > 1) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  for (const stream of followers) stream.send('event')
  for (const stream of followers) stream.close()
  assert.equal((await text).trim(), 'event')
  control.close()
})

test('a line without an end is cut off', async () => {
  const path = join(folder, 'long.sock')
  const control = await listenControl(path, echo)
  const socket = connect(path)
  const text = gather(socket)
  socket.write('x'.repeat(70_000))
  assert.equal(await text, '')
  control.close()
})

test('a client that does not read is let go once much has piled up', async () => {
  const path = join(folder, 'slow.sock')
  let sent = 0
  const gone = new Promise<void>((resolve) => {
    const flood = (stream: LineStream): LineHandler => {
      const timer = setInterval(() => {
        for (let i = 0; i < 100; i++) stream.send('y'.repeat(1000))
        sent += 100_000
      }, 1)
      return {
        onLine: async () => {},
        onEnd: () => {},
        onClose: () => {
          clearInterval(timer)
          resolve()
        },
      }
    }
    void listenControl(path, flood).then((control) => {
      const socket = connect(path).on('error', () => {})
      socket.pause()
      void gone.then(() => {
        socket.destroy()
        control.close()
      })
    })
  })
  await gone
  assert.ok(sent < 4_000_000, `${sent} octets were sent to a client that reads nothing`)
})

test('a live socket is refused, a dead one replaced, and anything else left alone', async () => {
  const path = join(folder, 'taken.sock')
  const first = await listenControl(path, echo)
  await assert.rejects(listenControl(path, echo), {
    code: 'EADDRINUSE',
    message: `a daemon already listens on ${path}`,
  })
  first.close()

  // Left behind as by SIGKILL: the file stays when its owner is gone.
  const dead = createServer().listen(path)
  await new Promise((resolve) => dead.once('listening', resolve))
  const stale = join(folder, 'stale.sock')
  linkSync(path, stale)
  dead.close()
  const second = await listenControl(stale, echo)
  assert.equal(await answerOf(stale), 'heard hello\n')
  second.close()

  const file = join(folder, 'notes.txt')
  writeFileSync(file, 'mine')
  await assert.rejects(listenControl(file, echo), { code: 'EEXIST' })
  assert.equal(lstatSync(file).isFile(), true)
})

test('closing leaves the socket of a successor alone', async () => {
  const path = join(folder, 'successor.sock')
  const first = await listenControl(path, echo)
  rmSync(path)
  const second = await listenControl(path, echo)
  first.close()
  assert.equal(await answerOf(path), 'heard hello\n')
  second.close()
})

test('a path that does not fit into sun_path is refused in words', async () => {
  await assert.rejects(listenControl(join(folder, 'x'.repeat(100)), echo), { code: 'ENAMETOOLONG' })
})

test('the client tells a missing daemon from one that goes away', async () => {
  const path = join(folder, 'client.sock')
  await assert.rejects(ControlClient.connect(path), { code: 'ENOENT' })
  const silent = await listenControl(path, () => ({
    onLine: async () => {},
    onEnd: () => {},
    onClose: () => {},
  }))
  const client = await ControlClient.connect(path)
  const asked = client.request('status')
  setTimeout(() => silent.close(), 20)
  await assert.rejects(asked, new ControlRefusal(0, 'the daemon went away', []))
  await client.closed
  await assert.rejects(client.request('status'), { message: 'the daemon went away' })
})

function answerOf(path: string): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true })
  const text = gather(socket)
  socket.end('hello\n')
  return text
}

test('clients that say nothing keep nobody out, and cost nobody his place who has spoken', async () => {
  const path = join(folder, 'crowd.sock')
  const control = await listenControl(path, echo)
  const listener = connect(path)
  const heard = gather(listener)
  listener.write('first\n')
  await new Promise((resolve) => listener.once('data', resolve))
  const silent = Array.from({ length: 40 }, () => connect(path))
  for (const socket of silent) socket.on('error', () => {})
  await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
  const late = connect(path)
  late.end('late\n')
  assert.equal(await gather(late), 'heard late\n')
  listener.end('again\n')
  assert.equal(await heard, 'heard first\nheard again\n')
  for (const socket of silent) socket.destroy()
  control.close()
})
