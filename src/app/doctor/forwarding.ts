/** Whether the kernel passes on what the LAN sends and what comes back for it. */
import { ipFamily } from '../../core/ip/address.ts'
import { addressesOf, linkNamed } from '../../core/system/facts.ts'
import { configuredUplinks } from '../../core/system/uplinks.ts'
import type { Sysctls } from '../ports.ts'
import type { Finding, Situation } from './finding.ts'

const SUBJECT = 'forwarding'

/** Nothing is found where no firewall section has `lan`, and no redirect leads anywhere. */
export function checkForwarding(sysctls: Sysctls, situation: Situation): Finding[] {
  const { firewalls, redirects } = situation.config
  const inside = [...new Set(firewalls.flatMap(({ lan }) => lan))]
  const through = firewalls.flatMap(({ allowForward }) => allowForward).length > 0
  if (inside.length === 0 && !through && !redirects.some(({ enabled }) => enabled)) return []
  const findings = [...ipv4(sysctls, inside, situation), ...ipv6(sysctls, inside, situation)]
  if (findings.length > 0) return findings
  return [
    { severity: 'ok', subject: SUBJECT, message: 'the kernel forwards what comes from the LAN and for it' },
  ]
}

/** The device that a packet came in on decides (ip-sysctl.rst: `conf/DEV/forwarding`). */
function ipv4(sysctls: Sysctls, inside: readonly string[], { config, facts }: Situation): Finding[] {
  const outside = [
    ...config.tunnels.filter(({ enabled }) => enabled).map(({ device }) => device),
    ...(config.failover === undefined ? [] : configuredUplinks(config, facts).map(({ device }) => device)),
  ]
  const off = [...inside, ...outside].filter((device) => {
    // A device that comes later begins with the default.
    const name = linkNamed(facts, device) === undefined ? 'default' : device
    return sysctls.read(`net/ipv4/conf/${name}/forwarding`)?.trim() === '0'
  })
  if (off.length === 0) return []
  return [
    {
      severity: 'warning',
      subject: SUBJECT,
      message: `the kernel does not forward IPv4 that comes in on ${[...new Set(off)].join(', ')}: what the LAN sends, or the answers, end here`,
      advice: 'sysctl -w net.ipv4.ip_forward=1, and make it last in /etc/sysctl.d',
    },
  ]
}

/** One switch for all devices (ip-sysctl.rst: `conf/all/forwarding`). */
function ipv6(sysctls: Sysctls, inside: readonly string[], { config, facts }: Situation): Finding[] {
  const tunnels = config.tunnels.filter(({ enabled, ipv6 }) => enabled && ipv6)
  if (!facts.ipv6 || tunnels.length === 0) return []
  if (sysctls.read('net/ipv6/conf/all/forwarding')?.trim() !== '0') return []
  const links = inside.flatMap((device) => linkNamed(facts, device) ?? [])
  // Without an address of its own the LAN has nothing to send from.
  const used =
    tunnels.some(({ ip6prefixes }) => ip6prefixes.length > 0) ||
    config.firewalls.some(({ allowForward }) =>
      allowForward.some(({ destination }) => ipFamily(destination.address) === 6),
    ) ||
    links.some((link) =>
      addressesOf(facts, link).some(({ family, scope }) => family === 6 && scope === 'global'),
    )
  return [
    {
      severity: used ? 'warning' : 'note',
      subject: SUBJECT,
      message: 'the kernel does not forward IPv6: the LAN has none through this machine',
      advice:
        'sysctl -w net.ipv6.conf.all.forwarding=1, and make it last in /etc/sysctl.d; an uplink that learns its address from router advertisements then needs net.ipv6.conf.DEVICE.accept_ra=2',
    },
  ]
}
