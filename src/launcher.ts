/**
 * What node runs first: it unpacks the program that the build put in here, and starts it with the code that V8 made of it
 * last time. See docs/adr/0009-packed-program.md.
 */
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cachedDataVersionTag } from 'node:v8'
import { Script } from 'node:vm'
import { brotliDecompressSync } from 'node:zlib'
import { CodeCache } from './host/system/node/code-cache.ts'
import type { CompiledCode } from './host/system/node/process-memory.ts'

/** main.ts and all that it needs, bundled, packed with brotli, in base64. */
declare const LIFELINE_PROGRAM: string
/** A digest of the program and of this file. */
declare const LIFELINE_BUILD: string

const cache = new CodeCache('/var/cache/lifeline', originOfCode())
const source = brotliDecompressSync(Buffer.from(LIFELINE_PROGRAM, 'base64')).toString('latin1')
// Only who stays, or ends in good order, can tell that the code works.
const isDaemon = process.argv[2] === 'run'
const cachedData = isDaemon ? cache.take() : cache.read()
const script = new Script(`(function (require, LIFELINE_CODE) {${source}\n})`, {
  filename: __filename,
  ...(cachedData === undefined ? {} : { cachedData }),
})
const fits = cachedData !== undefined && script.cachedDataRejected === false
if (isDaemon && fits) process.once('exit', () => cache.putBack())

const code: CompiledCode = {
  fits,
  keep: () => (fits ? cache.putBack() : cache.write(script.createCachedData())),
}

script.runInThisContext()(createRequire(__filename), code)

/** V8 takes code that another build of its version made, and crashes: it belongs to one source and one file of node. */
function originOfCode(): string {
  const { version, arch, execPath } = process
  return [LIFELINE_BUILD, version, arch, cachedDataVersionTag(), execPath, identityOf(execPath)].join(' ')
}

/** Where the file is gone already, or out of sight, nothing fits. */
function identityOf(file: string): string {
  try {
    const { size, mtimeMs } = statSync(file)
    return `${size} ${mtimeMs}`
  } catch {
    return `unknown ${process.hrtime.bigint()}`
  }
}
