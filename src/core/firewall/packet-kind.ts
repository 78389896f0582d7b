/** Kinds of packets, and what of them a match of nftables can be compared with. */
import { get } from './foreign-tables.ts'
import type { Whereabouts } from './whereabouts.ts'

/** A kind of packet. What is undefined may be anything. */
export interface PacketKind {
  /** Where it is decided on: packets that come in pass prerouting before, those that leave postrouting after. */
  readonly hook: 'prerouting' | 'input' | 'forward' | 'output'
  readonly family: 4 | 6
  readonly iif?: string
  readonly oif?: string
  readonly protocol?: 'tcp' | 'udp' | 'sctp' | 'esp' | 'ah' | 'gre' | 'icmp' | 'ipv6-icmp'
  /** In nft's words, such as `echo-request`. */
  readonly icmpType?: string
  readonly sport?: number
  readonly dport?: number
  readonly state?: 'new' | 'established' | 'untracked'
  readonly saddr?: Whereabouts
  readonly daddr?: Whereabouts
  /** Its destination is rewritten in prerouting, to what is said here. */
  readonly redirected?: true
}

/** The hooks of nftables that a packet meets on its way, those of the device apart. */
export function hooksOf(packet: PacketKind): readonly string[] {
  switch (packet.hook) {
    case 'prerouting':
      return ['prerouting']
    case 'input':
      return ['prerouting', 'input']
    case 'forward':
      return ['prerouting', 'forward', 'postrouting']
    case 'output':
      return ['output', 'postrouting']
  }
}

/** Connections are looked up at this priority (NF_IP_PRI_CONNTRACK): chains before it know no state. */
const CONNTRACK = -200

/** The packet as a chain of this hook and priority sees it. */
export function seenAt(packet: PacketKind, hook: string, priority: number): PacketKind {
  if (hook !== 'prerouting' && hook !== 'ingress') return packet
  const { oif: _oif, dport, daddr, state, redirected, ...rest } = packet
  return {
    ...rest,
    ...(redirected || dport === undefined ? {} : { dport }),
    ...(redirected || daddr === undefined ? {} : { daddr }),
    ...(state === undefined || hook === 'ingress' || priority <= CONNTRACK ? {} : { state }),
  }
}

/** Headers behind that of IP which a packet has one of, by nft's names; `icmpv6` is another name of `ipv6-icmp`. */
const TRANSPORTS = new Set(['tcp', 'udp', 'udplite', 'sctp', 'dccp', 'esp', 'comp', 'ah', 'icmp'])

/** Whether the packet may have the header that an expression of nft reads. A rule that reads another never matches. */
export function mayCarry({ family, protocol }: PacketKind, expression: unknown): boolean {
  const header = get(get(expression, 'payload'), 'protocol')
  if (typeof header !== 'string') return true
  if (header === 'ip') return family === 4
  if (header === 'ip6') return family === 6
  if (header === 'arp') return false
  if (header === 'icmpv6') return protocol === undefined || protocol === 'ipv6-icmp'
  if (TRANSPORTS.has(header)) return protocol === undefined || protocol === header
  return true
}

/** What an expression of nft gives for the packet; undefined: not known, or not understood. */
export type Value =
  | string
  | number
  | { readonly flags: ReadonlySet<string> }
  | { readonly where: Whereabouts }

/** The value of a `payload`, `meta`, `ct` or `fib` expression, where every packet of the kind has the same. */
export function readValue(packet: PacketKind, expression: unknown): Value | undefined {
  const payload = get(expression, 'payload')
  if (payload !== undefined)
    return fieldOf(packet, String(get(payload, 'protocol')), String(get(payload, 'field')))
  const ct = get(get(expression, 'ct'), 'key')
  if (ct === 'state') return packet.state
  if (ct === 'status') return packet.redirected ? { flags: new Set(['dnat', 'confirmed']) } : undefined
  const fib = get(expression, 'fib')
  if (fib !== undefined) return fibOf(packet, fib)
  return metaOf(packet, get(get(expression, 'meta'), 'key'))
}

function fieldOf(packet: PacketKind, header: string, field: string): Value | undefined {
  const { protocol, icmpType, sport, dport, state, saddr, daddr } = packet
  switch (field) {
    case 'sport':
      return sport
    case 'dport':
      return dport
    case 'type':
      return icmpType
    case 'nexthdr':
    case 'protocol':
      return protocol
    case 'flags':
      // RFC 9293 section 3.5: a connection begins with SYN alone.
      return header === 'tcp' && state === 'new' ? { flags: new Set(['syn']) } : undefined
    case 'saddr':
      return saddr && { where: saddr }
    case 'daddr':
      return daddr && { where: daddr }
    default:
      return undefined
  }
}

function metaOf({ family, iif, oif, protocol, hook }: PacketKind, key: unknown): Value | undefined {
  switch (key) {
    case 'iif':
    case 'iifname':
      return iif
    case 'oif':
    case 'oifname':
      return oif
    case 'l4proto':
      return protocol
    case 'nfproto':
      return family === 4 ? 'ipv4' : 'ipv6'
    case 'protocol':
      return family === 4 ? 'ip' : 'ip6'
    case 'pkttype':
      return hook === 'output' ? undefined : 'host'
    default:
      return undefined
  }
}

function fibOf({ hook, daddr, redirected }: PacketKind, fib: unknown): Value | undefined {
  const flags = get(fib, 'flags')
  const looksAt = (what: string) => flags === what || (Array.isArray(flags) && flags.includes(what))
  if (get(fib, 'result') !== 'type' || !looksAt('daddr') || looksAt('iif') || looksAt('oif')) return undefined
  if (hook === 'input') return 'local'
  return daddr === undefined || redirected ? undefined : 'unicast'
}
