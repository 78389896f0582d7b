/** Which packet marks stand for what, within the bits of `mark_mask`. */
import type { Config } from './types.ts'

type Named = Pick<Config, 'lifeline' | 'tunnels' | 'uplinks'>

/**
 * The mark of connections that came in, or went out, over a path: their replies leave by the table of its address.
 * Numbers do not change when sections are appended, since connections outlive a reload. Undefined: no such section.
 */
export function pathMark({ lifeline, tunnels, uplinks }: Named, name: string): number | undefined {
  const tunnel = tunnels.findIndex((candidate) => candidate.name === name)
  if (tunnel >= 0) return deposit(tunnel + 1, lifeline.markMask)
  const uplink = uplinks.findIndex((candidate) => candidate.name === name)
  return uplink < 0 ? undefined : deposit(uplinkNumber(lifeline.markMask, uplink), lifeline.markMask)
}

/** The mark (SO_MARK) of what is to leave over an uplink, whatever its source address. Throws if there is no such uplink. */
export function steeringMark({ lifeline, uplinks }: Omit<Named, 'tunnels'>, uplinkName: string): number {
  const uplink = uplinks.findIndex(({ name }) => name === uplinkName)
  if (uplink < 0) throw new Error(`there is no uplink ${uplinkName}`)
  return deposit(uplinkNumber(lifeline.markMask, uplink) - 1, lifeline.markMask)
}

/** Values besides 0, which stands for none: one for each tunnel, two for each uplink. */
export function marksNeeded(tunnels: number, uplinks: number): number {
  return tunnels + 2 * uplinks
}

/** Whether the mask has that many. */
export function marksFit(markMask: number, tunnels: number, uplinks: number): boolean {
  return marksNeeded(tunnels, uplinks) <= highest(markMask)
}

/** Tunnels count upwards from 1, uplinks downwards from the top. */
function uplinkNumber(mask: number, position: number): number {
  return highest(mask) - 2 * position
}

function highest(mask: number): number {
  return 2 ** bitsOf(mask).length - 1
}

/** Spreads the bits of a number over those of the mask, the lowest first. */
function deposit(number: number, mask: number): number {
  return bitsOf(mask).reduce((mark, bit, i) => (Math.floor(number / 2 ** i) % 2 === 1 ? mark + bit : mark), 0)
}

/** The bits of the mask as numbers, the lowest first. */
function bitsOf(mask: number): number[] {
  return Array.from({ length: 32 }, (_, i) => 2 ** i).filter((bit) => Math.floor(mask / bit) % 2 === 1)
}
