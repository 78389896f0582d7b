import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const folder = mkdtempSync(join(tmpdir(), 'lifeline-log-'))
after(() => rmSync(folder, { recursive: true }))

const source = (file: string) => JSON.stringify(new URL(`../../../src/${file}`, import.meta.url).href)
const SAY = `
  import { LineLog } from ${source('app/log.ts')}
  import { standardError } from ${source('host/standard-error.ts')}
  new LineLog(standardError('info')).warn('careful', { tunnel: 'aaisp' })
`

/** What a process writes to a standard error of which JOURNAL_STREAM says so. */
function logged(journalStream: (dev: number, ino: number) => string): string {
  const file = join(folder, 'stderr')
  const fd = openSync(file, 'w')
  const { dev, ino } = fstatSync(fd)
  const env = { ...process.env, JOURNAL_STREAM: journalStream(dev, ino) }
  spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', SAY], {
    stdio: ['ignore', 'ignore', fd],
    env,
  })
  closeSync(fd)
  return readFileSync(file, 'utf8')
}

test('journald is told the level where it reads this very stream; elsewhere a line has its time', () => {
  assert.equal(
    logged((dev, ino) => `${dev}:${ino}`),
    '<4>careful tunnel=aaisp\n',
  )
  for (const stream of [(dev: number, ino: number) => `${dev}:${ino + 1}`, () => ''])
    assert.match(logged(stream), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warn: careful tunnel=aaisp\n$/)
})
