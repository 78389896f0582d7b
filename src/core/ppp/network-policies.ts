import { IpcpPolicy, type IpcpTerms } from './ipcp.ts'
import { IpcpServerPolicy } from './ipcp-server.ts'
import { Ipv6cpPolicy } from './ipv6cp.ts'
import type { OptionPolicy } from './policy.ts'
import type { Ipv6Terms, PppOptions } from './types.ts'

/** The policies of the network protocols of one end. */
export interface NetworkPolicies {
  readonly ipcp: OptionPolicy<IpcpTerms>
  /** Undefined where IPv6 is off. */
  readonly ipv6cp: OptionPolicy<Ipv6Terms> | undefined
}

/** What the network protocols negotiate, by role: a client asks, a server assigns to `username`. */
export function networkPolicies(options: PppOptions, username: string): NetworkPolicies {
  const { interfaceId, entropy } = options
  if (options.role === 'client') {
    const ipv6cp = options.ipv6 ? new Ipv6cpPolicy({ interfaceId, entropy }) : undefined
    return { ipcp: new IpcpPolicy(options), ipv6cp }
  }
  const assignment = options.assign(username)
  const assigned = assignment.interfaceId
  return {
    ipcp: new IpcpServerPolicy(assignment),
    ipv6cp: options.ipv6 ? new Ipv6cpPolicy({ interfaceId, assigned, entropy }) : undefined,
  }
}
