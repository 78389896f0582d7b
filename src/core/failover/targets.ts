import type { ProbeTarget } from '../config/types.ts'
import { ipFamily } from '../ip/address.ts'
import { isLoopback } from '../ip/networks.ts'

/** Resolvers of a path that are probed beside the anycast addresses. */
const MAX_RESOLVERS = 2
const DNS_PORT = 53

/** Who is probed beside the resolvers of a path: anycast addresses that answer echoes everywhere, of two operators, one for each family. */
export const DEFAULT_TARGETS: readonly ProbeTarget[] = [
  '1.1.1.1',
  '8.8.8.8',
  '2606:4700:4700::1111',
  '2001:4860:4860::8888',
].map((address) => ({ kind: 'icmp', address }))

/** Whom to probe where the user names no one: the resolvers of the path, and two well-known anycast addresses. */
export function defaultTargets(resolvers: readonly string[]): readonly ProbeTarget[] {
  const asked = resolvers
    .filter((address) => ipFamily(address) !== undefined && !isLoopback(address))
    .slice(0, MAX_RESOLVERS)
    .map((address): ProbeTarget => ({ kind: 'dns', address, port: DNS_PORT }))
  return [...asked, ...DEFAULT_TARGETS]
}
