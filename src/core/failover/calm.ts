import type { Candidate } from './candidate.ts'

/** The traffic is where it belongs and gets through, and no path is being drilled or distrusted. */
export function isCalm(
  paths: readonly Candidate[],
  active: Candidate | undefined,
  pinned: Candidate | undefined,
): boolean {
  if (active === undefined || active !== (pinned ?? paths[0])) return false
  const { health, lost, cutOff } = active.facts
  if (health === 'down' || health === 'suspect' || lost.length > 0 || cutOff) return false
  return paths.every((path) => path.drilledUntil === undefined && path.distrustedUntil === undefined)
}
