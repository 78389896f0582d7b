/** Which family a session has an address of, and why it has none of the other, in words. */
import type { TunnelConfig } from '../config/types.ts'
import { carries, type FittedSession, type RefusedAddress } from './fitting.ts'

/** What was heard of a session beyond its addresses. */
export interface SessionNews {
  /** Why IPCP or IPV6CP came to nothing, in words; undefined while it is open or under way. */
  readonly failed: Readonly<Partial<Record<4 | 6, string>>>
  /** What became of the search for a router. */
  readonly router: 'sought' | 'silent' | 'found'
  /** What IPv6 is known to do without, in a sentence. */
  readonly lack: string | undefined
  /** The errno name with which this machine refuses our solicitations. */
  readonly solicitRefused: string | undefined
  /** The session had its time: what is not there yet is missed. */
  readonly settled: boolean
}

/** What a session is good for. */
export interface SessionStanding {
  /** Why there is no IPv4 address; null where there is one. */
  readonly ipv4: string | null
  /** The same for IPv6; null also where none is wanted. */
  readonly ipv6: string | null
  /** Whether packets can be sent and answered in at least one family. */
  readonly usable: boolean
  /** What keeps the session from being of use, or of as much use as it should; null while nothing does. */
  readonly problem: string | null
  /** What the peer gave and was not taken, in sentences. */
  readonly refused: readonly string[]
}

/** What a session is good for, by the families that it carries and by what was heard of the others. */
export function standingOf(
  { session, refused }: FittedSession,
  news: SessionNews,
  tunnel: TunnelConfig,
): SessionStanding {
  const missing = refused.filter(({ what }) => what === 'ip6addr').map(({ address }) => address)
  const ip6addrs = tunnel.ip6addrs.filter(({ address }) => !missing.includes(address))
  const carried = carries(session, { ...tunnel, ip6addrs })
  const ipv4 = carried.ipv4 ? null : lacking4(refused, news)
  const ipv6 = carried.ipv6 || !tunnel.ipv6 ? null : lacking6(session.ipv6 !== undefined, refused, news)
  const usable = carried.ipv4 || carried.ipv6
  const told = { ipv4, ipv6, usable, refused: refused.map(refusedSentence) }
  if (!usable && news.settled)
    return { ...told, problem: `the session has no address: ${words({ IPv4: ipv4, IPv6: ipv6 })}` }
  // That an LNS has no IPv6 is no fault; that it gives some which cannot be taken is.
  const given6 = refused.some(isIpv6) || news.solicitRefused !== undefined
  const missed = {
    IPv4: news.settled || refused.some(({ what }) => what === 'ipv4') ? ipv4 : null,
    IPv6: given6 ? ipv6 : null,
  }
  const problem = usable && (missed.IPv4 !== null || missed.IPv6 !== null) ? words(missed) : null
  return {
    ...told,
    problem: problem === null ? (news.lack ?? null) : `a family lacks its address: ${problem}`,
  }
}

function lacking4(refused: readonly RefusedAddress[], { failed, settled }: SessionNews): string {
  const own = refused.find(({ what }) => what === 'ipv4')
  if (own !== undefined) return gave(own)
  return failed[4] ?? (settled ? 'the LNS has not answered IPCP' : 'not agreed on yet')
}

function lacking6(open: boolean, refused: readonly RefusedAddress[], news: SessionNews): string {
  const own = refused.find(isIpv6)
  if (own !== undefined) return gave(own)
  if (news.lack !== undefined) return news.lack
  if (!open) return news.failed[6] ?? (news.settled ? 'the LNS has not answered IPV6CP' : 'not agreed on yet')
  if (news.solicitRefused !== undefined)
    return `this machine refuses our Router Solicitations (${news.solicitRefused}): look at the output chains of \`nft list ruleset\``
  switch (news.router) {
    case 'sought':
      return 'the router behind the LNS is being asked for a prefix'
    case 'silent':
      return 'no router behind the LNS advertises itself'
    case 'found':
      return 'the router behind the LNS advertises no prefix for addresses'
  }
}

function isIpv6({ what }: RefusedAddress): boolean {
  return what === 'ipv6' || what === 'ip6addr'
}

function gave({ what, address, why }: RefusedAddress): string {
  if (what === 'ip6addr') return `${address} (option ip6addr) ${why}`
  return `the LNS gave us ${address}, which ${why}`
}

const NAMES: Readonly<Record<RefusedAddress['what'], string>> = {
  ipv4: 'the address',
  ipv6: 'the address',
  ip6addr: 'the address',
  peer: "the other end's address",
  dns: 'the resolver',
}

function refusedSentence({ what, address, why }: RefusedAddress): string {
  return `${NAMES[what]} ${address} is not used: it ${why}`
}

function words(reasons: Readonly<Record<'IPv4' | 'IPv6', string | null>>): string {
  return Object.entries(reasons)
    .flatMap(([family, reason]) => (reason === null ? [] : [`${family}: ${reason}`]))
    .join('; ')
}
