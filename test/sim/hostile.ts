/** Datagrams that mean no good: random octets, and copies of real ones with octets, numbers or lengths changed. */
import { u8, u16 } from '../../src/core/bytes.ts'
import { readPcap } from './pcap.ts'

const CAPTURES = [
  'chap-ok',
  'avp-hidden',
  'avp-proxy-auth',
  'avp-unknown-mandatory',
  'avp-unknown-optional',
  'data-header-variants',
  'lns-drop-session',
  'lns-drop-tunnel',
  'two-sessions',
  'seq-data',
].flatMap((name) => readPcap(`test/fixtures/l2tpns/l2tpns-${name}.pcap`).map(({ bytes }) => bytes))

const CONTROL = 0x80
const CONTROL_HEADER = 12
const DATA_HEADER = 6

/** What it knows of its victim: genuine datagrams on their way to it, the latest last. */
export interface Knowledge {
  readonly genuine: readonly Uint8Array[]
}

/** The next datagram; most reach deep, since tunnel id, session id and sequence numbers are those of the victim. */
export function hostile(random: () => number, { genuine }: Knowledge): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit)
  const octets = (length: number) => Uint8Array.from({ length }, () => below(256))
  const pick = (list: readonly Uint8Array[]) => (list[below(list.length)] ?? octets(20)).slice()
  const kind = below(12)
  if (kind === 0) return octets(below(80))
  if (kind === 1) return pick(genuine)
  if (kind <= 3) return mutated(random, addressed(pick(CAPTURES), genuine, random))
  if (kind === 4) return mutated(random, pick(genuine))
  if (kind === 5) {
    const frame = addressed(octets(DATA_HEADER + 4 + below(40)), genuine, random)
    frame.set(
      [0xff, 3, [0xc0, 0x80, 0xc2, 0][below(4)] ?? 0, [0x21, 0x57, 0x23, 0xfd][below(4)] ?? 0],
      DATA_HEADER,
    )
    frame[0] = 0
    frame[1] = 2
    return addressed(frame, genuine, random)
  }
  return addressed(mutated(random, pick(genuine)), genuine, random)
}

/** Some octets changed, mostly behind the header; at times cut short or made longer. */
function mutated(random: () => number, bytes: Uint8Array): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit)
  const header = (u8(bytes, 0) & CONTROL) !== 0 ? CONTROL_HEADER : DATA_HEADER
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const at = below(8) === 0 ? below(bytes.length) : header + below(Math.max(1, bytes.length - header))
    if (at < bytes.length) bytes[at] = below(3) === 0 ? u8(bytes, at) ^ (1 << below(8)) : below(256)
  }
  if (below(8) === 0) return bytes.slice(0, below(bytes.length + 1))
  return below(12) === 0 ? Uint8Array.from([...bytes, ...bytes.subarray(header)]) : bytes
}

/** Gives a datagram the ids of the victim's tunnel and session and, if it is a control message, the next numbers. */
function addressed(bytes: Uint8Array, genuine: readonly Uint8Array[], random: () => number): Uint8Array {
  const isControl = (u8(bytes, 0) & CONTROL) !== 0
  const model = genuine.filter((each) => ((u8(each, 0) & CONTROL) !== 0) === isControl).at(-1)
  if (!model || bytes.length < (isControl ? CONTROL_HEADER : DATA_HEADER)) return bytes
  if (!isControl) {
    if ((u8(bytes, 0) & 0x40) === 0) bytes.set(model.subarray(2, DATA_HEADER), 2)
    return bytes
  }
  bytes.set([bytes.length >>> 8, bytes.length & 0xff], 2)
  bytes.set(model.subarray(4, 6), 4)
  if (random() < 0.5) bytes.set(model.subarray(6, 8), 6)
  const ahead = random() < 0.7 ? 1 : Math.floor(random() * 12)
  const ns = u16(model, 8) + (model.length > CONTROL_HEADER ? ahead : ahead - 1)
  bytes.set([(ns >>> 8) & 0xff, ns & 0xff], 8)
  bytes.set(model.subarray(10, 12), 10)
  return bytes
}
