/** Routing rules: RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE with `struct fib_rule_hdr` (ip-rule(8)). */
import { concat, u8 } from '../bytes.ts'
import type { Family, Prefix } from '../ip/address.ts'
import { addressBytes, addressFamilyOf, addressOf, familyOf } from './address.ts'
import {
  attribute,
  attributeText,
  attributeU8,
  attributeU32,
  decodeAttributes,
  textOf,
  u8Of,
  u32Of,
} from './attribute.ts'
import { host16, host16Bytes, host32, host32Bytes } from './host-order.ts'
import { encodeMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST } from './message.ts'

/** linux/rtnetlink.h */
export const RTM_NEWRULE = 32
/** linux/rtnetlink.h */
export const RTM_DELRULE = 33
/** linux/rtnetlink.h */
export const RTM_GETRULE = 34

/** What a rule does with a packet (FR_ACT_*, linux/fib_rules.h). */
export type RuleAction = 'lookup' | 'goto' | 'blackhole' | 'unreachable' | 'prohibit' | 'other'

/** A rule of policy routing as the kernel holds it. */
export interface Rule {
  readonly family: Family
  /** The smaller one is asked first. */
  readonly priority: number
  readonly action: RuleAction
  /** The table that `lookup` asks; 0 otherwise. */
  readonly table: number
  /** Who made it (FRA_PROTOCOL). */
  readonly protocol: number
  /** A result whose prefix is this short or shorter does not count; undefined: every result counts. */
  readonly suppressPrefixLength: number | undefined
  readonly from: Prefix | undefined
  readonly to: Prefix | undefined
  readonly iif: string | undefined
  readonly oif: string | undefined
  readonly mark: { readonly value: number; readonly mask: number } | undefined
  /** Of which transport protocol only, by its IANA number (FRA_IP_PROTO). */
  readonly ipProtocol: number | undefined
  /** From which ports only, both ends included (FRA_SPORT_RANGE); the kernel takes 1..65534. */
  readonly sourcePorts: { readonly first: number; readonly last: number } | undefined
  /** It applies to what does not match. */
  readonly inverted: boolean
}

/** Of TCP, as `ipProtocol`. */
export const IPPROTO_TCP = 6
/** Of UDP. */
export const IPPROTO_UDP = 17

const ACTIONS: readonly (RuleAction | undefined)[] = [
  undefined,
  'lookup',
  'goto',
  undefined,
  undefined,
  undefined,
  'blackhole',
  'unreachable',
  'prohibit',
]

const FRA_DST = 1
const FRA_SRC = 2
const FRA_IIFNAME = 3
const FRA_PRIORITY = 6
const FRA_FWMARK = 10
const FRA_SUPPRESS_PREFIXLEN = 14
const FRA_TABLE = 15
const FRA_FWMASK = 16
const FRA_OIFNAME = 17
const FRA_PROTOCOL = 21
const FRA_IP_PROTO = 22
const FRA_SPORT_RANGE = 23

const FIB_RULE_INVERT = 2
const RT_TABLE_COMPAT = 252
const NO_SUPPRESSION = 0xffffffff
const RULE_HEADER = 12

/** The body of an RTM_NEWRULE or RTM_DELRULE; undefined if short or neither IPv4 nor IPv6. Never throws. */
export function decodeRule(body: Uint8Array): Rule | undefined {
  if (body.length < RULE_HEADER) return undefined
  const family = familyOf(u8(body, 0))
  if (family === undefined) return undefined
  const attributes = decodeAttributes(body.subarray(RULE_HEADER))
  const action = ACTIONS[u8(body, 7)] ?? 'other'
  const to = addressOf(attributes, FRA_DST, family)
  const from = addressOf(attributes, FRA_SRC, family)
  const value = u32Of(attributes.get(FRA_FWMARK))
  const suppressed = u32Of(attributes.get(FRA_SUPPRESS_PREFIXLEN))
  return {
    family,
    priority: u32Of(attributes.get(FRA_PRIORITY)) ?? 0,
    action,
    table: action === 'lookup' ? (u32Of(attributes.get(FRA_TABLE)) ?? u8(body, 4)) : 0,
    protocol: u8Of(attributes.get(FRA_PROTOCOL)) ?? 0,
    suppressPrefixLength: suppressed === NO_SUPPRESSION ? undefined : suppressed,
    from: from === undefined ? undefined : { address: from, length: u8(body, 2) },
    to: to === undefined ? undefined : { address: to, length: u8(body, 1) },
    iif: textOf(attributes.get(FRA_IIFNAME)),
    oif: textOf(attributes.get(FRA_OIFNAME)),
    mark: value === undefined ? undefined : { value, mask: u32Of(attributes.get(FRA_FWMASK)) ?? 0xffffffff },
    ipProtocol: u8Of(attributes.get(FRA_IP_PROTO)),
    sourcePorts: portsOf(attributes.get(FRA_SPORT_RANGE)),
    inverted: (host32(body, 8) & FIB_RULE_INVERT) !== 0,
  }
}

/** Asks for all rules of a family. */
export function encodeRuleDump(family: Family): Uint8Array {
  const header = concat(Uint8Array.of(addressFamilyOf(family)), new Uint8Array(RULE_HEADER - 1))
  return encodeMessage(RTM_GETRULE, NLM_F_REQUEST | NLM_F_DUMP, header)
}

/** Adds the rule; EEXIST if the same one is there. */
export function encodeNewRule(rule: Rule): Uint8Array {
  return encodeRule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule)
}

/** Removes the first rule that has all these properties; ENOENT if none has. */
export function encodeRuleRemoval(rule: Rule): Uint8Array {
  return encodeRule(RTM_DELRULE, 0, rule)
}

function encodeRule(message: number, flags: number, rule: Rule): Uint8Array {
  const { family, table, action, from, to } = rule
  const header = Uint8Array.of(
    addressFamilyOf(family),
    to?.length ?? 0,
    from?.length ?? 0,
    0,
    table < 256 ? table : RT_TABLE_COMPAT,
    0,
    0,
    ACTIONS.indexOf(action),
  )
  return encodeMessage(
    message,
    NLM_F_REQUEST | NLM_F_ACK | flags,
    header,
    host32Bytes(rule.inverted ? FIB_RULE_INVERT : 0),
    attributeU32(FRA_PRIORITY, rule.priority),
    attributeU8(FRA_PROTOCOL, rule.protocol),
    ...(action === 'lookup' ? [attributeU32(FRA_TABLE, table)] : []),
    ...(from === undefined ? [] : [attribute(FRA_SRC, addressBytes(from.address))]),
    ...(to === undefined ? [] : [attribute(FRA_DST, addressBytes(to.address))]),
    ...(rule.iif === undefined ? [] : [attributeText(FRA_IIFNAME, rule.iif)]),
    ...(rule.oif === undefined ? [] : [attributeText(FRA_OIFNAME, rule.oif)]),
    ...(rule.mark === undefined
      ? []
      : [attributeU32(FRA_FWMARK, rule.mark.value), attributeU32(FRA_FWMASK, rule.mark.mask)]),
    ...(rule.ipProtocol === undefined ? [] : [attributeU8(FRA_IP_PROTO, rule.ipProtocol)]),
    ...(rule.sourcePorts === undefined ? [] : [attribute(FRA_SPORT_RANGE, portRange(rule.sourcePorts))]),
    ...(rule.suppressPrefixLength === undefined
      ? []
      : [attributeU32(FRA_SUPPRESS_PREFIXLEN, rule.suppressPrefixLength)]),
  )
}

/** `struct fib_rule_port_range` */
function portsOf(value: Uint8Array | undefined): Rule['sourcePorts'] {
  return value === undefined || value.length < 4
    ? undefined
    : { first: host16(value, 0), last: host16(value, 2) }
}

function portRange({ first, last }: NonNullable<Rule['sourcePorts']>): Uint8Array {
  return concat(host16Bytes(first), host16Bytes(last))
}
