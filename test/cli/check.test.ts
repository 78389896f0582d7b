import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runCheck } from '../../src/cli/check.ts'
import type { CliContext } from '../../src/cli/context.ts'
import { runCli } from '../../src/cli/program.ts'
import { loadConfig } from '../../src/host/config-files.ts'
import { Captured } from './captured.ts'

const folder = mkdtempSync(join(tmpdir(), 'lifeline-check-'))
after(() => rmSync(folder, { recursive: true }))

const secret = join(folder, 'secret')
writeFileSync(secret, 'wonderland\n', { mode: 0o600 })

/** One of the shortest configurations, with a secret that is there. */
function shortest(name: string): string {
  const file = join(folder, name)
  writeFileSync(
    file,
    readFileSync(`test/fixtures/config/${name}`, 'utf8').replace('/etc/lifeline/aaisp', secret),
  )
  return file
}

test('check prints what is in effect as the file is written, or as wanted', () => {
  const printed: string[] = []
  for (const name of ['shortest.uci', 'shortest.json']) {
    for (const format of [undefined, 'uci', 'json'] as const) {
      const captured = new Captured()
      assert.equal(runCheck({ config: shortest(name), format }, { terminal: captured, loadConfig }), 0)
      assert.equal(captured.stderr(), '')
      printed.push(captured.stdout().toString())
    }
  }
  const [uci = '', uciAsUci, uciAsJson, json = '', jsonAsUci, jsonAsJson] = printed
  assert.equal(uci, uciAsUci)
  assert.equal(uci, jsonAsUci)
  assert.equal(json, uciAsJson)
  assert.equal(json, jsonAsJson)
  assert.match(uci, /^config tunnel 'aaisp'$/m)
  assert.match(uci, /^\toption hello_interval '25'$/m)
  assert.equal(JSON.parse(json).tunnel.aaisp.hello_interval, 25)
  assert.doesNotMatch(printed.join(), /wonderland/)
})

test('check lists what is wrong and prints nothing else', () => {
  const file = join(folder, 'wrong')
  writeFileSync(file, "config tunnel 'aaisp'\n\toption server 'a!b'\n\toption mtu '1'\n\toption mtv '1'\n")
  const captured = new Captured()
  assert.equal(runCheck({ config: file }, { terminal: captured, loadConfig }), 2)
  assert.equal(captured.stdout().length, 0)
  const lines = captured.stderr().trimEnd().split('\n')
  assert.equal(lines.length, 5)
  for (const line of lines) assert.match(line, new RegExp(`^${file}:[1-4]: (error|warning): tunnel 'aaisp'`))
})

test('check of a file with warnings passes', () => {
  const file = shortest('shortest.uci')
  writeFileSync(file, `${readFileSync(file, 'utf8')}\toption colour 'red'\n`)
  const captured = new Captured()
  assert.equal(runCheck({ config: file }, { terminal: captured, loadConfig }), 0)
  assert.match(captured.stderr(), /^[^\n]*:5: warning: tunnel 'aaisp', option 'colour': unknown[^\n]*\n$/)
  assert.notEqual(captured.stdout().length, 0)
})

test('check takes the path as an argument, and tells of a second configuration', async () => {
  const captured = new Captured()
  const file = shortest('shortest.uci')
  const context = {
    version: '1',
    terminal: captured,
    realPath: () => undefined,
    loadConfig,
  } as unknown as CliContext
  assert.equal(await runCli(['check', file], context), 0)
  assert.match(captured.stdout().toString(), /^config tunnel 'aaisp'$/m)
  assert.equal(await runCli(['check', file, '-c', 'other.json'], context), 2)

  const others = [{ severity: 'warning', subject: 'configuration', message: 'two', advice: 'one' }] as const
  const told = new Captured()
  assert.equal(runCheck({ config: file, others }, { terminal: told, loadConfig }), 0)
  assert.equal(told.stderr(), 'lifeline: warning: two: one\n')
})

test('check says what standing by costs on a metered uplink', () => {
  const captured = new Captured()
  const file = shortest('failover.uci')
  assert.equal(runCheck({ config: file }, { terminal: captured, loadConfig }), 0)
  assert.equal(
    captured.stderr(),
    `${file}: note: uplink 'lte': standing by costs about 28.9 MB a month: HELLOs of aaisp 13.3 MB, probes of lte 15.7 MB\n`,
  )
})
