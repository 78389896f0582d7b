/**
 * `npm test [kind ...]`: all tests, or those of some kinds. Kinds are the folders below test: `net` needs root and runs
 * the built dist/lifeline in namespaces of its own; everything else runs in memory.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

const NET = 'test/net'
/** ms that one file, or one test in it, may take before it counts as hung; a fuzz run takes what it takes. */
const FILE_LIMIT = process.argv.includes('fuzz') ? 7_200_000 : 900_000
const kinds = process.argv.slice(2)

function testFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`)
    .sort()
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): number {
  return spawnSync(command, args, { stdio: 'inherit', env }).status ?? 1
}

const fuzz = kinds.includes('fuzz')
const wanted = testFiles('test').filter(
  (name) => kinds.length === 0 || fuzz || kinds.some((kind) => name.startsWith(`test/${kind}`)),
)
const files = fuzz ? wanted.filter((name) => name.includes('fuzz')) : wanted
const needsNet = files.some((name) => name.startsWith(NET))
if (needsNet) {
  const prepared =
    run('node_modules/.bin/tsx', ['test/net/install.ts']) || run('npm', ['run', '--silent', 'build'])
  if (prepared !== 0) process.exit(prepared)
}
if (files.length === 0) {
  console.error('no test matches')
  process.exit(1)
}
const env = fuzz
  ? { ...process.env, LIFELINE_FUZZ_RUNS: process.env.LIFELINE_FUZZ_RUNS ?? '1000000' }
  : process.env
process.exit(
  run(
    process.execPath,
    ['--import', 'tsx', '--test', '--test-concurrency=3', `--test-timeout=${FILE_LIMIT}`, ...files],
    env,
  ),
)
