/** One step from what is to what should be: in words, and as the kernel wants it. */
import { formatPrefix } from '../ip/address.ts'
import { encodeAddressRemoval, encodeNewAddress, type LinkAddress } from '../netlink/address.ts'
import { encodeLinkChange, encodeLinkRemoval, type LinkChange } from '../netlink/link.ts'
import { encodeNewRoute, encodeRouteRemoval, type Route, TABLE_MAIN } from '../netlink/route.ts'
import { encodeNewRule, encodeRuleRemoval, IPPROTO_TCP, IPPROTO_UDP, type Rule } from '../netlink/rule.ts'
import { unreachable } from '../result.ts'
import type { DesiredAddress, DesiredRoute, Sysctl } from './desired-state.ts'
import { type Facts, linkNamed, OUR_PROTOCOL } from './facts.ts'

/** One step from what the kernel holds to what it should hold. */
export type Change =
  | { readonly kind: 'removeDevice'; readonly device: string; readonly index: number }
  | { readonly kind: 'loadNft'; readonly text: string }
  | { readonly kind: 'createDevice'; readonly device: string }
  | { readonly kind: 'setLink'; readonly device: string; readonly change: LinkChange }
  | { readonly kind: 'setSysctl'; readonly device: string; readonly sysctl: Sysctl }
  | { readonly kind: 'removeAddress'; readonly device: string; readonly address: LinkAddress }
  | { readonly kind: 'addAddress'; readonly device: string; readonly address: DesiredAddress }
  | { readonly kind: 'addRoute'; readonly route: DesiredRoute }
  | { readonly kind: 'addRule'; readonly rule: Rule }
  | { readonly kind: 'removeRule'; readonly rule: Rule }
  | { readonly kind: 'removeRoute'; readonly route: Route; readonly device: string | undefined }
  | { readonly kind: 'removeNft' }
  | { readonly kind: 'setCarrier'; readonly device: string; readonly on: boolean }

/** What is done over rtnetlink: the rest belongs to nft, to TUN devices and to /proc/sys. */
export type NetlinkChange = Extract<
  Change,
  {
    kind:
      | 'removeDevice'
      | 'setLink'
      | 'removeAddress'
      | 'addAddress'
      | 'addRoute'
      | 'addRule'
      | 'removeRule'
      | 'removeRoute'
  }
>

/** The request for a change; undefined if the device that it names does not exist (yet, or any more). */
export function encodeChange(change: NetlinkChange, facts: Facts): Uint8Array | undefined {
  switch (change.kind) {
    case 'removeDevice':
      return encodeLinkRemoval(change.index)
    case 'setLink': {
      const link = linkNamed(facts, change.device)
      return link && encodeLinkChange(link.index, change.change)
    }
    case 'removeAddress':
      return encodeAddressRemoval(change.address)
    case 'addAddress': {
      const link = linkNamed(facts, change.device)
      return link && encodeNewAddress({ ...change.address, link: link.index })
    }
    case 'addRoute': {
      const route = kernelRoute(change.route, facts)
      return route && encodeNewRoute(route)
    }
    case 'removeRoute':
      return encodeRouteRemoval(change.route)
    case 'addRule':
      return encodeNewRule(change.rule)
    case 'removeRule':
      return encodeRuleRemoval(change.rule)
    default:
      return unreachable(change)
  }
}

/** The route as the kernel would show it; undefined while its device does not exist. */
export function kernelRoute(route: DesiredRoute, facts: Facts): Route | undefined {
  const { family, table, destination, via, metric, source } = route
  const common = { family, table, destination, protocol: OUR_PROTOCOL, metric, source }
  if (typeof via === 'string') return kernelOrder({ ...common, type: via, nexthops: [] })
  const link = linkNamed(facts, via.device)
  if (link === undefined) return undefined
  const nexthops = [{ link: link.index, gateway: via.gateway, onlink: via.onlink }]
  return kernelOrder({ ...common, type: 'unicast', nexthops })
}

/** Records are compared as text: the order of their fields counts (see `same`). */
function kernelOrder({ family, table, destination, type, protocol, metric, source, nexthops }: Route): Route {
  return { family, table, destination, type, protocol, metric, source, nexthops }
}

/** The change as a line that people can read, much like the command of `ip` that would make it. */
export function describeChange(change: Change): string {
  switch (change.kind) {
    case 'removeDevice':
      return `remove device ${change.device}`
    case 'loadNft':
      return 'load nft table inet lifeline'
    case 'removeNft':
      return 'remove nft table inet lifeline'
    case 'createDevice':
      return `create TUN device ${change.device}`
    case 'setLink':
      return `set ${change.device}${describeLink(change.change)}`
    case 'setSysctl':
      return `set ${change.sysctl.path} = ${change.sysctl.value}`
    case 'addAddress':
      return `add address ${describeAddress(change.address)} to ${change.device}`
    case 'removeAddress':
      return `remove address ${describeAddress(change.address)} from ${change.device}`
    case 'addRoute':
      return `add ${describeRoute(change.route, change.route.via)}`
    case 'removeRoute':
      return `remove ${describeRoute(change.route, removedVia(change))}`
    case 'addRule':
      return `add ${describeRule(change.rule)}`
    case 'removeRule':
      return `remove ${describeRule(change.rule)}`
    case 'setCarrier':
      return `turn carrier of ${change.device} ${change.on ? 'on' : 'off'}`
    default:
      return unreachable(change)
  }
}

type Via = { readonly device?: string | undefined; readonly gateway?: string | undefined } | string

function removedVia({ route, device }: Extract<Change, { kind: 'removeRoute' }>): Via {
  return route.type === 'unicast' ? { device, gateway: route.nexthops[0]?.gateway } : route.type
}

function describeLink({ mtu, up, alias }: LinkChange): string {
  return [
    mtu === undefined ? '' : ` mtu ${mtu}`,
    alias === undefined ? '' : ` alias "${alias}"`,
    up === undefined ? '' : up ? ' up' : ' down',
  ].join('')
}

function describeAddress({ address, length, peer, deprecated }: DesiredAddress | LinkAddress): string {
  const text = peer === undefined ? `${address}/${length}` : `${address} peer ${peer}/${length}`
  return deprecated ? `${text} (deprecated)` : text
}

function describeRoute(
  { family, destination, table, metric, source }: DesiredRoute | Route,
  via: Via,
): string {
  const target = destination.length > 0 ? formatPrefix(destination) : `default (IPv${family})`
  const refusal = typeof via === 'string' ? `${via} ` : ''
  const { gateway, device } = typeof via === 'string' ? {} : via
  const way = [
    gateway === undefined ? '' : ` via ${gateway}`,
    device === undefined ? '' : ` dev ${device}`,
    source === undefined ? '' : ` src ${source}`,
  ].join('')
  return `route ${refusal}${target}${way} table ${table} metric ${metric}`
}

const TRANSPORTS = new Map([
  [IPPROTO_TCP, 'tcp'],
  [IPPROTO_UDP, 'udp'],
])

function describeRule(rule: Rule): string {
  const { family, priority, from, to, iif, oif, mark, ipProtocol, sourcePorts, table, suppressPrefixLength } =
    rule
  return [
    `rule ${priority} (IPv${family}):`,
    rule.inverted ? ' not' : '',
    from === undefined ? '' : ` from ${formatPrefix(from)}`,
    to === undefined ? '' : ` to ${formatPrefix(to)}`,
    iif === undefined ? '' : ` iif ${iif}`,
    oif === undefined ? '' : ` oif ${oif}`,
    mark === undefined ? '' : ` fwmark 0x${mark.value.toString(16)}/0x${mark.mask.toString(16)}`,
    ipProtocol === undefined ? '' : ` ipproto ${TRANSPORTS.get(ipProtocol) ?? ipProtocol}`,
    sourcePorts === undefined ? '' : ` sport ${sourcePorts.first}-${sourcePorts.last}`,
    rule.action === 'lookup' ? ` lookup ${table === TABLE_MAIN ? 'main' : table}` : ` ${rule.action}`,
    suppressPrefixLength === undefined ? '' : ` suppress_prefixlength ${suppressPrefixLength}`,
  ].join('')
}
