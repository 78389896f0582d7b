/** The files in which systems note their DNS resolvers, as text. */
import { canonicalIp } from './address.ts'

/** A resolver of resolv.conf, with the interface that its scope names. */
export interface Nameserver {
  /** Canonical literal address. */
  readonly address: string
  /** The device of a link-local address (`fe80::1%eth0`). */
  readonly zone: string | undefined
  /** The netifd interface under whose `# Interface NAME` heading it stands (OpenWrt's resolv.conf.auto). */
  readonly interface: string | undefined
}

/** The name servers of a resolv.conf, in its order; other lines and what is no address are skipped. */
export function parseResolvConf(text: string): Nameserver[] {
  const nameservers: Nameserver[] = []
  let heading: string | undefined
  for (const line of text.split('\n')) {
    heading = /^# Interface (\S+)/.exec(line)?.[1] ?? heading
    const word = /^\s*nameserver\s+(\S+)/.exec(line)?.[1]
    const nameserver = word === undefined ? undefined : readNameserver(word, heading)
    if (nameserver !== undefined) nameservers.push(nameserver)
  }
  return nameservers
}

/**
 * The name servers in a state file of systemd-resolved (`SERVERS=`) or systemd-networkd (`DNS=`) for one link. Each may
 * carry a port, a device and a server name: `[2001:db8::1]:53%eth0#dns.example`; those of other ports than 53 are skipped.
 */
export function parseSystemdLink(text: string): Nameserver[] {
  const lists = [...text.matchAll(/^(?:SERVERS|DNS)=(.*)$/gm)]
  return lists
    .flatMap(([, list = '']) => list.split(/\s+/))
    .flatMap((word) => {
      const [bare = ''] = word.split('#')
      const [, bracketed, portAfterBracket, zone] = /^\[(.*)\]:(\d+)(?:%(.*))?$/.exec(bare) ?? []
      if (bracketed !== undefined) {
        return portAfterBracket === '53' ? (readNameserver(bracketed, undefined, zone) ?? []) : []
      }
      const [, dotted, port, device] = /^([\d.]+):(\d+)(?:%(.*))?$/.exec(bare) ?? []
      if (dotted !== undefined) return port === '53' ? (readNameserver(dotted, undefined, device) ?? []) : []
      return readNameserver(bare, undefined) ?? []
    })
}

function readNameserver(word: string, heading: string | undefined, device?: string): Nameserver | undefined {
  const [host = '', zone = device] = word.split('%')
  const address = canonicalIp(host)
  return address === undefined ? undefined : { address, zone, interface: heading }
}
