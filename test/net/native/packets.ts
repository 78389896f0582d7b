/** Packets built by hand, so that the data path is judged by nothing of ours. */

/** The sum of RFC 1071, not inverted. */
export function sum16(bytes: Uint8Array, from = 0): number {
  let sum = from
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}

/** Two octets, network order. */
export function be16(value: number): number[] {
  return [(value >> 8) & 0xff, value & 0xff]
}

/** An IPv4 packet with UDP inside; addresses are four octets; no UDP checksum. */
export function ipv4Udp(
  from: readonly number[],
  to: readonly number[],
  ports: readonly [number, number],
  payload: Uint8Array,
): Uint8Array {
  const length = 28 + payload.length
  const header = Uint8Array.from([...[0x45, 0, ...be16(length), 0, 0, 0, 0, 64, 17, 0, 0], ...from, ...to])
  header.set(be16(0xffff - sum16(header)), 10)
  return Uint8Array.from([
    ...header,
    ...be16(ports[0]),
    ...be16(ports[1]),
    ...be16(8 + payload.length),
    0,
    0,
    ...payload,
  ])
}

/** An ICMPv6 echo request inside IPv6; addresses are sixteen octets. */
export function ipv6Echo(from: readonly number[], to: readonly number[], sequence: number): Uint8Array {
  const message = Uint8Array.from([128, 0, 0, 0, 0x12, 0x34, ...be16(sequence), 1, 2, 3, 4])
  const pseudo = Uint8Array.from([...from, ...to, 0, 0, ...be16(message.length), 0, 0, 0, 58])
  message.set(be16(0xffff - sum16(message, sum16(pseudo))), 2)
  return Uint8Array.from([0x60, 0, 0, 0, ...be16(message.length), 58, 64, ...from, ...to, ...message])
}

export interface DataForm {
  readonly tunnel: number
  readonly session: number
  readonly length?: boolean
  readonly priority?: boolean
  readonly offset?: number
  readonly ns?: number
  /** The PPP header; `ff 03 00 21` if left out. */
  readonly ppp?: readonly number[]
}

/** An L2TP data message (RFC 2661 section 3.1). */
export function dataMessage(form: DataForm, packet: Uint8Array): Uint8Array {
  const { tunnel, session, length, priority, offset, ns, ppp = [0xff, 0x03, 0x00, 0x21] } = form
  const flags =
    2 |
    (length ? 0x4000 : 0) |
    (ns === undefined ? 0 : 0x0800) |
    (offset === undefined ? 0 : 0x0200) |
    (priority ? 0x0100 : 0)
  const rest = [
    ...be16(tunnel),
    ...be16(session),
    ...(ns === undefined ? [] : [...be16(ns), 0, 0]),
    ...(offset === undefined ? [] : [...be16(offset), ...new Array<number>(offset).fill(0xee)]),
    ...ppp,
    ...packet,
  ]
  const total = rest.length + (length ? 4 : 2)
  return Uint8Array.from([...be16(flags), ...(length ? be16(total) : []), ...rest])
}

/** A control message as far as the data path can tell: the T, L and S bits, then what is given. */
export function controlMessage(number: number, tunnel = 1): Uint8Array {
  return Uint8Array.from([0xc8, 0x02, 0, 12, ...be16(tunnel), 0, 0, ...be16(number), 0, 0])
}
