/**
 * What node runs first: it unpacks the program that the build put in here, and starts it with the code that V8 made of it
 * last time. See docs/adr/0009-packed-program.md.
 */
import { createRequire } from 'node:module'
import { Script } from 'node:vm'
import { brotliDecompressSync } from 'node:zlib'
import { CodeCache } from './host/code-cache.ts'
import type { CompiledCode } from './host/process-memory.ts'

/** main.ts and all that it needs, bundled, packed with brotli, in base64. */
declare const LIFELINE_PROGRAM: string
declare const LIFELINE_BUILD: string

const cache = new CodeCache('/var/cache/lifeline', LIFELINE_BUILD)
const source = brotliDecompressSync(Buffer.from(LIFELINE_PROGRAM, 'base64')).toString('latin1')
const cachedData = cache.read()
const script = new Script(`(function (require, LIFELINE_CODE) {${source}\n})`, {
  filename: __filename,
  ...(cachedData === undefined ? {} : { cachedData }),
})

const code: CompiledCode = {
  isKept: cachedData !== undefined && script.cachedDataRejected === false,
  keep: () => cache.write(script.createCachedData()),
}

script.runInThisContext()(createRequire(__filename), code)
