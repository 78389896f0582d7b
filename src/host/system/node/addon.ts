/** How the addon in src/native is found and loaded. */
import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { inflateRawSync } from 'node:zlib'
import { SystemError } from '../../../app/ports.ts'

/** The addon, deflated and in base64, put in by the build (empty where a package ships the file); not defined when src runs directly. */
declare const LIFELINE_ADDON: string

const embedded = typeof LIFELINE_ADDON === 'string' ? LIFELINE_ADDON : ''

/** Where packages put the addon when they do not embed it, and where the Makefile puts it. */
const FILE =
  typeof LIFELINE_ADDON === 'string'
    ? '/usr/lib/lifeline/lifeline.node'
    : fileURLToPath(new URL('../../../native/build/lifeline.node', import.meta.url))

let loaded: unknown

/**
 * Loads the addon once: from the file that LIFELINE_ADDON names, from inside the bundle, or from the package's file.
 * Throws SystemError (code EADDON) with what was tried.
 */
export function addon(): unknown {
  loaded ??= load()
  return loaded
}

function load(): unknown {
  const file = process.env.LIFELINE_ADDON
  try {
    if (file) return openFile(file)
    if (embedded) return openBytes(inflateRawSync(Buffer.from(embedded, 'base64')))
    return openFile(FILE)
  } catch (cause) {
    const from = file || (embedded ? 'this file' : FILE)
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SystemError('EADDON', `the native addon in ${from} does not load on ${process.arch}: ${why}`, {
      cause,
    })
  }
}

function openFile(path: string): unknown {
  const module = { exports: {} }
  process.dlopen(module, path)
  return module.exports
}

/** A folder may be missing, read-only or mounted noexec, which shows only when the addon is opened: all are tried. */
function openBytes(bytes: Uint8Array): unknown {
  const folders = [...new Set([tmpdir(), '/tmp', '/run', '/dev/shm', '/var/tmp'])]
  let failure: unknown
  for (const folder of folders) {
    try {
      return openInFolder(folder, bytes)
    } catch (error) {
      failure ??= error
    }
  }
  throw failure
}

function openInFolder(folder: string, bytes: Uint8Array): unknown {
  const { fd, name } = openNameless(folder)
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
    return openFile(name ?? `/proc/self/fd/${fd}`)
  } finally {
    closeSync(fd)
    if (name !== undefined) unlinkSync(name)
  }
}

/** A file without a name (O_TMPFILE); where the file system has none of those, one with a name to be unlinked. */
function openNameless(folder: string): { fd: number; name?: string } {
  const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY
  try {
    return { fd: openSync(folder, O_TMPFILE | constants.O_RDWR, 0o700) }
  } catch {
    const name = `${folder}/lifeline-${process.pid}-${crypto.randomUUID()}.node`
    return { fd: openSync(name, 'wx', 0o700), name }
  }
}
