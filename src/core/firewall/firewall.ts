/**
 * The table `inet lifeline` as one text. A tunnel that no section covers has a filter without a word of configuration:
 * nothing but replies and ICMP gets in, nothing but replies and ICMP errors gets through.
 */
import { answeringChains, answerSets } from './answering.ts'
import { clampChains } from './clamp.ts'
import { GUARD } from './guard.ts'
import { ICMP_ERRORS, ICMP_IN, ICMP_THROUGH } from './icmp.ts'
import { leavingChains, redirectsOfOurs, refusedFromHere, refusedOnTheWay } from './leaving.ts'
import { markingChains } from './marking.ts'
import { natChains } from './nat.ts'
import { quoted } from './packets.ts'
import { type Chain, replaceTable } from './ruleset.ts'
import { coveredPaths, intoSection, KNOWN_FLOWS, sectionChains } from './sections.ts'
import type { FirewallInput, FirewallPath } from './types.ts'

/** The nft script. Devices need not exist. */
export function firewallText(input: FirewallInput): string {
  const { paths } = input
  const denied = paths.filter(({ filter }) => filter === 'deny')
  const covered = coveredPaths(paths)
  const jumps = covered.map(intoSection)
  const refusedHere = [...redirectsOfOurs(paths), ...refusedFromHere(paths)]
  return replaceTable([
    ...answerSets(input),
    ...(denied.length + covered.length === 0 ? [] : [ICMP_ERRORS, ICMP_IN]),
    ...(covered.length === 0 ? [] : [ICMP_THROUGH]),
    ...natChains(input),
    ...denied.flatMap(deniedChains),
    ...covered.flatMap(sectionChains),
    { name: GUARD, rules: [] },
    base('input', [
      `jump ${GUARD}`,
      ...denied.map(({ name, device }) => `iifname ${quoted(device)} goto input_${name}`),
      ...jumps.flatMap(({ input: rules }) => rules),
    ]),
    base('forward', [
      ...refusedOnTheWay(input),
      ...denied.map(({ name, device }) => `iifname ${quoted(device)} goto forward_${name}`),
      ...jumps.flatMap(({ forward }) => forward),
    ]),
    ...(refusedHere.length === 0 ? [] : [base('output', refusedHere)]),
    ...leavingChains(input),
    ...(paths.length === 0 ? [] : markingChains(input)),
    ...clampChains(paths),
    ...answeringChains(input),
  ])
}

function deniedChains({ name }: FirewallPath): Chain[] {
  return [
    { name: `input_${name}`, rules: [KNOWN_FLOWS, 'jump icmp_in', 'jump redirected', 'counter drop'] },
    { name: `forward_${name}`, rules: [KNOWN_FLOWS, 'jump icmp_errors', 'jump redirected', 'counter drop'] },
  ]
}

function base(hook: 'input' | 'forward' | 'output', rules: readonly string[]): Chain {
  return { name: hook, hook: { type: 'filter', hook, priority: 'filter' }, rules }
}
