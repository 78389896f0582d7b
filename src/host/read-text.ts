import { textOf } from '../core/utf8-decoder.ts'
import { system } from './system/engine.ts'

/** The text of a file; undefined if it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return textOf(system.files.read(path))
  } catch {
    return undefined
  }
}
