/** Whether this process and this kernel can do what a tunnel needs at all. */

import type { Config } from '../../core/config/types.ts'
import { scriptOf } from '../../core/firewall/filters.ts'
import { desiredState } from '../../core/system/desired.ts'
import { isForeign } from '../../core/system/device.ts'
import { type Facts, NO_FACTS } from '../../core/system/facts.ts'
import { readFacts } from '../kernel/facts.ts'
import { type Netlinks, type Nft, SystemError, type SystemProbe } from '../ports.ts'
import type { Finding, Situation } from './finding.ts'

// linux/capability.h
const CAPABILITIES = [
  { bit: 12n, name: 'CAP_NET_ADMIN' },
  { bit: 13n, name: 'CAP_NET_RAW' },
]

/** The capabilities in effect (proc(5): CapEff of /proc/self/status). */
export function checkPermissions(probe: SystemProbe): Finding {
  const subject = 'permissions'
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(probe.read('/proc/self/status') ?? '')?.[1]
  if (effective === undefined)
    return { severity: 'note', subject, message: 'the capabilities of this process cannot be read' }
  const missing = CAPABILITIES.filter(({ bit }) => ((BigInt(`0x${effective}`) >> bit) & 1n) === 0n)
  if (missing.length === 0)
    return { severity: 'ok', subject, message: 'CAP_NET_ADMIN and CAP_NET_RAW are there' }
  return {
    severity: 'problem',
    subject,
    message: `${missing.map(({ name }) => name).join(' and ')} missing`,
    advice: 'run lifeline as root, or give its service these capabilities',
  }
}

const TUN = '/dev/net/tun'

/** Whether TUN devices can be made. */
export function checkTun(probe: SystemProbe): Finding {
  const subject = 'TUN devices'
  const code = probe.openError(TUN)
  switch (code) {
    case undefined:
      return { severity: 'ok', subject, message: 'can be made' }
    case 'ENOENT':
    case 'ENODEV':
    case 'ENXIO':
      return {
        severity: 'problem',
        subject,
        message: `the kernel has none (${TUN}: ${code})`,
        advice: 'load the module tun (`modprobe tun`); on OpenWrt install kmod-tun',
      }
    default:
      return {
        severity: 'problem',
        subject,
        message: `${TUN} cannot be opened (${code})`,
        advice: 'run as root; a container or a service needs to be given the device /dev/net/tun',
      }
  }
}

/** Reads links, addresses, routes and rules, which all other checks start from. */
export async function checkNetlink(
  netlinks: Netlinks,
): Promise<{ finding: Finding; facts: Facts | undefined }> {
  const subject = 'netlink'
  try {
    const facts = await readFacts(netlinks)
    const ipv6 = facts.ipv6 ? '' : '; this kernel speaks no IPv6'
    return { finding: { severity: 'ok', subject, message: `${facts.links.length} links${ipv6}` }, facts }
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause
    const advice =
      'a service needs AF_NETLINK among its address families; a container needs a network namespace of its own'
    return { finding: { severity: 'problem', subject, message: cause.message, advice }, facts: undefined }
  }
}

/** Tunnels whose device is the device of somebody else. */
export function checkDevices({ config, facts }: Situation): Finding[] {
  return config.tunnels
    .filter((tunnel) => tunnel.enabled && isForeign(tunnel, facts))
    .map(({ name, device }) => ({
      severity: 'problem',
      subject: `tunnel ${name}`,
      message: `${device} is a device of another kind, which lifeline does not touch`,
      advice: 'choose another name with option device',
    }))
}

/** Whether nft would load the filter of these tunnels. */
export async function checkNft(nft: Nft, config: Config): Promise<Finding> {
  const subject = 'nftables'
  const text = scriptOf(desiredState(config, NO_FACTS, new Map()).filters) ?? ''
  try {
    await nft.check(text)
    return { severity: 'ok', subject, message: 'the filter of the tunnels can be loaded' }
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause
    const advice =
      cause.code === 'ENOENT'
        ? 'install nftables'
        : 'run as root; on OpenWrt install kmod-nft-core; elsewhere load the module nf_tables'
    return { severity: 'problem', subject, message: cause.message, advice }
  }
}
