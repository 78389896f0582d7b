/** Where the filters of the tunnels are to live: a seam for a firewall that is not ours alone. */

/** None, or how they are kept: a kind for each place that holds them. */
export type DesiredFilters =
  | { readonly kind: 'none' }
  /** In a table of ours: `script` is a whole nft script that replaces it. */
  | { readonly kind: 'table'; readonly script: string }

/** What nft is to load for them in one transaction; undefined if nothing is. */
export function scriptOf(filters: DesiredFilters): string | undefined {
  switch (filters.kind) {
    case 'none':
      return undefined
    case 'table':
      return filters.script
  }
}
