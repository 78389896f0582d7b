/**
 * One addon, two engines: what Node does under Node-API, QuickJS does in the small program. That one is compiled with the
 * sanitizers of gcc, and frees all that it has at its end.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { build } from 'esbuild'
import { smallProgram } from '../../.tools/small.ts'
import { sanitizedToolchain } from '../../.tools/toolchain.ts'

const folder = mkdtempSync(join(tmpdir(), 'lifeline-node-api-'))
after(() => rmSync(folder, { recursive: true }))
const PROBE = 'test/runtime/probe'

function lines(command: string, args: readonly string[]): string[] {
  // Tracing, by which leaks are found, is forbidden in some containers; QuickJS counts its objects by itself.
  const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' }
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env })
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  return stdout.trimEnd().split('\n')
}

async function ofNode(): Promise<string[]> {
  const addon = join(folder, 'probe.node')
  const script = join(folder, 'cases.cjs')
  const include = 'node_modules/node-api-headers/include'
  lines('cc', ['-shared', '-fPIC', '-DNAPI_VERSION=8', '-isystem', include, `${PROBE}/probe.c`, '-o', addon])
  await build({
    entryPoints: ['test/runtime/node-api-node.ts'],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: script,
    logLevel: 'warning',
  })
  return lines(process.execPath, ['--expose-gc', script, addon])
}

async function ofQuickJs(): Promise<string[]> {
  const program = await smallProgram({
    entry: 'test/runtime/node-api-small.ts',
    toolchain: sanitizedToolchain(console.log),
    folder: join(folder, 'small'),
    addon: PROBE,
  })
  return lines(program, [])
}

test('both engines answer alike, and as they should', async () => {
  const node = await ofNode()
  assert.deepEqual(
    node.filter((line) => !/^(ok|at the end:) /.test(line)),
    [],
  )
  assert.deepEqual(node.slice(-2), ['at the end: second', 'at the end: first'])
  assert.ok(node.length > 70, `${node.length} answers`)
  assert.deepEqual(await ofQuickJs(), node)
})
