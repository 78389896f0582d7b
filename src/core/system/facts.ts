/** What the kernel holds, as far as lifeline cares: pure reduction of rtnetlink messages. */

import { equal } from '../equal.ts'
import type { Family } from '../ip/address.ts'
import { decodeAddress, type LinkAddress, RTM_DELADDR, RTM_NEWADDR } from '../netlink/address.ts'
import { decodeLink, isAboutLink, type Link, RTM_DELLINK, RTM_NEWLINK } from '../netlink/link.ts'
import { decodeMessage, type NetlinkMessage, NLM_F_REPLACE } from '../netlink/message.ts'
import { decodeRoute, type Route, RTM_DELROUTE, RTM_NEWROUTE, TABLE_LOCAL } from '../netlink/route.ts'
import { decodeRule, RTM_DELRULE, RTM_NEWRULE, type Rule } from '../netlink/rule.ts'

export type { LinkAddress } from '../netlink/address.ts'
export type { Link } from '../netlink/link.ts'
export type { Nexthop, Route } from '../netlink/route.ts'
export type { Rule } from '../netlink/rule.ts'

/**
 * The number that marks every route (rtm_protocol) and rule (FRA_PROTOCOL) of ours. Only what carries it is ever changed
 * or removed. `108 lifeline` in /etc/iproute2/rt_protos.d/lifeline.conf makes `ip` show it by name.
 */
export const OUR_PROTOCOL = 108

/** A snapshot of the kernel's state; compare by identity to see whether anything changed. */
export interface Facts {
  readonly links: readonly Link[]
  readonly addresses: readonly LinkAddress[]
  /** Default routes of every table, and all routes of ours; the rest is left out, it may be a million. */
  readonly routes: readonly Route[]
  readonly rules: readonly Rule[]
  /** The kernel speaks IPv6 at all. */
  readonly ipv6: boolean
  /** Names of devices whose addresses are another program's to write, as netifd's of its interfaces; the kernel knows of none. */
  readonly managed: readonly string[]
}

/** A kernel that holds nothing, and has IPv6. */
export const NO_FACTS: Facts = { links: [], addresses: [], routes: [], rules: [], ipv6: true, managed: [] }

/** Facts after some messages, and the families whose routes the kernel may have changed without a word. */
export interface Reduction {
  readonly facts: Facts
  readonly uncertainRoutes: readonly Family[]
}

/** Takes multicast messages or answers into account, in order. Never throws; foreign messages change nothing. */
export function reduceFacts(facts: Facts, messages: readonly Uint8Array[]): Reduction {
  const uncertain = new Set<Family>()
  const reduced = messages.reduce((state, bytes) => {
    const message = decodeMessage(bytes)
    return message === undefined ? state : reduce(state, message, uncertain)
  }, facts)
  return { facts: reduced, uncertainRoutes: [...uncertain] }
}

/** Facts in which the routes of one family are those of a new dump. */
export function withRoutes(facts: Facts, family: Family, dump: readonly Uint8Array[]): Facts {
  const fresh = reduceFacts(NO_FACTS, dump).facts.routes.filter((route) => route.family === family)
  const known = facts.routes.filter((route) => route.family === family)
  if (sameSet(fresh, known)) return facts
  return { ...facts, routes: [...facts.routes.filter((route) => route.family !== family), ...fresh] }
}

/** The link of that name. */
export function linkNamed(facts: Facts, name: string): Link | undefined {
  return facts.links.find((link) => link.name === name)
}

/** The addresses that a link bears, in the kernel's order. */
export function addressesOf(facts: Facts, link: Link): LinkAddress[] {
  return facts.addresses.filter((address) => address.link === link.index)
}

function reduce(facts: Facts, { type, flags, body }: NetlinkMessage, uncertain: Set<Family>): Facts {
  switch (type) {
    case RTM_NEWLINK:
      return isAboutLink(body) ? linkChanged(facts, decodeLink(body), uncertain) : facts
    case RTM_DELLINK:
      return isAboutLink(body) ? linkRemoved(facts, decodeLink(body), uncertain) : facts
    case RTM_NEWADDR:
      return addressChanged(facts, decodeAddress(body))
    case RTM_DELADDR:
      return addressRemoved(facts, decodeAddress(body), uncertain)
    case RTM_NEWROUTE:
      return routeChanged(facts, decodeRoute(body), (flags & NLM_F_REPLACE) !== 0, uncertain)
    case RTM_DELROUTE:
      return routeRemoved(facts, decodeRoute(body), uncertain)
    case RTM_NEWRULE:
      return ruleAdded(facts, decodeRule(body))
    case RTM_DELRULE:
      return ruleRemoved(facts, decodeRule(body))
    default:
      return facts
  }
}

/** The kernel drops IPv4 routes over a link that goes down, and tells nobody. */
function linkChanged(facts: Facts, link: Link | undefined, uncertain: Set<Family>): Facts {
  if (link === undefined) return facts
  const known = facts.links.find(({ index }) => index === link.index)
  if (equal(known, link)) return facts
  if (known?.up && !link.up) uncertain.add(4).add(6)
  return { ...facts, links: replaced(facts.links, known, link) }
}

function linkRemoved(facts: Facts, link: Link | undefined, uncertain: Set<Family>): Facts {
  const known = facts.links.find(({ index }) => index === link?.index)
  if (known === undefined) return facts
  uncertain.add(4).add(6)
  return {
    ...facts,
    links: facts.links.filter((other) => other !== known),
    addresses: facts.addresses.filter((address) => address.link !== known.index),
  }
}

function addressChanged(facts: Facts, address: LinkAddress | undefined): Facts {
  if (address === undefined) return facts
  const known = facts.addresses.find((other) => isSameAddress(other, address))
  if (equal(known, address)) return facts
  return { ...facts, addresses: replaced(facts.addresses, known, address) }
}

/** Routes that prefer a removed source address go with it, in silence. */
function addressRemoved(facts: Facts, address: LinkAddress | undefined, uncertain: Set<Family>): Facts {
  const known = address && facts.addresses.find((other) => isSameAddress(other, address))
  if (known === undefined) return facts
  uncertain.add(known.family)
  return { ...facts, addresses: facts.addresses.filter((other) => other !== known) }
}

/** One of several nexthops of an IPv6 route may be announced alone: then only a dump shows the whole. */
function routeChanged(
  facts: Facts,
  route: Route | undefined,
  replaces: boolean,
  uncertain: Set<Family>,
): Facts {
  if (route === undefined || !isOfInterest(route)) return facts
  if (facts.routes.some((other) => equal(other, route))) return facts
  const known = facts.routes.find((other) => isSameSlot(other, route))
  if (known !== undefined && !replaces) uncertain.add(route.family)
  return { ...facts, routes: replaced(facts.routes, replaces ? known : undefined, route) }
}

function routeRemoved(facts: Facts, route: Route | undefined, uncertain: Set<Family>): Facts {
  if (route === undefined || !isOfInterest(route)) return facts
  const known = facts.routes.find((other) => equal(other, route))
  if (known !== undefined) return { ...facts, routes: facts.routes.filter((other) => other !== known) }
  if (facts.routes.some((other) => isSameSlot(other, route))) uncertain.add(route.family)
  return facts
}

function ruleAdded(facts: Facts, rule: Rule | undefined): Facts {
  if (rule === undefined || facts.rules.some((other) => equal(other, rule))) return facts
  return { ...facts, rules: [...facts.rules, rule] }
}

function ruleRemoved(facts: Facts, rule: Rule | undefined): Facts {
  const known = facts.rules.find((other) => equal(other, rule))
  if (known === undefined) return facts
  return { ...facts, rules: facts.rules.filter((other) => other !== known) }
}

function isOfInterest(route: Route): boolean {
  if (route.protocol === OUR_PROTOCOL) return true
  return route.destination.length === 0 && route.table !== TABLE_LOCAL
}

function isSameAddress(a: LinkAddress, b: LinkAddress): boolean {
  return a.link === b.link && a.address === b.address && a.length === b.length && a.peer === b.peer
}

function isSameSlot(a: Route, b: Route): boolean {
  return (
    a.family === b.family &&
    a.table === b.table &&
    a.metric === b.metric &&
    equal(a.destination, b.destination)
  )
}

function replaced<T>(list: readonly T[], old: T | undefined, fresh: T): T[] {
  return old === undefined ? [...list, fresh] : list.map((item) => (item === old ? fresh : item))
}

function sameSet(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item) => b.some((other) => equal(item, other)))
}
