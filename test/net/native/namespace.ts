/** Runs the tests of a file in a network namespace of their own, which vanishes with the process. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const INSIDE = 'LIFELINE_TEST_NAMESPACE'

/** `define` runs only inside, where loopback is up; outside the file is one test that starts it inside. */
export function inNamespace(url: string, define: () => void): void {
  if (process.env[INSIDE] === undefined) {
    const file = fileURLToPath(url)
    test(file.slice(file.lastIndexOf('/') + 1), async (t) => {
      execFileSync('make', ['-s', '-C', 'src/native'])
      const flags = ['--expose-gc', '--test-force-exit', '--test-reporter=tap', '--import', 'tsx']
      const child = spawn('unshare', ['-n', process.execPath, ...flags, file], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: environment(),
        timeout: 120_000,
      })
      let output = ''
      child.stdout.on('data', (text) => {
        output += text
      })
      child.stderr.on('data', (text) => {
        output += text
      })
      const [status] = await once(child, 'close')
      assert.equal(status, 0, output)
      // What was skipped inside is skipped here too, so that somebody sees it.
      for (const [, name = '', reason] of output.matchAll(/^ *ok \d+ - (.*) # SKIP ?(.*)$/gm))
        await t.test(name, { skip: reason || true }, () => {})
    })
    return
  }
  run('ip link set lo up')
  define()
}

function environment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT, ...rest } = process.env
  return { ...rest, [INSIDE]: '1' }
}

/** Runs a command in this namespace and returns what it prints. Words are split at spaces. */
export function run(command: string, input = ''): string {
  const [program = '', ...args] = command.split(' ')
  return execFileSync(program, args, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] })
}

/** Attributes of a device as `ip -j -d link` tells them; undefined if there is none. */
export function link(device: string): { flags: string[]; operstate: string; txqlen: number } | undefined {
  const links = JSON.parse(run('ip -j -d link'))
  return links.find(({ ifname }: { ifname: string }) => ifname === device)
}

/** Waits until `condition` holds, at most a minute. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !condition(); waited += 5) {
    assert.ok(waited < 60_000, `timed out waiting until ${what}`)
    await sleep(5)
  }
}

/** Starts src code that tests write as text, in a process of its own in this namespace. `$SRC` is the folder of src. */
export function startScript(code: string): ReturnType<typeof spawn> {
  const text = code.replaceAll('$SRC', fileURLToPath(new URL('../../../src', import.meta.url)))
  const args = ['--import', 'tsx', '--input-type=module', '-e', text]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
}
