/**
 * `npm test [kind ...]`: all tests but those of `vm`, or those of some kinds. Kinds are the folders below test: `net` and
 * `vm` need root and run the built dist/lifeline, in namespaces of its own and in a virtual machine; everything else runs
 * in memory.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { constants } from 'node:os'

const NET = 'test/net/'
const VM = 'test/vm/'
/** ms that one file, or one test in it, may take before it counts as hung; a fuzz run takes what it takes. */
const FILE_LIMIT = ['fuzz', 'vm'].some((kind) => process.argv.includes(kind)) ? 7_200_000 : 1_800_000
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const kinds = process.argv.slice(2)

function testFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`)
    .sort()
}

/** Runs a command to its end; whoever ends us ends it, and its exit code is ours. */
async function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit', env })
  let ended: NodeJS.Signals | undefined
  const passOn = (signal: NodeJS.Signals) => {
    ended ??= signal
    // Of these two the runner of tests ends its files; of SIGHUP it would die and leave them.
    child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal)
  }
  for (const signal of SIGNALS) process.on(signal, passOn)
  const [code, signal] = await once(child, 'exit')
  for (const signal of SIGNALS) process.off(signal, passOn)
  const by: NodeJS.Signals | null = ended ?? signal
  return by === null ? code : 128 + constants.signals[by]
}

const fuzz = kinds.includes('fuzz')
const wanted = testFiles('test').filter(
  (name) =>
    (kinds.length === 0 && !name.startsWith(VM)) ||
    fuzz ||
    kinds.some((kind) => name.startsWith(`test/${kind}`)),
)
const files = fuzz ? wanted.filter((name) => name.includes('fuzz')) : wanted
const needsVm = files.some((name) => name.startsWith(VM))
if (needsVm || files.some((name) => name.startsWith(NET))) {
  const prepared =
    (await run(process.execPath, ['--import', 'tsx', 'test/net/install.ts', ...(needsVm ? ['vm'] : [])])) ||
    (await run('npm', ['run', '--silent', 'build']))
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
  await run(
    process.execPath,
    ['--import', 'tsx', '--test', '--test-concurrency=3', `--test-timeout=${FILE_LIMIT}`, ...files],
    env,
  ),
)
