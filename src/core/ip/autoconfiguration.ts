/** What a host learns from Router Advertisements and for how long: SLAAC (RFC 4862 section 5.5), RDNSS (RFC 8106). */

import { u8 } from '../bytes.ts'
import { equal } from '../equal.ts'
import { after, earliest, type Millis } from '../time.ts'
import { formatIp, parseIp } from './address.ts'
import { LEAST_IPV6_MTU } from './encapsulation.ts'
import { isLinkLocal, isLoopback, isMulticast, isUnspecified } from './networks.ts'
import { INFINITE_LIFETIME, type PrefixInformation, type Rdnss, type RouterAdvertisement } from './ra.ts'

/** Everything in force at one moment. An undefined deadline never comes. */
export interface Autoconfiguration {
  readonly addresses: readonly AutoconfiguredAddress[]
  /** The default router, by its link-local address. A point-to-point link has one: the last that advertised itself. */
  readonly router: { readonly address: string; readonly validUntil: Millis } | undefined
  readonly dns: readonly { readonly address: string; readonly validUntil: Millis | undefined }[]
  /** Octets, at least 1280; the device's own may be smaller. */
  readonly mtu: number | undefined
  /** The M and O flags of the last advertisement. */
  readonly managed: boolean
  readonly other: boolean
}

/** An address made of an advertised prefix and our interface identifier (RFC 4862 section 5.5.3). */
export interface AutoconfiguredAddress {
  readonly address: string
  /** 64 where the prefix is on-link (L flag), else 128 (RFC 5942 section 4). */
  readonly length: 64 | 128
  /** Its preferred lifetime is over: not for new connections. */
  readonly deprecated: boolean
  /** When it becomes or became deprecated; not after `validUntil`. */
  readonly preferredUntil: Millis | undefined
  readonly validUntil: Millis | undefined
}

/** Before the first advertisement. */
export const NOTHING_LEARNT: Autoconfiguration = {
  addresses: [],
  router: undefined,
  dns: [],
  mtu: undefined,
  managed: false,
  other: false,
}

/** More than any router has a reason to send; the rest is ignored, so that a hostile one cannot fill our memory. */
const MAX_ADDRESSES = 16
const MAX_DNS = 8
const TWO_HOURS_MS = 2 * 3600 * 1000

/** What is in force after a valid advertisement from the router `from`. `interfaceId`: 8 octets. */
export function absorb(
  known: Autoconfiguration,
  now: Millis,
  from: string,
  advertisement: RouterAdvertisement,
  interfaceId: Uint8Array,
): Autoconfiguration {
  const { mtu, managed, other } = advertisement
  const addresses = advertisement.prefixes.reduce<readonly AutoconfiguredAddress[]>(
    (all, information) => absorbPrefix(all, now, information, interfaceId),
    known.addresses,
  )
  return {
    addresses,
    router: absorbRouter(known.router, now, from, advertisement.routerLifetime),
    dns: advertisement.rdnss.reduce((all, rdnss) => absorbRdnss(all, now, rdnss), known.dns),
    mtu: mtu !== undefined && mtu >= LEAST_IPV6_MTU ? mtu : known.mtu,
    managed,
    other,
  }
}

/** What is left at `now`, addresses deprecated where their time has come; the same object if nothing has changed. */
export function expire(known: Autoconfiguration, now: Millis): Autoconfiguration {
  const next = nextExpiry(known)
  if (next === undefined || next > now) return known
  const holds = (item: { readonly validUntil: Millis | undefined }) =>
    item.validUntil === undefined || item.validUntil > now
  return {
    ...known,
    addresses: known.addresses
      .filter(holds)
      .map((address) => ({ ...address, deprecated: isOver(address.preferredUntil, now) })),
    router: known.router && holds(known.router) ? known.router : undefined,
    dns: known.dns.filter(holds),
  }
}

/** When the next address is deprecated, or an address, a resolver or the router lapses. */
export function nextExpiry(known: Autoconfiguration): Millis | undefined {
  const items = [known.router, ...known.addresses, ...known.dns]
  return earliest(
    ...items.map((item) => item?.validUntil),
    ...known.addresses.map(({ deprecated, preferredUntil }) => (deprecated ? undefined : preferredUntil)),
  )
}

/** Whether two differ in more than deadlines that moved by less than `tolerance` ms. */
export function differs(a: Autoconfiguration, b: Autoconfiguration, tolerance: number): boolean {
  const moved = (one: Millis | undefined, two: Millis | undefined) =>
    one === undefined || two === undefined ? one !== two : Math.abs(one - two) >= tolerance
  const fixed = ({ addresses, router, dns, mtu, managed, other }: Autoconfiguration) => [
    addresses.map(({ address, length, deprecated }) => [address, length, deprecated]),
    router?.address,
    dns.map(({ address }) => address),
    mtu,
    managed,
    other,
  ]
  return (
    !equal(fixed(a), fixed(b)) ||
    moved(a.router?.validUntil, b.router?.validUntil) ||
    a.dns.some(({ validUntil }, i) => moved(validUntil, b.dns[i]?.validUntil)) ||
    a.addresses.some((address, i) => moved(address.validUntil, b.addresses[i]?.validUntil)) ||
    a.addresses.some((address, i) => moved(address.preferredUntil, b.addresses[i]?.preferredUntil))
  )
}

function absorbRouter(
  known: Autoconfiguration['router'],
  now: Millis,
  from: string,
  lifetime: number,
): Autoconfiguration['router'] {
  if (lifetime > 0) return { address: from, validUntil: after(now, lifetime * 1000) }
  // RFC 4861 section 6.3.4: a lifetime of zero takes back this router, no other.
  return known?.address === from ? undefined : known
}

/** RFC 4862 section 5.5.3; the letters are its steps. */
function absorbPrefix(
  known: readonly AutoconfiguredAddress[],
  now: Millis,
  information: PrefixInformation,
  interfaceId: Uint8Array,
): readonly AutoconfiguredAddress[] {
  const { prefix, autonomous, validLifetime, preferredLifetime } = information
  if (!autonomous) return known // a)
  if (isLinkLocal(prefix.address) || isMulticast(prefix.address)) return known // b)
  if (preferredLifetime > validLifetime) return known // c)
  if (prefix.length + interfaceId.length * 8 !== 128) return known // d)
  const network = parseIp(prefix.address)
  if (network === undefined) return known
  const address = formatIp(Uint8Array.from(network, (octet, i) => (i < 8 ? octet : u8(interfaceId, i - 8))))
  const old = known.find((one) => one.address === address)
  if (old === undefined && (validLifetime === 0 || known.length >= MAX_ADDRESSES)) return known // d)
  const offered = deadline(now, validLifetime)
  const validUntil = old === undefined ? offered : twoHourRule(now, old.validUntil, offered)
  const preferred = deadline(now, preferredLifetime)
  const preferredUntil = validUntil === undefined ? preferred : earliest(preferred, validUntil)
  const updated: AutoconfiguredAddress = {
    address,
    length: information.onLink ? 64 : 128,
    deprecated: isOver(preferredUntil, now),
    preferredUntil,
    validUntil,
  }
  return old === undefined ? [...known, updated] : known.map((one) => (one === old ? updated : one))
}

/** RFC 4862 section 5.5.3 e): an unauthenticated router can shorten a valid lifetime to two hours, not to less. */
function twoHourRule(
  now: Millis,
  current: Millis | undefined,
  offered: Millis | undefined,
): Millis | undefined {
  const inTwoHours = after(now, TWO_HOURS_MS)
  if (offered === undefined || offered > inTwoHours) return offered // 1.
  if (current !== undefined && offered > current) return offered // 1.
  if (current !== undefined && current <= inTwoHours) return current // 2.
  return inTwoHours // 3.
}

function absorbRdnss(known: Autoconfiguration['dns'], now: Millis, rdnss: Rdnss): Autoconfiguration['dns'] {
  const usable = rdnss.addresses.filter(
    (address) => !isMulticast(address) && !isLoopback(address) && !isUnspecified(address),
  )
  // RFC 8106 section 5.1: a lifetime of zero means: no longer used.
  if (rdnss.lifetime === 0) return known.filter(({ address }) => !usable.includes(address))
  const validUntil = deadline(now, rdnss.lifetime)
  const refreshed = known.map((one) => (usable.includes(one.address) ? { ...one, validUntil } : one))
  const added = [...new Set(usable)].filter((address) => !known.some((one) => one.address === address))
  return [...refreshed, ...added.map((address) => ({ address, validUntil }))].slice(0, MAX_DNS)
}

function deadline(now: Millis, lifetime: number): Millis | undefined {
  return lifetime === INFINITE_LIFETIME ? undefined : after(now, lifetime * 1000)
}

function isOver(instant: Millis | undefined, now: Millis): boolean {
  return instant !== undefined && instant <= now
}
