/** Equality of plain records, whatever the order in which their properties were written down. */
import { Secret } from './secret.ts'

/**
 * Whether two values say the same: records by their properties, of which one that is undefined is as good as none; lists in
 * their order; secrets by what they hide. Not for maps, sets and what holds itself.
 */
export function equal(a: unknown, b: unknown): boolean {
  if (a instanceof Secret && b instanceof Secret) return a.equals(b)
  if (!isRecord(a) || !isRecord(b) || a instanceof Secret || b instanceof Secret) return Object.is(a, b)
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const known = Object.keys(a)
  return (
    known.every((key) => equal(a[key], b[key])) &&
    Object.keys(b).every((key) => Object.hasOwn(a, key) || b[key] === undefined)
  )
}

/** A text that is the same for equal values of JSON, to look them up by. */
export function identityOf(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    isRecord(part) && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
