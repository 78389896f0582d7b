/** Kinds of option values that name things of a network. */

import type { ServerName } from '../client/round.ts'
import { canonicalIp, formatPrefix, ipFamily, type Prefix, parseIp, parsePrefix } from '../ip/address.ts'
import { isUnspecified } from '../ip/networks.ts'
import { unfitAnywhere, unfitByItself } from '../ip/unfit.ts'
import { err, ok, type Result } from '../result.ts'
import type { Kind } from './kinds.ts'

/** The port of L2TP (RFC 2661 section 8.1). */
const L2TP_PORT = 1701

/** A literal address of one family, or of either. The unspecified address is none. */
export function address(family?: 4 | 6): Kind<string> {
  const name = `${family === undefined ? 'IP' : `IPv${family}`} address`
  return {
    name,
    allowed: `a literal ${name}, such as ${family === 6 ? '2001:db8::1' : '192.0.2.1'}`,
    parse(text) {
      const canonical = canonicalIp(text)
      if (canonical === undefined) return err(`'${text}' is not an address`)
      if (isUnspecified(text)) return err(`'${text}' is the unspecified address`)
      if (family !== undefined && ipFamily(text) !== family) return err(`'${text}' is not an ${name}`)
      return ok(canonical)
    },
    print: (value) => value,
  }
}

/** All behind a static address is routed into the tunnel: nobody is given more than this, and less is a slip. */
const LEAST_LENGTH = { 4: 8, 6: 16 }

/** An address of this machine with or without a prefix length; without one it stands alone (/32 or /128). */
export function addressPrefix(family: 4 | 6): Kind<Prefix> {
  const example = family === 4 ? '192.0.2.1 or 192.0.2.1/24' : '2001:db8::1 or 2001:db8::1/64'
  return {
    name: `IPv${family} address`,
    allowed: `an IPv${family} address with or without a prefix length, such as ${example}`,
    parse(text) {
      const prefix = prefixOf(family, text)
      if (!prefix.ok) return prefix
      const wrong = wrongPrefix(prefix.value)
      return wrong === undefined ? prefix : err(`'${text}' ${wrong}`)
    },
    print: formatPrefix,
  }
}

/** A network: the bits behind its prefix length are zero. */
export function network(family: 4 | 6): Kind<Prefix> {
  return {
    name: `IPv${family} prefix`,
    allowed: `an IPv${family} prefix, such as ${family === 4 ? '192.0.2.0/24' : '2001:db8:2::/56'}`,
    parse(text) {
      const prefix = prefixOf(family, text)
      if (!prefix.ok) return prefix
      if (!text.includes('/')) return err(`'${text}' lacks a prefix length`)
      if (hasHostBits(prefix.value)) return err(`'${text}' has bits set behind its prefix length`)
      const wrong = wrongPrefix(prefix.value)
      return wrong === undefined ? prefix : err(`'${text}' ${wrong}`)
    },
    print: formatPrefix,
  }
}

/** A network of either family, or of one; an address without a prefix length stands for itself. */
export function networkOrHost(family?: 4 | 6): Kind<Prefix> {
  const v4 = '192.0.2.1 or 192.0.2.0/24'
  const v6 = '2001:db8::1 or 2001:db8:2::/56'
  return {
    name: family === undefined ? 'address or prefix' : `IPv${family} address or prefix`,
    allowed: `an address or prefix, such as ${[family !== 6 && v4, family !== 4 && v6].filter(Boolean).join(', ')}`,
    parse(text) {
      const prefix = parsePrefix(text)
      if (prefix === undefined) return err(`'${text}' is neither an address nor a prefix`)
      if (family !== undefined && ipFamily(prefix.address) !== family)
        return err(`'${text}' is not IPv${family}`)
      if (hasHostBits(prefix)) return err(`'${text}' has bits set behind its prefix length`)
      return isUnspecified(prefix.address) && prefix.length !== 0
        ? err(`'${text}' is the unspecified address`)
        : ok(prefix)
    },
    print({ address, length }) {
      return length === (ipFamily(address) === 4 ? 32 : 128) ? address : `${address}/${length}`
    },
  }
}

function prefixOf(family: 4 | 6, text: string): Result<Prefix, string> {
  const prefix = parsePrefix(text)
  if (prefix === undefined) return err(`'${text}' is not an address with a prefix length`)
  return ipFamily(prefix.address) === family ? ok(prefix) : err(`'${text}' is not IPv${family}`)
}

/** Why a machine cannot have such addresses as its own, reached from the internet. */
function wrongPrefix({ address, length }: Prefix): string | undefined {
  const least = LEAST_LENGTH[ipFamily(address) ?? 4]
  if (length === 0) return 'is everything'
  if (length < least) return `is too much, as its prefix length is below ${least}`
  return unfitByItself(address)
}

function hasHostBits({ address, length }: Prefix): boolean {
  const bytes = parseIp(address) ?? new Uint8Array(0)
  return bytes.some((octet, i) => {
    const free = Math.min(8, Math.max(0, (i + 1) * 8 - length))
    return (octet & ((1 << free) - 1)) !== 0
  })
}

/** A host name or literal address, with a port where it is not L2TP's own. */
export const server: Kind<ServerName> = {
  name: 'server',
  allowed: 'a host name or address, with another port than 1701 as NAME:PORT or [IPv6]:PORT',
  parse(text) {
    const [, bracketed, bracketedPort] = /^\[([^\]]*)\](?::(.*))?$/.exec(text) ?? []
    if (bracketed !== undefined) {
      if (ipFamily(bracketed) !== 6) return err(`'${bracketed}' is not an IPv6 address`)
      return withPort(canonicalIp(bracketed) ?? bracketed, bracketedPort, text)
    }
    if (ipFamily(text) === 6) return withPort(canonicalIp(text) ?? text, undefined, text)
    const [host = '', port, ...rest] = text.split(':')
    if (rest.length > 0 || /\D/.test(port ?? ''))
      return err(`'${text}' is neither a host name nor an address`)
    const wrong = wrongHost(host)
    return wrong === undefined ? withPort(host.replace(/\.$/, ''), port, text) : err(wrong)
  },
  print({ host, port }) {
    if (port === L2TP_PORT) return host
    return ipFamily(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
  },
  // RFC 4343: names of hosts are the same in capitals.
  identity: ({ host, port }) => `${host.toLowerCase()} ${port}`,
}

function withPort(host: string, port: string | undefined, text: string): Result<ServerName, string> {
  const wrong = ipFamily(host) === undefined ? undefined : unfitAnywhere(host)
  if (wrong !== undefined) return err(`'${host}' ${wrong}`)
  if (port === undefined) return ok({ host, port: L2TP_PORT })
  const valid = /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65535
  return valid ? ok({ host, port: Number(port) }) : err(`'${text}' has no valid port (1 to 65535)`)
}

/** Whether a text is a host name or an IPv4 address. */
export function isHost(text: string): boolean {
  return wrongHost(text) === undefined
}

function wrongHost(host: string): string | undefined {
  if (ipFamily(host) === 4) return isUnspecified(host) ? `'${host}' is the unspecified address` : undefined
  const labels = host.replace(/\.$/, '').split('.')
  // RFC 1123 section 2.1: the last label is never all digits, so that addresses and names cannot be confused.
  if (/^\d*$/.test(labels.at(-1) ?? '')) return `'${host}' is neither a host name nor an address`
  const valid = labels.every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))
  return valid && host.length <= 253 ? undefined : `'${host}' is not a host name`
}

/** The longest name of a network device: IFNAMSIZ less the zero at the end. */
const DEVICE_OCTETS = 15

/** The loopback device, and what stands for all devices below /proc/sys. */
const RESERVED_DEVICES = ['lo', 'all', 'default']

/** The name of a network device, in characters that are safe in nft texts and in paths below /proc/sys. */
export const deviceName: Kind<string> = {
  name: 'device name',
  range: `1 to ${DEVICE_OCTETS} characters`,
  allowed: `1 to ${DEVICE_OCTETS} letters, digits or any of . _ - @ +`,
  parse(text) {
    if (text.length > DEVICE_OCTETS)
      return err(`'${text}' has ${text.length} characters, too many for the name of a device`)
    if (RESERVED_DEVICES.includes(text)) return err(`'${text}' is a name that the system keeps for itself`)
    const valid = /^[A-Za-z0-9._@+-]+$/.test(text) && text !== '.' && text !== '..'
    return valid ? ok(text) : err(`'${text}' cannot be the name of a device`)
  },
  print: (value) => value,
}
