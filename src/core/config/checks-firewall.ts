/** What contradicts itself in `firewall` and `redirect` sections. */
import { portsOverlap } from './firewall-kinds.ts'
import type { ReadSection } from './read-section.ts'
import type { FirewallConfig, RedirectConfig, TunnelConfig, UplinkConfig } from './types.ts'

type Firewalls = readonly ReadSection<FirewallConfig>[]

/** Reports paths that are not there or have two firewalls, and devices on both sides of one. */
export function checkFirewalls(
  firewalls: Firewalls,
  uplinks: readonly ReadSection<UplinkConfig>[],
  tunnels: readonly ReadSection<TunnelConfig>[],
): void {
  const ways = [
    ...uplinks.map(({ value }) => ({ name: value.name, device: value.device.name })),
    ...tunnels.map(({ value }) => value),
  ].filter(({ name }) => name !== '')
  for (const [i, { value, report }] of firewalls.entries()) {
    for (const [index, name] of value.paths.entries()) {
      if (ways.some((way) => way.name === name)) continue
      const allowed = ways.map((way) => way.name).join(', ')
      report({
        option: 'path',
        index,
        reason: `there is no uplink or tunnel '${name}'`,
        allowed: allowed === '' ? 'nothing, as there is no uplink or tunnel' : allowed,
      })
    }
    for (const [index, device] of value.lan.entries()) {
      const way = ways.find((candidate) => candidate.device === device)
      if (way !== undefined)
        report({
          option: 'lan',
          index,
          reason: `'${device}' is the device of '${way.name}', which leads to the internet`,
          allowed: 'devices behind which the LAN is',
        })
    }
    const rival = firewalls.slice(0, i).find(({ value: other }) => sharePath(other, value))
    if (rival !== undefined)
      report({
        option: 'path',
        reason: `firewall '${rival.value.name}' is for the same path`,
        allowed: 'each path in one firewall; without a list it is all of them',
      })
    for (const { value: tunnel } of tunnels)
      if (tunnel.firewall === 'none' && value.paths.includes(tunnel.name))
        report({
          option: 'path',
          index: value.paths.indexOf(tunnel.name),
          reason: `tunnel '${tunnel.name}' has firewall none`,
          allowed: 'one of the two',
        })
  }
}

function sharePath(a: FirewallConfig, b: FirewallConfig): boolean {
  return a.paths.length === 0 || b.paths.length === 0 || a.paths.some((name) => b.paths.includes(name))
}

/** Reports ports that lead to two places. */
export function checkRedirects(
  redirects: readonly ReadSection<RedirectConfig>[],
  firewalls: Firewalls,
): void {
  const enabled = redirects.filter(({ value }) => value.enabled && value.srcDport.first > 0)
  for (const [i, { value, report }] of enabled.entries()) {
    const rival = enabled.slice(0, i).find(({ value: earlier }) => covers(earlier, value))
    if (rival !== undefined)
      report({
        option: 'src_dport',
        reason: `redirect '${rival.value.name}' leads the same to ${rival.value.destIp}`,
        allowed: 'ports that are not redirected yet',
      })
    if (firewalls.some((firewall) => firewall.value.allow.some((rule) => meets(value, rule))))
      report({
        severity: 'warning',
        option: 'src_dport',
        reason: `it leads to ${value.destIp}, although 'allow' of a firewall wants it for this machine`,
      })
  }
}

/** Whether the earlier one takes packets that are also meant for the later one, whoever sends them. */
function covers(earlier: RedirectConfig, later: RedirectConfig): boolean {
  return earlier.srcIps.length === 0 && meets(later, { ...earlier, ports: [earlier.srcDport] })
}

function meets(
  { protocols, srcDport }: RedirectConfig,
  other: { readonly protocols: readonly string[]; readonly ports: FirewallConfig['allow'][number]['ports'] },
): boolean {
  return (
    protocols.some((protocol) => other.protocols.includes(protocol)) && portsOverlap([srcDport], other.ports)
  )
}
