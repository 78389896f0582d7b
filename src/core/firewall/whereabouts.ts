/** Where a packet comes from or goes to, as far as it is known, against the addresses that rules name. */
import { ipFamily, type Prefix, prefixContains } from '../ip/address.ts'
import {
  EMBEDDED,
  LINK_LOCAL_IPV4,
  LINK_LOCAL_IPV6,
  LOOPBACK,
  MULTICAST,
  RESERVED,
  SECLUDED,
  THIS_NETWORK,
} from '../ip/networks.ts'
import { hostPrefix } from '../ip/prefix.ts'
import { get, list } from './foreign-tables.ts'

/** Some host of the internet, some host of the network behind this machine, or any host of these prefixes. */
export type Whereabouts = 'internet' | 'inside' | readonly Prefix[]

/** Whether an address lies in a network: surely, or what is to be expected of most. */
export interface Likelihood {
  readonly sure: boolean | undefined
  readonly expected: boolean | undefined
}

/** What no host of the internet has, beside where hosts are secluded. */
const NOWHERE: readonly Prefix[] = [
  THIS_NETWORK,
  ...LOOPBACK,
  LINK_LOCAL_IPV4,
  LINK_LOCAL_IPV6,
  ...MULTICAST,
  RESERVED,
  // Rules name the two together.
  { address: '224.0.0.0', length: 3 },
  EMBEDDED,
]

/** Whether a packet of this family from or to there matches an address, prefix or range of a rule, as nft prints it. */
export function liesIn(where: Whereabouts, family: 4 | 6, right: unknown): Likelihood {
  const network = networkIn(right)
  if (network === undefined) return { sure: undefined, expected: where === 'internet' ? false : undefined }
  if (ipFamily(network.address) !== family) return surely(false)
  if (network.length === 0) return surely(true)
  if (typeof where !== 'string') {
    const own = where.filter(({ address }) => ipFamily(address) === family)
    if (own.every((prefix) => within(prefix, network))) return surely(true)
    if (!own.some((prefix) => within(prefix, network) || within(network, prefix))) return surely(false)
    return { sure: undefined, expected: undefined }
  }
  if (NOWHERE.some((prefix) => within(network, prefix))) return surely(false)
  // RFC 4291 section 2.4: all global addresses of today are in 2000::/3.
  const global = family === 6 && within({ address: '2000::', length: 3 }, network)
  const secluded = SECLUDED.some((prefix) => within(network, prefix))
  if (where === 'inside') return { sure: undefined, expected: secluded || global ? true : undefined }
  if (global) return surely(true)
  return secluded ? surely(false) : { sure: undefined, expected: false }
}

function surely(truth: boolean): Likelihood {
  return { sure: truth, expected: truth }
}

function networkIn(right: unknown): Prefix | undefined {
  const prefix = get(right, 'prefix')
  const address = prefix === undefined ? right : get(prefix, 'addr')
  if (typeof address !== 'string' || ipFamily(address) === undefined) return undefined
  const length = prefix === undefined ? hostPrefix(address).length : get(prefix, 'len')
  return typeof length === 'number' ? { address, length } : undefined
}

function within(inner: Prefix, outer: Prefix): boolean {
  return inner.length >= outer.length && prefixContains(outer, inner.address)
}

/** Whether this is a list of elements, each of which may match. */
export function elementsOf(right: unknown): readonly unknown[] | undefined {
  if (Array.isArray(right)) return right
  const set = get(right, 'set')
  return set === undefined ? undefined : list(set)
}
