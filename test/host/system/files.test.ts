import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { after, test } from 'node:test'
import { SystemError } from '../../../src/app/ports.ts'
import { encodeUtf8, toHex } from '../../../src/core/bytes.ts'
import { textOf } from '../../../src/core/utf8-decoder.ts'
import { system } from '../../../src/host/system/engine.ts'

const { files } = system
const folder = mkdtempSync(`${tmpdir()}/lifeline-files-`)
after(() => rmSync(folder, { recursive: true }))

const put = async (name: string, text: string): Promise<string> => {
  await files.replace(`${folder}/${name}`, encodeUtf8(text))
  return `${folder}/${name}`
}

/** The code of a refusal. */
function refusal(call: () => unknown): string {
  try {
    call()
  } catch (cause) {
    assert.ok(cause instanceof SystemError, String(cause))
    assert.notEqual(cause.message, '')
    return cause.code
  }
  return 'none'
}

test('what is put in place is read again, whole or its beginning, and is nobody else’s', async () => {
  const file = await put('kept', 'twelve octets')
  assert.equal(textOf(files.read(file)), 'twelve octets')
  assert.equal(textOf(files.read(file, 6)), 'twelve')
  assert.equal(files.read(file, 0).length, 0)
  assert.deepEqual(
    {
      kind: files.look(file)?.kind,
      permissions: files.look(file)?.permissions,
      octets: files.look(file)?.octets,
    },
    { kind: 'file', permissions: 0o600, octets: 13 },
  )
  await put('kept', 'other')
  assert.equal(textOf(files.read(file)), 'other')
  assert.deepEqual(files.list(folder), ['kept'])
})

test('octets come as they are, many of them too', async () => {
  const octets = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7)
  await files.replace(`${folder}/many`, octets)
  const read = files.read(`${folder}/many`)
  assert.equal(read.length, octets.length)
  assert.ok(read.every((octet, i) => octet === octets[i]))
  assert.equal(Object.getPrototypeOf(read), Uint8Array.prototype)
  assert.equal(files.remove(`${folder}/many`), true)
})

test('files below /proc say that they hold nothing, and are read all the same', () => {
  assert.equal(files.look('/proc/self/stat')?.octets, 0)
  assert.match(textOf(files.read('/proc/self/stat')), /^\d+ \(/)
  assert.equal(files.read('/proc/self/stat', 3).length, 3)
})

test('what is not there is told from what is refused', async () => {
  const file = await put('plain', '')
  assert.equal(files.look(`${folder}/nothing`), undefined)
  assert.equal(files.look(`${file}/below`), undefined)
  assert.equal(
    refusal(() => files.read(`${folder}/nothing`)),
    'ENOENT',
  )
  assert.equal(
    refusal(() => files.read(`${file}/below`)),
    'ENOTDIR',
  )
  assert.equal(
    refusal(() => files.read(folder)),
    'EISDIR',
  )
  assert.equal(
    refusal(() => files.list(`${folder}/nothing`)),
    'ENOENT',
  )
  assert.equal(
    refusal(() => files.write(`${folder}/nothing`, new Uint8Array(1))),
    'ENOENT',
  )
  assert.equal(
    refusal(() => files.tryOpen(folder)),
    'EISDIR',
  )
  assert.equal(
    refusal(() => files.rename(`${folder}/nothing`, `${folder}/other`)),
    'ENOENT',
  )
  assert.equal(
    refusal(() => files.target(file)),
    'EINVAL',
  )
  assert.equal(files.remove(`${folder}/nothing`), false)
  assert.equal(
    refusal(() => files.tryOpen(file)),
    'none',
  )
  await assert.rejects(files.replace(`${folder}/no/where`, new Uint8Array()), { code: 'ENOENT' })
})

test('folders are made one at a time, with the mode that was asked for', () => {
  assert.equal(
    refusal(() => files.makeFolder(`${folder}/a/b`, 0o700)),
    'ENOENT',
  )
  files.makeFolder(`${folder}/a`, 0o700)
  files.makeFolder(`${folder}/a/b`, 0o755)
  assert.equal(
    refusal(() => files.makeFolder(`${folder}/a/b`, 0o755)),
    'EEXIST',
  )
  assert.deepEqual(
    ['a', 'a/b'].map((name) => files.look(`${folder}/${name}`)?.permissions),
    [0o700, 0o755],
  )
  assert.equal(files.look(`${folder}/a`)?.kind, 'folder')
})

test('links are followed, unless they are asked for themselves', async () => {
  const file = await put('real', 'text')
  const [link] = files.list('/proc/self/fd').map((name) => `/proc/self/fd/${name}`)
  assert.equal(files.look(link ?? '', 'link')?.kind, 'link')
  assert.equal(files.real('/proc/self'), files.real(`/proc/${system.process.pid}`))
  assert.equal(files.target('/proc/self'), String(system.process.pid))
  assert.equal(files.real(`${folder}/../${folder.slice(folder.lastIndexOf('/') + 1)}/real`), files.real(file))
  const [one, other] = [files.look(file), files.look(`${folder}/./real`)]
  assert.deepEqual([one?.device, one?.inode], [other?.device, other?.inode])
})

test('a write goes to the start of a file that exists', async () => {
  const file = await put('setting', '0')
  files.write(file, encodeUtf8('1'))
  assert.equal(toHex(files.read(file)), '31')
})

test('of two files that are put in the same place at once, one is whole', async () => {
  const texts = ['a'.repeat(200_000), 'b'.repeat(200_000)]
  await put('twice', texts[0] ?? '')
  await put('twice', texts[1] ?? '')
  assert.equal(textOf(files.read(`${folder}/twice`)), texts[1])
  assert.equal(files.list(folder).includes('twice.new'), false)
})
