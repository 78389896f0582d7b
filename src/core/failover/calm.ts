import type { Path } from './path.ts'

/** The traffic is where it belongs and gets through, and no path is being drilled or distrusted. */
export function isCalm(paths: readonly Path[], active: Path | undefined, pinned: Path | undefined): boolean {
  if (active === undefined || active !== (pinned ?? paths[0])) return false
  const { health, lost, cutOff } = active.facts
  if (health === 'down' || health === 'suspect' || lost.length > 0 || cutOff) return false
  return paths.every((path) => path.drilledUntil === undefined && path.distrustedUntil === undefined)
}
