/** `npm run check`: types (everything, and what no engine matters for without those of Node), lint and format, shell scripts, file lengths, docstrings, the order of rooms. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { undocumented } from './docstrings.ts'
import { inOrder } from './rooms.ts'

const MAX_LINES = 400

function run(command: string, args: readonly string[]): boolean {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (error) console.error(`${command}: ${error.message}`)
  return status === 0
}

function tracked(...patterns: string[]): string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', ...patterns], {
    encoding: 'utf8',
  })
  return listed.split('\n').filter((name) => name !== '' && !name.includes('/fixtures/'))
}

function shortEnough(): boolean {
  const long = tracked('src', 'luci-app', 'openwrt')
    .map((name) => [name, readFileSync(name, 'utf8').split('\n').length - 1] as const)
    .filter(([, lines]) => lines > MAX_LINES)
  for (const [name, lines] of long) console.error(`${name}: ${lines} lines, at most ${MAX_LINES} are allowed`)
  return long.length === 0
}

function documented(): boolean {
  const problems = tracked('src')
    .filter((name) => name.endsWith('.ts') && existsSync(name))
    .flatMap((name) => undocumented(name, readFileSync(name, 'utf8')))
  for (const problem of problems) console.error(problem)
  return problems.length === 0
}

function shellScripts(): string[] {
  return tracked().filter((name) => {
    if (/\.(sh|ts|md|json|c|h)$/.test(name)) return name.endsWith('.sh')
    try {
      return /^#!\/bin\/(ba)?sh|^#!\/usr\/bin\/env (ba)?sh/.test(readFileSync(name, 'latin1').slice(0, 40))
    } catch {
      return false
    }
  })
}

const scripts = shellScripts()
const passed = [
  run('node_modules/.bin/tsc', ['-p', 'tsconfig.json']),
  ...['core', 'app', 'cli'].map((room) => run('node_modules/.bin/tsc', ['-p', `src/${room}/tsconfig.json`])),
  run('node_modules/.bin/biome', ['check', '--error-on-warnings', '.']),
  shortEnough(),
  documented(),
  inOrder(),
  scripts.length === 0 || run('shellcheck', scripts),
]
process.exit(passed.every(Boolean) ? 0 : 1)
