/** Router Solicitation and Advertisement (RFC 4861 section 4) with RDNSS (RFC 8106 section 5.1). */
import { ByteWriter, u8, u16, u32 } from '../bytes.ts'
import { type DecodeError, err, ok, type Result } from '../result.ts'
import { formatIp, type Prefix, parseIp } from './address.ts'
import { isLinkLocal } from './networks.ts'

/** RFC 4861 section 4.1 */
export const ROUTER_SOLICITATION = 133
/** RFC 4861 section 4.2 */
export const ROUTER_ADVERTISEMENT = 134
/** Where solicitations go and where unsolicited advertisements arrive (RFC 4291 section 2.7.1). */
export const ALL_ROUTERS = 'ff02::2'
/** The link-local multicast address of all nodes (RFC 4291 section 2.7.1), to which routers advertise. */
export const ALL_NODES = 'ff02::1'
/** A lifetime of this many seconds never ends (RFC 4861 section 4.6.2). */
export const INFINITE_LIFETIME = 0xffff_ffff

/** A Router Advertisement as it came (RFC 4861 section 4.2), times in s. */
export interface RouterAdvertisement {
  /** For the hop limit of our packets; 0 where the router does not say. */
  readonly curHopLimit: number
  /** M flag: addresses by DHCPv6. */
  readonly managed: boolean
  /** O flag: other configuration by DHCPv6. */
  readonly other: boolean
  /** Seconds, 0..65535; 0: this is no default router. */
  readonly routerLifetime: number
  /** Octets, as sent; undefined where the router does not say. */
  readonly mtu: number | undefined
  readonly prefixes: readonly PrefixInformation[]
  readonly rdnss: readonly Rdnss[]
}

/** Lifetimes are in seconds, 0..INFINITE_LIFETIME. */
export interface PrefixInformation {
  readonly prefix: Prefix
  /** L flag. */
  readonly onLink: boolean
  /** A flag: fit for SLAAC. */
  readonly autonomous: boolean
  readonly validLifetime: number
  readonly preferredLifetime: number
}

/** Resolvers that a router names, and for how long (RFC 8106 section 5.1). */
export interface Rdnss {
  /** Seconds, 0..INFINITE_LIFETIME; 0: use these no longer. */
  readonly lifetime: number
  readonly addresses: readonly string[]
}

const RA_HEADER_OCTETS = 16
const OPTION_PREFIX_INFORMATION = 3
const OPTION_MTU = 5
const OPTION_RDNSS = 25
const PREFIX_INFORMATION_OCTETS = 32

/** A solicitation without options: a point-to-point link has no link-layer addresses. The kernel fills in the checksum. */
export function encodeRouterSolicitation(): Uint8Array {
  return new ByteWriter(8).u8(ROUTER_SOLICITATION).u8(0).u16(0).u32(0).finish()
}

/** Whether a received message is a valid solicitation (RFC 4861 section 6.1.1); for the router's side. */
export function isRouterSolicitation(message: Uint8Array, hopLimit: number): boolean {
  return (
    u8(message, 0) === ROUTER_SOLICITATION &&
    u8(message, 1) === 0 &&
    hopLimit === 255 &&
    message.length >= 8 &&
    splitOptions(message, 8).ok
  )
}

/** Writes an advertisement, as a router would; the checksum stays zero for the kernel. */
export function encodeRouterAdvertisement(advertisement: RouterAdvertisement): Uint8Array {
  const writer = new ByteWriter()
    .u8(ROUTER_ADVERTISEMENT)
    .u8(0)
    .u16(0)
    .u8(advertisement.curHopLimit)
    .u8((advertisement.managed ? 0x80 : 0) | (advertisement.other ? 0x40 : 0))
    .u16(advertisement.routerLifetime)
    .u32(0)
    .u32(0)
  if (advertisement.mtu !== undefined) writer.u8(OPTION_MTU).u8(1).u16(0).u32(advertisement.mtu)
  for (const { prefix, onLink, autonomous, validLifetime, preferredLifetime } of advertisement.prefixes) {
    writer.u8(OPTION_PREFIX_INFORMATION).u8(4).u8(prefix.length)
    writer.u8((onLink ? 0x80 : 0) | (autonomous ? 0x40 : 0))
    writer.u32(validLifetime).u32(preferredLifetime).u32(0).bytes(octets16(prefix.address))
  }
  for (const { lifetime, addresses } of advertisement.rdnss) {
    writer
      .u8(OPTION_RDNSS)
      .u8(1 + 2 * addresses.length)
      .u16(0)
      .u32(lifetime)
    for (const address of addresses) writer.bytes(octets16(address))
  }
  return writer.finish()
}

/**
 * Reads an advertisement from its ICMPv6 header on and holds it against RFC 4861 section 6.1.2; the kernel has
 * verified the checksum. `from` is the literal source. Unknown options are skipped. Errors: `type`, `source`,
 * `hopLimit`, `code`, `short`, `optionLength`.
 */
export function decodeRouterAdvertisement(
  from: string,
  hopLimit: number,
  message: Uint8Array,
): Result<RouterAdvertisement, DecodeError> {
  const invalid = (code: string, offset: number, text: string) => err({ code, offset, message: text })
  if (u8(message, 0) !== ROUTER_ADVERTISEMENT) {
    return invalid('type', 0, `ICMPv6 type ${u8(message, 0)} is no Router Advertisement`)
  }
  // RFC 4861 section 6.1.2, in its order.
  if (!isLinkLocal(from))
    return invalid('source', 0, 'a Router Advertisement comes from a link-local address')
  if (hopLimit !== 255) return invalid('hopLimit', 0, `hop limit ${hopLimit}: it came through a router`)
  if (u8(message, 1) !== 0) return invalid('code', 1, `ICMPv6 code ${u8(message, 1)}, not 0`)
  if (message.length < RA_HEADER_OCTETS) {
    return invalid('short', message.length, 'a Router Advertisement has at least 16 octets')
  }
  const options = splitOptions(message, RA_HEADER_OCTETS)
  if (!options.ok) return options
  const flags = u8(message, 5)
  return ok({
    curHopLimit: u8(message, 4),
    managed: (flags & 0x80) !== 0,
    other: (flags & 0x40) !== 0,
    routerLifetime: u16(message, 6),
    mtu: options.value.map(readMtu).find((mtu) => mtu !== undefined),
    prefixes: options.value.flatMap((option) => readPrefixInformation(option) ?? []),
    rdnss: options.value.flatMap((option) => readRdnss(option) ?? []),
  })
}

/** The options of a message, each from its type octet on. One that is empty or cut off makes the whole message invalid. */
function splitOptions(message: Uint8Array, start: number): Result<Uint8Array[], DecodeError> {
  const options: Uint8Array[] = []
  for (let offset = start; offset < message.length; ) {
    // RFC 4861 section 4.6: the length is in units of 8 octets and counts type and length themselves.
    const octets = u8(message, offset + 1) * 8
    if (octets === 0 || offset + octets > message.length) {
      return err({ code: 'optionLength', offset, message: `an option of ${octets} octets` })
    }
    options.push(message.subarray(offset, offset + octets))
    offset += octets
  }
  return ok(options)
}

function readMtu(option: Uint8Array): number | undefined {
  return u8(option, 0) === OPTION_MTU && option.length === 8 ? u32(option, 4) : undefined
}

function readPrefixInformation(option: Uint8Array): PrefixInformation | undefined {
  if (u8(option, 0) !== OPTION_PREFIX_INFORMATION || option.length !== PREFIX_INFORMATION_OCTETS)
    return undefined
  if (u8(option, 2) > 128) return undefined
  return {
    prefix: { address: formatIp(option.subarray(16, 32)), length: u8(option, 2) },
    onLink: (u8(option, 3) & 0x80) !== 0,
    autonomous: (u8(option, 3) & 0x40) !== 0,
    validLifetime: u32(option, 4),
    preferredLifetime: u32(option, 8),
  }
}

function readRdnss(option: Uint8Array): Rdnss | undefined {
  // RFC 8106 section 5.3.1: at least 3 units, and an odd number of them.
  if (u8(option, 0) !== OPTION_RDNSS || option.length < 24 || option.length % 16 !== 8) return undefined
  const addresses: string[] = []
  for (let offset = 8; offset < option.length; offset += 16) {
    addresses.push(formatIp(option.subarray(offset, offset + 16)))
  }
  return { lifetime: u32(option, 4), addresses }
}

/** Octets of an IPv6 literal of our own; anything else is our bug. */
function octets16(address: string): Uint8Array {
  const bytes = parseIp(address)
  if (bytes?.length !== 16) throw new Error(`not an IPv6 address: ${address}`)
  return bytes
}
