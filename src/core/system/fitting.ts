/** What of a session can be used: the rest is left out, and told. */

import { type Surroundings, unfit } from '../config/fitness.ts'
import type { TunnelConfig } from '../config/types.ts'
import { assigned, hasAddress } from './assigned.ts'
import type { TunnelSession, TunnelState } from './session.ts'

/** Something that the peer gave, or (`ip6addr`) configuration, and that is not taken. */
export interface RefusedAddress {
  readonly what: 'ipv4' | 'ipv6' | 'peer' | 'dns' | 'ip6addr'
  readonly address: string
  /** A predicate: `is a loopback address`. */
  readonly why: string
}

/** A session with what of it can be used here, and what cannot. */
export interface FittedSession {
  readonly session: TunnelSession
  readonly refused: readonly RefusedAddress[]
}

/**
 * The session without what does not fit into its surroundings. An LNS may leave its own address open, or give ours back:
 * then there is no peer, and nothing to tell.
 */
export function fitSession(
  session: TunnelSession,
  tunnel: TunnelConfig,
  surroundings: Surroundings,
): FittedSession {
  const refused: RefusedAddress[] = []
  const fits = (address: string, what: RefusedAddress['what'], use: 'own' | 'peer') => {
    const why = unfit(address, use, tunnel, surroundings)
    if (why !== undefined) refused.push({ what, address, why })
    return why === undefined
  }
  const { ipv4, ipv6 } = session
  const peer = ipv4?.peer === ipv4?.address || ipv4?.peer === '0.0.0.0' ? undefined : ipv4?.peer
  const own4 = ipv4 !== undefined && fits(ipv4.address, 'ipv4', 'own')
  const peerFits = peer !== undefined && fits(peer, 'peer', 'peer')
  const addresses = ipv6?.addresses.filter(({ address }) => fits(address, 'ipv6', 'own')) ?? []
  const fitted = {
    ...session,
    ipv4: own4 ? { address: ipv4.address, peer: peerFits ? peer : undefined } : undefined,
    ipv6: ipv6 && { ...ipv6, addresses },
  }
  return { session: fitted, refused }
}

/** What a peer offers; each of it is another object once it has changed. */
export interface Offer {
  readonly session: TunnelSession
  /** Whom IPCP and whom the router named to be asked for names. */
  readonly resolvers: readonly [readonly string[], readonly { readonly address: string }[]]
}

/** What of it can be used here. */
export interface FittedOffer extends FittedSession {
  readonly resolvers: readonly string[]
  readonly refusedResolvers: readonly RefusedAddress[]
}

/** Judges what the peer of a tunnel offers. Who asks again is told the same until something that it follows from has changed. */
export class Fitting {
  readonly #tunnel: TunnelConfig
  #last: { readonly from: readonly unknown[]; readonly fitted: FittedOffer } | undefined

  constructor(tunnel: TunnelConfig) {
    this.#tunnel = tunnel
  }

  fit({ session, resolvers }: Offer, around: Surroundings): FittedOffer {
    const from = [session, ...resolvers, around]
    if (!this.#last?.from.every((known, i) => known === from[i]))
      this.#last = { from, fitted: this.#judge(session, resolvers, around) }
    return this.#last.fitted
  }

  #judge(session: TunnelSession, [ipcp, router]: Offer['resolvers'], around: Surroundings): FittedOffer {
    const refusedResolvers: RefusedAddress[] = []
    const named = new Set([...ipcp, ...router.map(({ address }) => address)])
    const resolvers = [...named].filter((address) => {
      const why = unfit(address, 'resolver', this.#tunnel, around)
      if (why !== undefined) refusedResolvers.push({ what: 'dns', address, why })
      return why === undefined
    })
    return { ...fitSession(session, this.#tunnel, around), resolvers, refusedResolvers }
  }
}

/** The same without those of its addresses that this machine refused, each with a predicate. */
export function withoutRefused(
  fitted: FittedSession,
  { ip6addrs }: Pick<TunnelConfig, 'ip6addrs'>,
  refusals: ReadonlyMap<string, string>,
): FittedSession {
  const { ipv4, ipv6 } = fitted.session
  const lacks = (address: string, what: RefusedAddress['what']): RefusedAddress[] => {
    const why = refusals.get(address)
    return why === undefined ? [] : [{ what, address, why }]
  }
  const refused4 = ipv4 ? lacks(ipv4.address, 'ipv4') : []
  const refused6 = ipv6?.addresses.flatMap(({ address }) => lacks(address, 'ipv6')) ?? []
  const configured = ipv6 ? ip6addrs.flatMap(({ address }) => lacks(address, 'ip6addr')) : []
  const session = {
    ...fitted.session,
    ipv4: refused4.length === 0 ? ipv4 : undefined,
    ipv6: ipv6 && { ...ipv6, addresses: ipv6.addresses.filter(({ address }) => !refusals.has(address)) },
  }
  return { session, refused: [...fitted.refused, ...refused4, ...refused6, ...configured] }
}

/** Whether a family that is open has an address of its own, or one behind it: without one nothing could be answered. */
export function carries(
  session: Pick<TunnelSession, 'ipv4' | 'ipv6'>,
  tunnel: Pick<TunnelConfig, 'ipaddrs' | 'ip6addrs' | 'ip6prefixes'>,
): { readonly ipv4: boolean; readonly ipv6: boolean } {
  const given = assigned(tunnel, session, session.ipv6 !== undefined)
  return { ipv4: hasAddress(given, 4), ipv6: hasAddress(given, 6) }
}

/** The same for what a device holds. */
export function fitState(
  { session, held }: TunnelState,
  tunnel: TunnelConfig,
  around: Surroundings,
): TunnelState {
  const fitted = (one: TunnelSession | undefined) => one && fitSession(one, tunnel, around).session
  return { session: fitted(session), held: fitted(held) }
}
