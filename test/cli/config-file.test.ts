import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseConfigFile, findingLine, namedFile } from '../../src/cli/config-file.ts'
import { EXIT } from '../../src/cli/exit-codes.ts'

/** Files that are there, and what symbolic links among them lead to. */
function choice(files: readonly string[], links: Readonly<Record<string, string>> = {}) {
  return chooseConfigFile(undefined, (file) => links[file] ?? (files.includes(file) ? file : undefined))
}

const [OPENWRT, JSON_FILE, DEBIAN] = [
  '/etc/config/lifeline',
  '/etc/lifeline/lifeline.json',
  '/etc/lifeline/lifeline.conf',
]

test('a named file is taken as it is, and nothing is said of others', () => {
  const { file, others } = chooseConfigFile('missing.json', () => OPENWRT)
  assert.equal(file, 'missing.json')
  assert.deepEqual(others(), [])
})

test('a file may be named as an argument or with -c, not two of them', () => {
  assert.equal(namedFile('a.json', undefined), 'a.json')
  assert.equal(namedFile(undefined, 'a.json'), 'a.json')
  assert.equal(namedFile('a.json', 'a.json'), 'a.json')
  assert.throws(() => namedFile('a.json', 'b.json'), { exitCode: EXIT.usage, message: /a\.json and b\.json/ })
})

test("without a name, OpenWrt's place comes before the others", () => {
  assert.equal(choice([JSON_FILE, OPENWRT]).file, OPENWRT)
  assert.equal(choice([DEBIAN, JSON_FILE]).file, JSON_FILE)
  assert.equal(choice([DEBIAN]).file, DEBIAN)
})

test('each usual file that is there and not read is told', () => {
  assert.deepEqual(choice([DEBIAN]).others(), [])
  assert.deepEqual(choice([OPENWRT, DEBIAN]).others().map(findingLine), [
    `there are two configurations: ${OPENWRT} is read, and ${DEBIAN} has no effect: keep one of them, or name it with -c`,
  ])
  assert.equal(choice([OPENWRT, JSON_FILE, DEBIAN]).others().length, 2)
})

test('two names of one file are one configuration', () => {
  assert.deepEqual(choice([DEBIAN], { [OPENWRT]: DEBIAN }).others(), [])
})

test('a file that comes later, and would come first, is told at a reload', () => {
  const files = [DEBIAN]
  const chosen = choice(files)
  files.push(OPENWRT)
  assert.equal(chosen.file, DEBIAN)
  assert.match(
    chosen.others().map(findingLine).join(),
    /config\/lifeline will be instead from the next start on/,
  )
})

test('no configuration at all is a usage error that names the places', () => {
  assert.throws(() => choice([]), {
    exitCode: EXIT.usage,
    message: /\/etc\/config\/lifeline/,
  })
})
