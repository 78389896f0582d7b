import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { after, afterEach, test } from 'node:test'
import type { SystemError } from '../../../src/app/ports.ts'
import { encodeUtf8 } from '../../../src/core/bytes.ts'
import { Utf8Decoder } from '../../../src/core/utf8-decoder.ts'
import { system } from '../../../src/host/system/engine.ts'
import type { Stream, StreamEvents } from '../../../src/host/system/port.ts'
import { pause } from '../../../src/host/timers.ts'

const { streams, files } = system
const folder = mkdtempSync(`${tmpdir()}/lifeline-streams-`)
after(() => rmSync(folder, { recursive: true }))

/** What a stream tells, in the order in which it does. */
class Heard implements StreamEvents {
  readonly events: string[] = []
  text = ''
  readonly #decoder = new Utf8Decoder()
  #wake = () => {}

  onOpen = () => this.#note('open')
  onData = (octets: Uint8Array) => {
    this.text += this.#decoder.push(octets)
    this.#wake()
  }
  onEnd = () => this.#note('end')
  onClose = (error?: SystemError) => this.#note(error === undefined ? 'close' : `close ${error.code}`)

  async until(done: () => boolean): Promise<this> {
    while (!done()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this
  }

  closed(): Promise<this> {
    return this.until(() => this.events.at(-1)?.startsWith('close') ?? false)
  }

  #note(event: string): void {
    this.events.push(event)
    this.#wake()
  }
}

const open: Stream[] = []
afterEach(() => {
  for (const stream of open.splice(0)) stream.destroy()
})

/** A client and what the listener has of it. */
async function pair(name: string) {
  const path = `${folder}/${name}`
  const [near, far] = [new Heard(), new Heard()]
  let taken: Stream | undefined
  const listener = await streams.listen({ path }, (client) => {
    taken = client
    return far
  })
  const client = streams.connect({ path }, near)
  await near.until(() => near.events.includes('open'))
  while (taken === undefined) await pause(1)
  open.push(client, taken)
  return { path, near, far, client, server: taken, listener }
}

test('each direction ends by itself', async () => {
  const { near, far, client, server, listener } = await pair('half')
  client.write(encodeUtf8('question '))
  client.write(encodeUtf8('one'))
  assert.equal(client.state, 'open')
  client.end()
  assert.equal(client.state, 'ending')
  client.write(encodeUtf8('too late'))
  await far.until(() => far.events.includes('end'))
  assert.equal(far.text, 'question one')
  assert.equal(server.state, 'open')
  server.write(encodeUtf8('answer'))
  server.end()
  await Promise.all([near.closed(), far.closed()])
  assert.equal(near.text, 'answer')
  assert.deepEqual(near.events, ['open', 'end', 'close'])
  assert.deepEqual(far.events, ['end', 'close'])
  assert.deepEqual([client.state, server.state], ['over', 'over'])
  listener.close()
})

test('who lets go is told that it is over, once, and never from inside the call', async () => {
  const { near, far, client, server, listener } = await pair('let-go')
  client.destroy()
  client.destroy()
  assert.equal(client.state, 'over')
  assert.deepEqual(near.events, ['open'])
  await Promise.all([near.closed(), far.until(() => far.events.includes('end'))])
  assert.equal(server.state, 'open')
  server.destroy()
  await far.closed()
  await pause(5)
  assert.deepEqual(near.events, ['open', 'close'])
  assert.deepEqual(far.events, ['end', 'close'])
  listener.close()
})

test('what a peer does not read is pending, and comes in order once it does', async () => {
  const { near, server, listener } = await pair('pending')
  const long = 'x'.repeat(1_000_000)
  for (let i = 0; i < 4; i++) server.write(encodeUtf8(`${i}${long}`))
  assert.ok(server.pending > 1_000_000, `${server.pending}`)
  await near.until(() => near.text.length === 4 * (long.length + 1))
  assert.equal(near.text, [0, 1, 2, 3].map((i) => `${i}${long}`).join(''))
  assert.equal(server.pending, 0)
  listener.close()
})

test('nobody there, nothing there, and a path that cannot be: told as the end of the connection', async () => {
  const { path, listener } = await pair('gone')
  listener.close()
  files.remove(path)
  for (const [target, code] of [
    [{ path }, 'ENOENT'],
    [{ name: `lifeline-nobody-${system.process.pid}` }, 'ECONNREFUSED'],
    [{ host: '127.0.0.1', port: 1 }, 'ECONNREFUSED'],
  ] as const) {
    const heard = new Heard()
    streams.connect(target, heard)
    assert.deepEqual(heard.events, [])
    await heard.closed()
    assert.deepEqual(heard.events, [`close ${code}`])
  }
})

test('a socket is a file for its owner alone; an abstract name can be had once', async () => {
  const { path, listener } = await pair('owner')
  assert.deepEqual(
    { kind: files.look(path)?.kind, permissions: files.look(path)?.permissions },
    { kind: 'socket', permissions: 0o600 },
  )
  listener.close()
  const name = `lifeline-abstract-${system.process.pid}`
  const take = () => streams.listen({ name }, () => new Heard())
  const first = await take()
  await assert.rejects(take(), { name: 'SystemError', code: 'EADDRINUSE' })
  first.close()
  await pause(5)
  ;(await take()).close()
  await assert.rejects(
    streams.listen({ path: `${folder}/no/where` }, () => new Heard()),
    { name: 'SystemError' },
  )
})

test('who is there stays when a listener closes', async () => {
  const { near, server, listener } = await pair('stays')
  listener.close()
  server.write(encodeUtf8('still here'))
  await near.until(() => near.text !== '')
  assert.equal(near.text, 'still here')
})

test('a literal address is its own answer, a name that cannot be has none', async () => {
  assert.deepEqual(await streams.lookup('192.0.2.1'), ['192.0.2.1'])
  assert.deepEqual(await streams.lookup('2001:db8::1'), ['2001:db8::1'])
  assert.ok((await streams.lookup('localhost')).includes('127.0.0.1'))
  await assert.rejects(streams.lookup('no such name.invalid'), { name: 'SystemError', code: 'ENOTFOUND' })
})
