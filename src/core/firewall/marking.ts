/** Which path a connection came over: kept in its mark, and given to the packets that answer. */
import { devices, quoted } from './packets.ts'
import type { Chain } from './ruleset.ts'
import type { FirewallInput } from './types.ts'

/**
 * New connections are marked in both directions; a reply that does not come from a path gets the mark of its connection
 * and so its way. Only the bits of the mask are written; packets from a path, decapsulated ones among them, have none set.
 */
export function markingChains({ markMask, paths }: FirewallInput): Chain[] {
  const others = hex(~markMask >>> 0)
  const connection = (mark: number) => `ct mark set ct mark & ${others} | ${hex(mark)}`
  const carried = `ct mark & ${hex(markMask)}`
  return [
    {
      name: 'arriving',
      rules: [
        `meta mark set meta mark & ${others}`,
        ...paths.map(
          ({ device, mark }) => `ct state new iifname ${quoted(device)} ${connection(mark)} accept`,
        ),
      ],
    },
    {
      name: 'answering',
      rules: paths.map(
        ({ mark }) => `${carried} == ${hex(mark)} meta mark set meta mark & ${others} | ${hex(mark)}`,
      ),
    },
    {
      name: 'mark_in',
      hook: { type: 'filter', hook: 'prerouting', priority: 'mangle' },
      rules: [
        `iifname ${devices(paths.map(({ device }) => device))} goto arriving`,
        'ct direction reply jump answering',
      ],
    },
    {
      name: 'mark_answer',
      hook: { type: 'route', hook: 'output', priority: 'mangle' },
      rules: ['ct direction reply jump answering'],
    },
    {
      name: 'mark_out',
      hook: { type: 'filter', hook: 'postrouting', priority: 'mangle' },
      rules: paths.map(
        ({ device, mark }) => `ct state new ${carried} == 0x0 oifname ${quoted(device)} ${connection(mark)}`,
      ),
    },
  ]
}

function hex(number: number): string {
  return `0x${number.toString(16)}`
}
