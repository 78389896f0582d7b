/** Packets in nft's language. */
import type { AllowRule, ForwardRule, PortRange } from '../config/types.ts'
import { formatPrefix, type Prefix } from '../ip/address.ts'
import type { TwinAddress } from './types.ts'

/** An element, or a set of several. */
export function oneOf(items: readonly string[]): string {
  const [only] = items
  return items.length === 1 && only !== undefined ? only : `{ ${items.join(', ')} }`
}

/** A text in nft's quotes. It has no escapes: what would end the text is left out. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\\n]/g, '')}"`
}

/** `"eth0"`, `{ "eth0", "eth1" }` */
export function devices(names: readonly string[]): string {
  return oneOf([...new Set(names)].map(quoted))
}

/** The header that bears addresses of this family: `ip` or `ip6`. */
export function headerOf(address: string): 'ip' | 'ip6' {
  return address.includes(':') ? 'ip6' : 'ip'
}

/** A packet that leaves over the device with an address that is the device's own. */
export function leavesWith({ device, address }: TwinAddress): string {
  return `oifname ${quoted(device)} ${headerOf(address)} saddr ${address}`
}

/** `ip saddr 192.0.2.0/24`, `ip6 daddr { 2001:db8::1, 2001:db8::2 }`: one match for each family that is there. */
export function addresses(field: 'saddr' | 'daddr', prefixes: readonly Prefix[]): string[] {
  return ([4, 6] as const).flatMap((family) => {
    const some = prefixes.filter(({ address }) => address.includes(':') === (family === 6))
    return some.length === 0
      ? []
      : [`${family === 4 ? 'ip' : 'ip6'} ${field} ${oneOf(some.map(formatPrefix))}`]
  })
}

/** The matches of what a rule allows: several where its senders are of both families. */
export function allowed(rule: AllowRule): string[] {
  const senders = rule.sources.length === 0 ? [''] : addresses('saddr', rule.sources)
  return senders.map((sender) => [sender, service(rule)].filter(Boolean).join(' '))
}

/** The same towards a host or network of the LAN. */
export function allowedThrough(rule: ForwardRule): string[] {
  const [destination = ''] = addresses('daddr', [rule.destination])
  return allowed(rule).map((match) => `${destination} ${match}`)
}

/** `22`, `6000-6100` */
export function ports({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`
}

/** `tcp dport 22`, `meta l4proto { tcp, udp } th dport { 53, 853 }` */
export function destinationPorts(protocols: readonly string[], ranges: readonly PortRange[]): string {
  const [only] = protocols
  const header = protocols.length === 1 ? only : `meta l4proto ${oneOf(protocols)} th`
  return `${header} dport ${oneOf(ranges.map(ports))}`
}

function service({ protocols, ports: ranges }: AllowRule): string {
  return ranges.length === 0 ? `meta l4proto ${oneOf(protocols)}` : destinationPorts(protocols, ranges)
}
