/** What has to pass every filter of this machine, whosoever it is, for tunnels and firewall sections to do as configured. */
import { allowRule, forwardRule } from '../config/firewall-kinds.ts'
import type {
  AllowRule,
  Config,
  FirewallConfig,
  Prefix,
  RedirectConfig,
  TunnelConfig,
} from '../config/types.ts'
import { ipFamily } from '../ip/address.ts'
import { sectionOf } from '../system/firewall-input.ts'
import type { Uplink } from '../system/uplinks.ts'
import { droppedBy, type PacketKind } from './foreign.ts'

/** Kinds of packets that are needed for one purpose: one of them dropped is enough to spoil it. */
export interface Need {
  readonly purpose: string
  /** `problem`: no tunnel works without. */
  readonly severity: 'warning' | 'problem'
  readonly advice: string
  readonly packets: readonly PacketKind[]
}

/** A need, and the foreign chain that is in its way, as `inet fw4 forward`. */
export interface Obstacle {
  readonly need: Need
  readonly chain: string
}

/** The needs that a ruleset, as `nft -j list ruleset` prints it, does not let pass. What is found is certain. */
export function obstacles(ruleset: unknown, needs: readonly Need[]): readonly Obstacle[] {
  return needs.flatMap((need) => {
    const chain = need.packets.map((packet) => droppedBy(ruleset, packet)).find((name) => name !== undefined)
    return chain === undefined ? [] : [{ need, chain }]
  })
}

/** All that is needed, what tunnels run over first. */
export function needsOf(config: Config, uplinks: readonly Uplink[]): readonly Need[] {
  return [
    ...uplinks.flatMap((uplink) => underlayNeeds(uplink, config)),
    ...config.tunnels.filter(({ enabled }) => enabled).flatMap((tunnel) => tunnelNeeds(tunnel, config)),
    ...config.firewalls.flatMap((firewall) =>
      coveredPaths(firewall, config).flatMap((path) => sectionNeeds(firewall, path, config)),
    ),
  ]
}

function underlayNeeds({ name, device, addresses }: Uplink, config: Config): Need[] {
  const ports = [...new Set(config.tunnels.flatMap((tunnel) => tunnel.servers.map(({ port }) => port)))]
  const families = ([4, 6] as const).filter((family) =>
    addresses.some((address) => address.includes(':') === (family === 6)),
  )
  return ports.map((port) => ({
    purpose: `L2TP over ${name} (UDP port ${port})`,
    severity: 'problem',
    advice: `allow UDP to port ${port} out of ${device}, and the answers to it`,
    packets: families.flatMap((family): PacketKind[] => [
      { hook: 'output', family, oif: device, protocol: 'udp', dport: port, state: 'new' },
      { hook: 'input', family, iif: device, protocol: 'udp', sport: port, state: 'established' },
    ]),
  }))
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
      ...each({ hook: 'output', oif: device, protocol: 'tcp', state: 'new' }),
      ...each({ hook: 'input', iif: device, protocol: 'tcp', state: 'established' }),
    ],
  }
  // A section says which devices the network is behind, if any.
  const ofNetwork: Need = {
    purpose: `what the network behind this machine sends into the tunnel ${name}, or the answers`,
    severity: 'warning',
    advice: zone,
    packets: [
      ...each({ hook: 'forward', oif: device, protocol: 'tcp', state: 'new' }),
      ...each({ hook: 'forward', iif: device, protocol: 'tcp', state: 'established' }),
    ],
  }
  const pings: Need = {
    purpose: `pings that arrive through the tunnel ${name}`,
    severity: 'warning',
    advice: `allow ICMP from ${device} if this machine is to be seen`,
    packets: [
      { hook: 'input', family: 4, iif: device, protocol: 'icmp', icmpType: 'echo-request', state: 'new' },
    ],
  }
  return firewalls.length > 0 ? [ofMachine, pings] : [ofMachine, ofNetwork, pings]
}

interface CoveredPath {
  readonly name: string
  readonly device: string
}

function coveredPaths(section: FirewallConfig, config: Config): CoveredPath[] {
  const tunnels = config.tunnels.filter(({ firewall, enabled }) => firewall !== 'none' && enabled)
  return [
    ...tunnels.filter(({ name }) => sectionOf(name, 'tunnel', config) === section),
    ...config.uplinks.filter(({ name }) => sectionOf(name, 'uplink', config) === section),
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
        begins(rule, familiesOf(rule.sources)).map((packet) => ({ ...packet, hook: 'input', iif: device })),
      ),
    ),
    ...allowForward.map((rule) =>
      need(
        `what comes in over ${name} for the LAN and is allowed (${forwardRule.print(rule)})`,
        begins(rule, familiesOf([rule.destination])).map((packet) => ({
          ...packet,
          hook: 'forward',
          iif: device,
        })),
      ),
    ),
    ...redirects
      .filter(({ enabled }) => enabled)
      .map((redirect) =>
        need(
          `what comes in over ${name} and is redirected to ${redirect.destIp} (redirect '${redirect.name}')`,
          begins(behind(redirect), [4]).map((packet) => ({ ...packet, hook: 'forward', iif: device })),
        ),
      ),
    ...lan.map((inside) =>
      need(
        `what ${inside} sends out over ${name}, or the answers`,
        ([4, 6] as const).flatMap((family): PacketKind[] => [
          { hook: 'forward', family, iif: inside, oif: device, protocol: 'tcp', state: 'new' },
          { hook: 'forward', family, iif: device, oif: inside, protocol: 'tcp', state: 'established' },
        ]),
      ),
    ),
  ]
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
