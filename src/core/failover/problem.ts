import { type Candidate, partial, passable, usable } from './candidate.ts'

/**
 * What a user should know of the choice among paths, in words; undefined if nothing. `refused`: a tunnel that is not kept
 * hot although it is configured so.
 */
export function problemOf(
  paths: readonly Candidate[],
  active: Candidate | undefined,
  pinned: Candidate | undefined,
  refused: Candidate | undefined,
): string | undefined {
  if (pinned && !usable(pinned)) return ofPinned(pinned)
  if (active && partial(active))
    return `no path does what option require wants: ${active.name} ${active.facts.reason}`
  if (!paths.some((path) => usable(path))) return 'no path works'
  if (active && active.facts.lost.length > 0) return `${active.name} ${active.facts.reason}`
  if (!refused) return undefined
  return `${refused.name} cannot be hot: its session would take the address of a line that works, so it is kept warm`
}

function ofPinned(pinned: Candidate): string {
  const { name, facts } = pinned
  if (partial(pinned))
    return `pinned to ${name}, which does not do what option require wants: ${facts.reason}`
  if (passable(pinned)) return `pinned to ${name}, whose probes fail: ${facts.reason}`
  return `pinned to ${name}, which cannot carry traffic: ${facts.reason}`
}
