/**
 * `npm run build`: dist/lifeline, one executable CommonJS file with the addon for this CPU inside. It is built in two
 * steps: the program, then a launcher with the packed program in it.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, constants, deflateRawSync } from 'node:zlib'
import { type BuildOptions, build, type Plugin } from 'esbuild'

const LIMIT = 400_000

/** The sentences about options are for docs/configuration.md and the pages of LuCI; the program never shows them. */
const withoutDocs: Plugin = {
  name: 'without-docs',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/core\/config\/[^/]+\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8')
      const literal = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/
      return {
        contents: source.replace(new RegExp(`\\bdoc:\\s+(?:${literal.source})`, 'g'), "doc: ''"),
        loader: 'ts',
      }
    })
  },
}

/** The halves of packages that nobody here calls. */
const withoutUnused: Plugin = {
  name: 'without-unused',
  setup({ onLoad }) {
    onLoad({ filter: /\/json-rpc-2\.0\/dist\/server-and-client\.js$/ }, () => ({
      contents: '',
      loader: 'js',
    }))
    // Of its own description mqtt wants the version.
    onLoad({ filter: /\/node_modules\/mqtt\/package\.json$/ }, ({ path }) => ({
      contents: JSON.stringify({ version: JSON.parse(readFileSync(path, 'utf8')).version }),
      loader: 'json',
    }))
    // It tells a log all that it does; we give it one that forgets.
    onLoad({ filter: /\/node_modules\/mqtt\/build\/lib\/.*\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(/^\s*(?:this|client)\.log\(.*\);$/gm, ''),
      loader: 'js',
    }))
  },
}

mkdirSync('dist', { recursive: true })
execFileSync('make', ['-s', '-C', 'src/native'], { stdio: 'inherit' })

const { version, homepage } = JSON.parse(readFileSync('package.json', 'utf8'))
const addon = readFileSync('src/native/build/lifeline.node')
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
} satisfies BuildOptions
const program = await bundled({
  ...common,
  entryPoints: ['src/main.ts'],
  plugins: [withoutDocs, withoutUnused],
  define: {
    LIFELINE_VERSION: JSON.stringify(version),
    // Null while the project has none.
    LIFELINE_HOMEPAGE: JSON.stringify(homepage ?? null),
    LIFELINE_ADDON: JSON.stringify(deflateRawSync(addon, { level: 9 }).toString('base64')),
  },
  // What the package mqtt brings for browsers, where Node has the original. Its debug would print passwords if the
  // environment said so, its worker-timers are for browsers, and its lru-cache is
  // for topic aliases, which we do not use.
  alias: {
    'readable-stream': 'node:stream',
    buffer: 'node:buffer',
    events: 'node:events',
    string_decoder: 'node:string_decoder',
    process: 'node:process',
    'worker-timers': './.tools/nothing.cjs',
    debug: './.tools/nothing.cjs',
    'lru-cache': './.tools/nothing.cjs',
  },
  // Only where src runs directly is the addon looked for beside it.
  logOverride: { 'empty-import-meta': 'silent' },
})
const launcher = await bundled({
  ...common,
  entryPoints: ['src/launcher.ts'],
  banner: { js: '#!/usr/bin/env node' },
  define: {
    LIFELINE_PROGRAM: JSON.stringify(packed(program).toString('base64')),
    LIFELINE_BUILD: JSON.stringify(digest(program, readFileSync('src/launcher.ts'))),
  },
})
// The file is CommonJS wherever it is installed; here it lies below a package of ES modules.
place('dist/package.json', '{ "type": "commonjs" }\n', 0o644)
place('dist/lifeline', launcher, 0o755)
const { size } = statSync('dist/lifeline')
console.log(`dist/lifeline: ${(size / 1000).toFixed(0)} kB`)
if (size > LIMIT) {
  console.error(`dist/lifeline is ${size} octets, at most ${LIMIT} are allowed`)
  process.exit(1)
}

/** Nobody sees half a file: tests of another run may start the program at this moment. */
function place(file: string, content: string | Uint8Array, mode: number): void {
  const whole = `${file}.${process.pid}`
  writeFileSync(whole, content)
  chmodSync(whole, mode)
  renameSync(whole, file)
}

async function bundled(options: BuildOptions): Promise<Uint8Array> {
  const { outputFiles } = await build({ ...options, write: false })
  const [file] = outputFiles
  if (file === undefined) throw new Error('esbuild made nothing')
  return file.contents
}

/** esbuild writes ASCII only, which is what the launcher expects. */
function packed(text: Uint8Array): Buffer {
  return brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
}

function digest(...parts: Uint8Array[]): string {
  return createHash('sha256').update(Buffer.concat(parts)).digest('base64')
}
