/**
 * What node runs first: it unpacks the program that the build put in here, and starts it with the code that V8 made of it
 * last time. See docs/adr/0009-packed-program.md.
 */
import { createRequire } from 'node:module'
import { Script } from 'node:vm'
import { brotliDecompressSync } from 'node:zlib'
import { CodeCache } from './host/code-cache.ts'

/** main.ts and all that it needs, bundled, packed with brotli, in base64. */
declare const LIFELINE_PROGRAM: string
declare const LIFELINE_BUILD: string

const cache = new CodeCache('/var/cache/lifeline', LIFELINE_BUILD)
const source = brotliDecompressSync(Buffer.from(LIFELINE_PROGRAM, 'base64')).toString('latin1')
const cachedData = cache.read()
const script = new Script(`(function (require, LIFELINE_KEEP_CODE) {${source}\n})`, {
  filename: __filename,
  ...(cachedData === undefined ? {} : { cachedData }),
})
let isKept = cachedData !== undefined && script.cachedDataRejected === false

/** Keeps what was compiled until now for the next start. To be called before V8's flags change: it would refuse the code. */
function keepCode(): void {
  if (isKept) return
  isKept = true
  cache.write(script.createCachedData())
}

script.runInThisContext()(createRequire(__filename), keepCode)
