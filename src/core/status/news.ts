/** What two statuses of one thing differ in. */
import { equal } from '../equal.ts'

/** `figures`: what is measured again and again, and what nobody waits for. */
export type News = 'none' | 'figures' | 'more'

const FIGURES: ReadonlySet<string> = new Set(['rx', 'tx', 'rtt_ms', 'loss', 'jitter_ms', 'heard_at'])

/** Compares two records key by key. */
export function newsOf(before: object, after: object): News {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  const differing = [...new Set([...old.keys(), ...now.keys()])].filter(
    (key) => !equal(old.get(key), now.get(key)),
  )
  if (differing.length === 0) return 'none'
  return differing.every((key) => FIGURES.has(key)) ? 'figures' : 'more'
}

/** Compares records by their names, which users choose. */
export function newsOfAll(
  before: Readonly<Record<string, object>>,
  after: Readonly<Record<string, object>>,
): News {
  const old = new Map(Object.entries(before))
  const now = Object.entries(after)
  if (now.length !== old.size) return 'more'
  const news = now.map(([name, one]): News => {
    const known = old.get(name)
    return known === undefined ? 'more' : newsOf(known, one)
  })
  return (['more', 'figures'] as const).find((kind) => news.includes(kind)) ?? 'none'
}
