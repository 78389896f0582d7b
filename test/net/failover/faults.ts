/** What can be done to the parts of the provider's side, by name. */
import type { Provider } from './topology.ts'

export const PARTS = ['fibre', 'lte', 'lns'] as const
export const DEEDS = ['cut', 'silence', 'heal'] as const
export type Part = (typeof PARTS)[number]
export type Deed = (typeof DEEDS)[number]

/** Cuts a line or kills the LNS, makes it drop everything without a word, or makes it well again. */
export async function inflict(net: Provider, deed: Deed, part: Part): Promise<void> {
  if (part !== 'lns') return net[part][deed]()
  const { namespace } = net.lns
  switch (deed) {
    case 'cut':
      return net.lns.kill()
    case 'silence':
      return namespace.nft(`
        table inet silence {
          chain input { type filter hook input priority 0; udp dport 1701 drop; }
        }`)
    case 'heal':
      await namespace.nft('add table inet silence\ndelete table inet silence')
      if (!net.lns.running) await net.lns.start()
  }
}
