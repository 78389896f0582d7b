import { toHex } from '../core/bytes.ts'
import { system } from './system/engine.ts'

/** A name that nobody can guess (RFC 9562 section 5.4: version 4). */
export function randomUuid(): string {
  const octets = system.random(16)
  octets.set([0x40 | ((octets[6] ?? 0) & 0x0f)], 6)
  octets.set([0x80 | ((octets[8] ?? 0) & 0x3f)], 8)
  return toHex(octets).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
