/** What has to pass every filter of this machine, whosoever it is, for tunnels and firewall sections to do as configured. */

import type { ServerName } from '../client/round.ts'
import { sectionOf } from '../config/firewall.ts'
import { allowRule, forwardRule } from '../config/firewall-kinds.ts'
import type { AllowRule, Config, FirewallConfig, RedirectConfig, TunnelConfig } from '../config/types.ts'
import type { Prefix } from '../ip/address.ts'
import { ipFamily } from '../ip/address.ts'
import { LINK_LOCAL_IPV6 } from '../ip/networks.ts'
import { hostPrefix } from '../ip/prefix.ts'
import { filteringChain, type Judgement, judge } from './foreign.ts'
import type { PacketKind } from './packet-kind.ts'
import type { Whereabouts } from './whereabouts.ts'

/** Kinds of packets that are needed for one purpose: one of them dropped is enough to spoil it. */
export interface Need {
  readonly purpose: string
  /** `problem`: no tunnel works without. */
  readonly severity: 'warning' | 'problem'
  readonly advice: string
  readonly packets: readonly PacketKind[]
}

/**
 * A need, and the foreign chain that is in its way, as `inet fw4 forward`; `because`: it may be, which depends on what
 * cannot be judged here.
 */
export interface Obstacle {
  readonly need: Need
  readonly chain: string
  readonly because: string | undefined
}

/** The needs that a ruleset, as `nft -j list ruleset` prints it, does not let pass for certain. */
export function obstacles(ruleset: unknown, needs: readonly Need[]): readonly Obstacle[] {
  return needs.flatMap((need) => {
    const judgements = need.packets.map((packet) => judge(ruleset, packet))
    const worst = judgements.find(({ type }) => type === 'drops') ?? judgements.find(isInTheWay)
    if (worst === undefined || !isInTheWay(worst)) return []
    return [{ need, chain: worst.chain, because: worst.type === 'unclear' ? worst.because : undefined }]
  })
}

function isInTheWay(judgement: Judgement): judgement is Exclude<Judgement, { type: 'passes' }> {
  return judgement.type !== 'passes'
}

/** What is said of an obstacle, without what to do about it. */
export function obstacleText({ need, chain, because }: Obstacle): string {
  if (because === undefined) return `the chain ${chain} drops ${need.purpose}`
  return `could not judge whether the chain ${chain} lets pass ${need.purpose}: it depends on ${because}`
}

/** Where somebody filters by rules of their own, and leaves our tunnels to what we do without a section. */
export interface DeniedByDefault {
  readonly tunnels: readonly string[]
  /** A chain of theirs, as `inet fw4 input`. */
  readonly chain: string
}

/** Undefined where nobody else filters, or every tunnel has a section or `firewall none`. */
export function deniedByDefault(ruleset: unknown, config: Config): DeniedByDefault | undefined {
  const denied = config.tunnels.filter(
    ({ name, enabled, firewall }) =>
      enabled && firewall !== 'none' && sectionOf(name, 'tunnel', config) === undefined,
  )
  const chain = denied.length === 0 ? undefined : filteringChain(ruleset)
  return chain === undefined ? undefined : { tunnels: denied.map(({ name }) => name), chain }
}

/** What those are told who filter by rules of their own, and what they can write. */
export function deniedByDefaultText({ tunnels, chain }: DeniedByDefault): {
  message: string
  advice: string
} {
  const which = `${tunnels.length === 1 ? 'the tunnel' : 'the tunnels'} ${tunnels.join(', ')}`
  return {
    message: `there are rules of your own (${chain}), and lifeline denies by default: through ${which} only replies and pings come in, whatever your rules accept`,
    advice:
      "name what may come in in a section `config firewall` (list allow '443/tcp'), or leave it all to your rules with option firewall 'none' in the tunnel",
  }
}

/** A way out that tunnels run over. */
export interface Underlay {
  readonly name: string
  readonly device: string
  /** Our addresses there. */
  readonly addresses: readonly string[]
}

/** All that is needed, what tunnels run over first. */
export function needsOf(config: Config, uplinks: readonly Underlay[]): readonly Need[] {
  return [
    ...uplinks.flatMap((uplink) => underlayNeeds(uplink, config)),
    ...config.tunnels.filter(({ enabled }) => enabled).flatMap((tunnel) => tunnelNeeds(tunnel, config)),
    ...config.firewalls.flatMap((firewall) =>
      coveredPaths(firewall, config, uplinks).flatMap((path) => sectionNeeds(firewall, path, config)),
    ),
  ]
}

function underlayNeeds({ name, device, addresses }: Underlay, config: Config): Need[] {
  const servers = config.tunnels.flatMap((tunnel) => tunnel.servers)
  const ports = [...new Set(servers.map(({ port }) => port))]
  const families = ([4, 6] as const).filter((family) =>
    addresses.some((address) => address.includes(':') === (family === 6)),
  )
  return ports.map((port) => ({
    purpose: `L2TP over ${name} (UDP port ${port})`,
    severity: 'problem',
    advice: `allow UDP to port ${port} out of ${device}, and the answers to it`,
    packets: families.flatMap((family): PacketKind[] => {
      const lns = hostsOf(servers.filter((server) => server.port === port))
      const there = lns === undefined ? {} : { daddr: lns }
      const back = lns === undefined ? {} : { saddr: lns }
      return [
        { hook: 'output', family, oif: device, protocol: 'udp', dport: port, state: 'new', ...there },
        { hook: 'input', family, iif: device, protocol: 'udp', sport: port, state: 'established', ...back },
      ]
    }),
  }))
}

/** The addresses of servers, if all are given by address. */
function hostsOf(servers: readonly ServerName[]): Whereabouts | undefined {
  const literal = servers.every(({ host }) => ipFamily(host) !== undefined)
  return literal ? servers.map(({ host }) => hostPrefix(host)) : undefined
}

function tunnelNeeds({ name, device, ipv6 }: TunnelConfig, { firewalls }: Config): Need[] {
  const families: readonly (4 | 6)[] = ipv6 ? [4, 6] : [4]
  const each = (packet: Omit<PacketKind, 'family'>): PacketKind[] =>
    families.map((family) => ({ ...packet, family }))
  const zone = `on OpenWrt put the device ${device} into the zone wan (\`list device '${device}'\`); elsewhere allow it there`
  const ofMachine: Need = {
    purpose: `what this machine sends into the tunnel ${name}, or the answers`,
    severity: 'problem',
    advice: zone,
    packets: [
      ...each({ hook: 'output', oif: device, protocol: 'tcp', state: 'new', daddr: 'internet' }),
      ...each({ hook: 'input', iif: device, protocol: 'tcp', state: 'established', saddr: 'internet' }),
    ],
  }
  // A section says which devices the network is behind, if any.
  const ofNetwork: Need = {
    purpose: `what the network behind this machine sends into the tunnel ${name}, or the answers`,
    severity: 'warning',
    advice: zone,
    packets: [
      ...each({ hook: 'forward', oif: device, protocol: 'tcp', state: 'new', ...OUTWARDS }),
      ...each({ hook: 'forward', iif: device, protocol: 'tcp', state: 'established', ...INWARDS }),
    ],
  }
  const pings: Need = {
    purpose: `pings that arrive through the tunnel ${name}`,
    severity: 'warning',
    advice: `allow ICMP from ${device} if this machine is to be seen`,
    packets: [
      {
        hook: 'input',
        family: 4,
        iif: device,
        protocol: 'icmp',
        icmpType: 'echo-request',
        state: 'new',
        saddr: 'internet',
      },
    ],
  }
  const router: Need = {
    purpose: `router advertisements of the tunnel ${name}, without which it has no IPv6 address`,
    severity: 'warning',
    advice: `allow ICMPv6 of the type nd-router-advert from ${device}`,
    packets: [
      {
        hook: 'input',
        family: 6,
        iif: device,
        protocol: 'ipv6-icmp',
        icmpType: 'nd-router-advert',
        // Neighbour discovery is never part of a connection (nf_conntrack_proto_icmpv6.c, noct_valid_new).
        state: 'untracked',
        saddr: [LINK_LOCAL_IPV6],
      },
    ],
  }
  return [ofMachine, ...(firewalls.length > 0 ? [] : [ofNetwork]), pings, ...(ipv6 ? [router] : [])]
}

const OUTWARDS = { saddr: 'inside', daddr: 'internet' } as const
const INWARDS = { saddr: 'internet', daddr: 'inside' } as const

interface CoveredPath {
  readonly name: string
  readonly device: string
}

function coveredPaths(section: FirewallConfig, config: Config, uplinks: readonly Underlay[]): CoveredPath[] {
  const tunnels = config.tunnels.filter(({ firewall, enabled }) => firewall !== 'none' && enabled)
  return [
    ...tunnels.filter(({ name }) => sectionOf(name, 'tunnel', config) === section),
    ...uplinks.filter(({ name }) => sectionOf(name, 'uplink', config) === section),
  ]
}

function sectionNeeds(
  { name: section, allow, allowForward, lan }: FirewallConfig,
  { name, device }: CoveredPath,
  { redirects }: Config,
): Need[] {
  const need = (purpose: string, packets: readonly PacketKind[]): Need => ({
    purpose,
    severity: 'warning',
    advice: `allow there too what the section firewall '${section}' allows: an accept in one table is no accept in another`,
    packets,
  })
  return [
    ...allow.map((rule) =>
      need(
        `what comes in over ${name} and is allowed (${allowRule.print(rule)})`,
        begins(rule, familiesOf(rule.sources)).map((packet) => ({
          ...packet,
          hook: 'input',
          iif: device,
          saddr: sendersOf(rule.sources),
        })),
      ),
    ),
    ...allowForward.map((rule) =>
      need(
        `what comes in over ${name} for the LAN and is allowed (${forwardRule.print(rule)})`,
        begins(rule, familiesOf([rule.destination])).map((packet) => ({
          ...packet,
          hook: 'forward',
          iif: device,
          saddr: sendersOf(rule.sources),
          daddr: [rule.destination],
        })),
      ),
    ),
    ...redirects
      .filter(({ enabled }) => enabled)
      .map((redirect) =>
        need(
          `what comes in over ${name} and is redirected to ${redirect.destIp} (redirect '${redirect.name}')`,
          begins(behind(redirect), [4]).map((packet) => ({
            ...packet,
            hook: 'forward',
            iif: device,
            saddr: sendersOf(redirect.srcIps),
            daddr: [hostPrefix(redirect.destIp)],
            redirected: true,
          })),
        ),
      ),
    ...lan.map((inside) =>
      need(
        `what ${inside} sends out over ${name}, or the answers`,
        ([4, 6] as const).flatMap((family): PacketKind[] => [
          { hook: 'forward', family, iif: inside, oif: device, protocol: 'tcp', state: 'new', ...OUTWARDS },
          {
            hook: 'forward',
            family,
            iif: device,
            oif: inside,
            protocol: 'tcp',
            state: 'established',
            ...INWARDS,
          },
        ]),
      ),
    ),
  ]
}

function sendersOf(sources: readonly Prefix[]): Whereabouts {
  return sources.length === 0 ? 'internet' : sources
}

type Service = Pick<AllowRule, 'protocols' | 'ports'>

/** The first packets of connections to these ports: to both ends of each range, in place of all of it. */
function begins({ protocols, ports }: Service, families: readonly (4 | 6)[]): Omit<PacketKind, 'hook'>[] {
  const ends = [...new Set(ports.flatMap(({ first, last }) => [first, last]))]
  return protocols.flatMap((protocol) =>
    families.flatMap((family) => {
      const packet = { family, protocol, state: 'new' } as const
      return ends.length === 0 ? [packet] : ends.map((dport) => ({ ...packet, dport }))
    }),
  )
}

/** As the forward hook sees it: with the destination already rewritten. */
function behind({ protocols, destPort }: RedirectConfig): Service {
  return { protocols, ports: [destPort] }
}

function familiesOf(networks: readonly Prefix[]): (4 | 6)[] {
  if (networks.length === 0) return [4, 6]
  return ([4, 6] as const).filter((family) => networks.some(({ address }) => ipFamily(address) === family))
}
