import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { LineLog } from '../../../src/app/log.ts'
import { StateDirectory } from '../../../src/host/state-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'lifeline-state-'))
after(() => rmSync(folder, { recursive: true }))

function recorder() {
  const lines: string[] = []
  const log = new LineLog({ level: 'debug', style: 'daemon', write: (line) => lines.push(line) })
  return { lines, log }
}

test('what is written is read again, by another process too, and nobody else may read it', async () => {
  const { lines, log } = recorder()
  const directory = join(folder, 'deep', 'state')
  const state = new StateDirectory(directory, log)
  assert.equal(state.read('aaisp'), undefined)
  state.write('aaisp', '{"address":"192.0.2.1"}')
  assert.equal(state.read('aaisp'), '{"address":"192.0.2.1"}')
  await state.settled()
  assert.equal(new StateDirectory(directory, log).read('aaisp'), '{"address":"192.0.2.1"}')
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  assert.equal(statSync(join(directory, 'aaisp')).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(directory), ['aaisp'])
  assert.deepEqual(lines, [])
})

test('flash is not worn: what is there already is not written', async () => {
  const { log } = recorder()
  const directory = join(folder, 'worn')
  const first = new StateDirectory(directory, log)
  first.write('a', 'same')
  await first.settled()
  const before = statSync(join(directory, 'a')).ino
  const state = new StateDirectory(directory, log)
  state.write('a', 'same')
  await state.settled()
  assert.equal(statSync(join(directory, 'a')).ino, before)
  state.write('a', 'other')
  await state.settled()
  assert.notEqual(statSync(join(directory, 'a')).ino, before)
  assert.equal(readFileSync(join(directory, 'a'), 'utf8'), 'other')
})

test('of several writes at once the last one lasts', async () => {
  const { lines, log } = recorder()
  const directory = join(folder, 'several')
  const state = new StateDirectory(directory, log)
  for (let number = 0; number < 100; number++) {
    state.write('a', `${number}`)
    state.write('b', `${-number}`)
  }
  await state.settled()
  assert.equal(readFileSync(join(directory, 'a'), 'utf8'), '99')
  assert.equal(readFileSync(join(directory, 'b'), 'utf8'), '-99')
  assert.deepEqual(readdirSync(directory), ['a', 'b'])
  assert.deepEqual(lines, [])
})

test('a half-written file of a crash is neither read nor in the way', async () => {
  const { log } = recorder()
  const directory = join(folder, 'crash')
  mkdirSync(directory)
  writeFileSync(join(directory, 'a'), 'old')
  writeFileSync(join(directory, 'a.new'), 'hal')
  const state = new StateDirectory(directory, log)
  assert.equal(state.read('a'), 'old')
  assert.deepEqual(readdirSync(directory), ['a'])
  state.write('a', 'new')
  await state.settled()
  assert.equal(readFileSync(join(directory, 'a'), 'utf8'), 'new')
  assert.deepEqual(readdirSync(directory), ['a'])
})

test('without a usable directory values live in memory, and one warning says so', async () => {
  const { lines, log } = recorder()
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const state = new StateDirectory(join(file, 'state'), log)
  state.write('a', 'one')
  state.write('b', 'two')
  state.write('a', 'three')
  await state.settled()
  assert.equal(state.read('a'), 'three')
  assert.equal(state.read('b'), 'two')
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /^warn: state cannot be kept on disk.*state_dir=.*ENOTDIR/)
})

test('a name that leads out of the directory is a bug of ours', () => {
  const { log } = recorder()
  const state = new StateDirectory(folder, log)
  assert.throws(() => state.write('../out', 'x'), /not the name of a state file/)
})

test('a folder that cannot be made ends the attempt, also below /proc, where nothing is in its place', () => {
  const module = (name: string) => new URL(`../../../src/host/${name}.ts`, import.meta.url).pathname
  const script = `
    import { StateDirectory } from '${module('state-files')}'
    import { listenControl } from '${module('control-socket')}'
    const log = { warn: (message, { cause }) => console.log('warned', cause.code) }
    const state = new StateDirectory('/proc/lifeline/state', log)
    state.write('aaisp', 'text')
    await state.settled()
    console.log(state.read('aaisp'))
    await listenControl('/proc/lifeline/run/control.sock', () => {}).catch(({ code }) => console.log('refused', code))`
  const words = ['--import', 'tsx', '--input-type=module', '-e', script]
  const said = execFileSync(process.execPath, words, { timeout: 60_000, encoding: 'utf8' })
  assert.deepEqual(said.split('\n'), ['warned ENOENT', 'text', 'refused ENOENT', ''])
})
