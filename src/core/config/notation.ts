/** The two notations of a configuration, UCI and JSON. */
import { jsonSource } from './json-source.ts'
import type { SectionTypes, Source } from './source.ts'
import { uciSource } from './uci-source.ts'

/** How a file is written: uci(5) or JSON (RFC 8259). */
export type Notation = 'uci' | 'json'

/** By the extension of the file (`.json`, `.uci`), otherwise by content: only JSON begins with a brace. */
export function notationOf(file: string, content: Uint8Array): Notation {
  if (/\.json$/i.test(file)) return 'json'
  if (/\.uci$/i.test(file)) return 'uci'
  const first = content.find((octet) => !INSIGNIFICANT.includes(octet))
  return first === OPENING_BRACE ? 'json' : 'uci'
}

/**
 * The sections of a file in either notation, with what is wrong with how they are written; `types` decide how JSON nests.
 */
export function readSource(notation: Notation, content: Uint8Array, types: SectionTypes): Source {
  return notation === 'json' ? jsonSource(content, types) : uciSource(content)
}

/** White space of JSON, and the octets of a byte order mark. */
const INSIGNIFICANT = [0x09, 0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf]
const OPENING_BRACE = 0x7b
