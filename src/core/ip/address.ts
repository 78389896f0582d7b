/** IPv4 and IPv6 addresses and prefixes, between text and octets in network order. */
import { ByteWriter, u8, u16 } from '../bytes.ts'

/** IPv4 or IPv6, as the numbers people use. */
export type Family = 4 | 6

/** An address with its prefix length in bits: 0..32 for IPv4, 0..128 for IPv6. Host bits may be set. */
export interface Prefix {
  readonly address: string
  readonly length: number
}

/**
 * The octets of a literal address: 4 for dotted IPv4 (four decimal parts, no leading zeros), 16 for IPv6
 * (RFC 4291 section 2.2). Zones (`%eth0`), brackets and prefix lengths are no part of an address: undefined.
 */
export function parseIp(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIp6(text) : parseIp4(text)
}

/** Text of an address: dotted for 4 octets, RFC 5952 for 16. Another count of octets is our bug and throws. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) throw new Error(`an address has 4 or 16 octets, not ${bytes.length}`)
  return formatIp6(bytes)
}

/** Which family a literal address belongs to; undefined for anything else, such as a host name. */
export function ipFamily(text: string): Family | undefined {
  const bytes = parseIp(text)
  if (bytes === undefined) return undefined
  return bytes.length === 4 ? 4 : 6
}

/** The one text by which an address is known everywhere in the program; undefined if it is no literal address. */
export function canonicalIp(text: string): string | undefined {
  const bytes = parseIp(text)
  return bytes && formatIp(bytes)
}

/** `a.b.c.d/n` or `x::/n`, the address made canonical; without a length /32 or /128. */
export function parsePrefix(text: string): Prefix | undefined {
  const [host = '', digits, ...rest] = text.split('/')
  const bytes = parseIp(host)
  if (bytes === undefined || rest.length > 0) return undefined
  const bits = bytes.length * 8
  if (digits === undefined) return { address: formatIp(bytes), length: bits }
  if (!/^(0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > bits) return undefined
  return { address: formatIp(bytes), length: Number(digits) }
}

/** `ADDRESS/LENGTH`, as it is configured. */
export function formatPrefix(prefix: Prefix): string {
  return `${prefix.address}/${prefix.length}`
}

/** Whether the literal `address` lies in the prefix, whose host bits do not matter; never across families. */
export function prefixContains(prefix: Prefix, address: string): boolean {
  const network = parseIp(prefix.address)
  const bytes = parseIp(address)
  if (network === undefined || bytes === undefined || network.length !== bytes.length) return false
  for (let i = 0; i * 8 < prefix.length; i++) {
    const unused = Math.max(0, (i + 1) * 8 - prefix.length)
    if (u8(network, i) >> unused !== u8(bytes, i) >> unused) return false
  }
  return true
}

function parseIp4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  const bytes = new Uint8Array(4)
  for (const [i, part] of parts.entries()) {
    // Leading zeros are refused: some readers take them for octal (RFC 6943 section 3.1.1).
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    bytes[i] = Number(part)
  }
  return bytes
}

function parseIp6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head = '', tail] = halves
  const front = parseGroups(head, tail === undefined)
  const back = parseGroups(tail ?? '', true)
  if (front === undefined || back === undefined) return undefined
  const zeros = 16 - front.length - back.length
  // RFC 4291 section 2.2: `::` stands for one or more groups of zeros; without it all eight groups are written.
  if (tail === undefined ? zeros !== 0 : zeros < 2) return undefined
  const bytes = new Uint8Array(16)
  bytes.set(front)
  bytes.set(back, 16 - back.length)
  return bytes
}

/** Groups of up to four hexadecimal digits; where they end the address, the last may be dotted IPv4. */
function parseGroups(text: string, endsAddress: boolean): Uint8Array | undefined {
  if (text === '') return new Uint8Array(0)
  const writer = new ByteWriter(16)
  const groups = text.split(':')
  if (groups.length > 8) return undefined
  for (const [i, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      writer.u16(Number.parseInt(group, 16))
      continue
    }
    const dotted = endsAddress && i === groups.length - 1 ? parseIp4(group) : undefined
    if (dotted === undefined) return undefined
    writer.bytes(dotted)
  }
  return writer.length <= 16 ? writer.finish() : undefined
}

function formatIp6(bytes: Uint8Array): string {
  // RFC 5952 section 5: the dotted form for prefixes known to embed IPv4, of which ::ffff:0:0/96 is the certain one.
  if (isIp4Mapped(bytes)) return `::ffff:${bytes.subarray(12).join('.')}`
  const groups = Array.from({ length: 8 }, (_, i) => u16(bytes, i * 2))
  const run = longestZeroRun(groups)
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':')
  // RFC 5952 section 4.2.2: one group of zeros alone is not shortened.
  if (run.length < 2) return hex(groups)
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`
}

/** RFC 5952 section 4.2.3: the longest run of zeros, the first of equal ones. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let length = 0
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0
    if (length > best.length) best = { start: i - length + 1, length }
  }
  return best
}

/** Whether 16 octets lie in ::ffff:0:0/96, as an IPv6 socket shows IPv4 peers. */
function isIp4Mapped(bytes: Uint8Array): boolean {
  return (
    bytes.length === 16 && bytes.subarray(0, 10).every((octet) => octet === 0) && u16(bytes, 10) === 0xffff
  )
}
