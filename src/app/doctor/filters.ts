/** What stands in the way of packets on this machine: other firewalls and strict reverse-path filters. */
import { strictReversePathChain } from '../../core/firewall/foreign.ts'
import {
  deniedByDefault,
  deniedByDefaultText,
  needsOf,
  obstacles,
  obstacleText,
} from '../../core/firewall/needs.ts'
import { TABLE_MAIN } from '../../core/netlink/route.ts'
import { type Facts, OUR_PROTOCOL } from '../../core/system/facts.ts'
import { uplinks } from '../../core/system/uplinks.ts'
import { type Nft, type Sysctls, SystemError, type SystemProbe } from '../ports.ts'
import type { Finding, Situation } from './finding.ts'

/** One line for each table that the old kernel interface of iptables holds. */
const LEGACY_TABLES = '/proc/net/ip_tables_names'

/** Names the foreign chains that drop what the tunnels need or allow, or that cannot be judged. */
export async function checkForeignChains(
  nft: Nft,
  probe: SystemProbe,
  { config, facts }: Situation,
): Promise<Finding[]> {
  const subject = 'other firewalls'
  let ruleset: unknown
  try {
    ruleset = await nft.list()
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause
    return [{ severity: 'note', subject, message: `the rules of others cannot be read: ${cause.message}` }]
  }
  const needs = needsOf(config, uplinks(config, facts))
  const findings: Finding[] = obstacles(ruleset, needs).map((obstacle) => ({
    severity: obstacle.because === undefined ? obstacle.need.severity : 'note',
    subject,
    message: obstacleText(obstacle),
    advice: obstacle.need.advice,
  }))
  const strict = strictReversePathChain(ruleset)
  if (strict !== undefined && config.uplinks.length > 1) {
    findings.push({
      severity: 'warning',
      subject: 'reverse-path filter',
      message: `the chain ${strict} drops packets that arrive on another device than the one that leads back`,
      advice:
        'make it loose (without `iif`; on NixOS networking.firewall.checkReversePath = "loose"): standby uplinks lose their answers otherwise',
    })
  }
  if (probe.read(LEGACY_TABLES)?.trim()) {
    findings.push({
      severity: 'note',
      subject,
      message: 'could not judge the rules of iptables-legacy, which nft does not show',
      advice: 'look at `iptables-legacy-save`, or load them with iptables-nft',
    })
  }
  const denied = deniedByDefault(ruleset, config)
  const own: Finding[] =
    denied === undefined ? [] : [{ severity: 'note', subject: 'own rules', ...deniedByDefaultText(denied) }]
  if (findings.length > 0) return [...findings, ...own]
  return [{ severity: 'ok', subject, message: 'no nftables chain drops what the tunnels need' }, ...own]
}

/**
 * IPv4 with `rp_filter` 1 drops what arrives on a device that does not lead back: answers on uplinks that do not hold the
 * main default route. The larger value of `all` and of the device counts (ip-sysctl.rst).
 */
export function checkReversePath(sysctls: Sysctls, { config, facts }: Situation): Finding[] {
  const subject = 'reverse-path filter'
  const leading = devicesOfMainDefault(facts)
  const present = uplinks(config, facts).filter(({ state }) => state !== 'absent')
  const standby = present.filter(({ device }) => !leading.includes(device))
  const strict = standby.filter(({ device }) => {
    const values = ['all', device].map((name) => Number(sysctls.read(`net/ipv4/conf/${name}/rp_filter`) ?? 0))
    return Math.max(...values) === 1
  })
  if (strict.length === 0)
    return [{ severity: 'ok', subject, message: 'no uplink is filtered strictly by the kernel' }]
  return strict.map(({ name, device }) => ({
    severity: 'warning',
    subject,
    message: `the kernel drops answers on ${name} while another device has the default route (rp_filter is strict)`,
    advice: `sysctl -w net.ipv4.conf.${device}.rp_filter=2, and make it last in /etc/sysctl.d`,
  }))
}

function devicesOfMainDefault(facts: Facts): string[] {
  const defaults = facts.routes.filter(
    ({ family, table, destination, protocol }) =>
      family === 4 && table === TABLE_MAIN && destination.length === 0 && protocol !== OUR_PROTOCOL,
  )
  const least = Math.min(...defaults.map(({ metric }) => metric))
  return defaults
    .filter(({ metric }) => metric === least)
    .flatMap(({ nexthops }) => nexthops)
    .flatMap(({ link }) => facts.links.find(({ index }) => index === link)?.name ?? [])
}

/** rt_tables: these belong to the kernel, and a lookup of them is everyone's. */
const KERNEL_TABLES = [253, 254, 255]
const RANGE = 100

/** Programs that steer traffic by rules and marks of their own. */
const STEERING = [
  { name: 'mwan3', path: '/etc/init.d/mwan3' },
  { name: 'pbr', path: '/etc/init.d/pbr' },
]

/** Routing rules of others that come before ours or use what is ours. */
export function checkForeignRules(probe: SystemProbe, { config, facts }: Situation): Finding[] {
  const subject = 'routing rules'
  const { rulePriority, markMask } = config.lifeline
  const foreign = facts.rules.filter(
    ({ protocol, table }) => protocol !== OUR_PROTOCOL && !KERNEL_TABLES.includes(table),
  )
  const findings: Finding[] = STEERING.filter(({ path }) => probe.exists(path)).map(({ name }) => ({
    severity: 'note',
    subject,
    message: `${name} is installed: what its rules match does not use the tunnels`,
    advice: `let ${name} leave the traffic alone that is to use a tunnel, or remove it`,
  }))
  const before = foreign.filter(({ priority }) => priority < rulePriority)
  if (before.length > 0) {
    findings.push({
      severity: 'note',
      subject,
      message: `${before.length} of other programs come before ours (first at ${Math.min(...before.map(({ priority }) => priority))}): what they match does not use the tunnels`,
      advice: 'see `ip rule`; option rule_priority moves ours',
    })
  }
  if (foreign.some(({ priority }) => priority >= rulePriority && priority < rulePriority + RANGE)) {
    findings.push({
      severity: 'warning',
      subject,
      message: `another program has rules between ${rulePriority} and ${rulePriority + RANGE - 1}, where ours are`,
      advice: 'choose another option rule_priority',
    })
  }
  const marked = foreign.find(({ mark }) => mark !== undefined && (mark.mask & markMask) !== 0)
  if (marked !== undefined) {
    findings.push({
      severity: 'warning',
      subject,
      message: `another program's rule at ${marked.priority} reads bits of the packet mark that are ours`,
      advice: 'choose another option mark_mask',
    })
  }
  if (findings.length > 0) return findings
  return [{ severity: 'ok', subject, message: 'no other program steers traffic around the tunnels' }]
}
