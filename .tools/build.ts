/** `npm run build`: dist/lifeline, one executable CommonJS file with the addon for this CPU inside. */
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { deflateRawSync } from 'node:zlib'
import { build } from 'esbuild'

const LIMIT = 400_000

execFileSync('make', ['-s', '-C', 'src/native'], { stdio: 'inherit' })

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const addon = readFileSync('src/native/build/lifeline.node')
await build({
  entryPoints: ['src/main.ts'],
  outfile: 'dist/lifeline',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  banner: { js: '#!/usr/bin/env node' },
  define: {
    LIFELINE_VERSION: JSON.stringify(version),
    LIFELINE_ADDON: JSON.stringify(deflateRawSync(addon, { level: 9 }).toString('base64')),
  },
  logLevel: 'warning',
  // Only where src runs directly is the addon looked for beside it.
  logOverride: { 'empty-import-meta': 'silent' },
})
// The file is CommonJS wherever it is installed; here it lies below a package of ES modules.
writeFileSync('dist/package.json', '{ "type": "commonjs" }\n')
chmodSync('dist/lifeline', 0o755)
const { size } = statSync('dist/lifeline')
console.log(`dist/lifeline: ${(size / 1000).toFixed(0)} kB`)
if (size > LIMIT) {
  console.error(`dist/lifeline is ${size} octets, at most ${LIMIT} are allowed`)
  process.exit(1)
}
