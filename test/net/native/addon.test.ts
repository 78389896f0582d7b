import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { build } from 'esbuild'
import { inNamespace, run } from './namespace.ts'

const ADDON = 'src/native/build/lifeline.node'

/** Opens a socket, sends a message to itself, and prints it with what the process has mapped of the addon. */
const ENTRY = `
  import { readFileSync } from 'node:fs'
  import { loadAddon } from './src/host/native.ts'
  import { NativeDatagrams } from './src/host/datagrams.ts'
  const socket = new NativeDatagrams(loadAddon()).open({ family: 4, source: '127.0.0.1', onError() {}, onMessage(from, bytes) {
    const maps = readFileSync('/proc/self/maps', 'latin1').split('\\n').filter((line) => line.includes(' r-x') && /deleted|lifeline/.test(line))
    console.log(String.fromCharCode(...bytes), maps.length, maps.join())
    socket.close()
  } })
  socket.send(new Uint8Array([104, 105]), socket.local)
`

inNamespace(import.meta.url, () => {
  const folder = mkdtempSync(`${tmpdir()}/lifeline-test-`)
  process.on('exit', () => rmSync(folder, { recursive: true }))

  function deflated(addon: Uint8Array): string {
    return deflateRawSync(addon).toString('base64')
  }

  async function bundle(addon: string): Promise<string> {
    const outfile = `${folder}/bundle-${addon.length}.cjs`
    await build({
      stdin: { contents: ENTRY, resolveDir: process.cwd(), loader: 'ts' },
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      define: { LIFELINE_ADDON: JSON.stringify(addon) },
      logOverride: { 'empty-import-meta': 'silent' },
    })
    return outfile
  }

  function execute(file: string, env: NodeJS.ProcessEnv = {}, wrap: readonly string[] = []) {
    const [program = '', ...args] = [...wrap, process.execPath, file]
    return spawnSync(program, args, { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } })
  }

  test('it needs no library by name, so that glibc and musl can load it', () => {
    assert.doesNotMatch(run(`readelf -dW ${ADDON}`), /NEEDED/)
  })

  test('a bundle loads the addon that it carries, and leaves no file', async () => {
    const file = await bundle(deflated(readFileSync(ADDON)))
    const temporary = mkdtempSync(`${folder}/tmp-`)
    const { stdout, stderr } = execute(file, { TMPDIR: temporary })
    assert.match(stdout, /^hi 1 .*\(deleted\)/, stderr)
    assert.equal(run(`ls -A ${temporary}`), '')
  })

  test('folders that are missing or mounted noexec are passed over', async () => {
    const file = await bundle(deflated(readFileSync(ADDON)))
    const { stdout, stderr } = execute(file, { TMPDIR: `${folder}/nosuch` })
    assert.match(stdout, /^hi/, stderr)
    const noexec = mkdtempSync(`${folder}/noexec-`)
    const mount = ['unshare', '-m', 'sh', '-c', `mount -t tmpfs -o noexec none ${noexec} && exec "$@"`, 'sh']
    const second = execute(file, { TMPDIR: noexec }, mount)
    assert.match(second.stdout, /^hi/, second.stderr)
  })

  test('LIFELINE_ADDON names a file to use instead', async () => {
    const file = await bundle('')
    assert.match(
      execute(file, { LIFELINE_ADDON: ADDON }).stdout,
      /^hi 1 .*src\/native\/build\/lifeline\.node/,
    )
  })

  test('what cannot be loaded is told with where it was', async () => {
    const missing = execute(await bundle(''))
    assert.notEqual(missing.status, 0)
    assert.match(missing.stderr, /native addon in \/usr\/lib\/lifeline\/lifeline\.node does not load on/)
    writeFileSync(`${folder}/garbage.node`, 'garbage')
    const garbage = execute(await bundle(''), { LIFELINE_ADDON: `${folder}/garbage.node` })
    assert.match(garbage.stderr, /EADDON/)
    assert.match(garbage.stderr, /garbage\.node does not load on/)
    const broken = execute(await bundle(deflated(Buffer.from('garbage'))))
    assert.match(broken.stderr, /native addon in this file does not load/)
  })
})
