/** The L2TP header of control and data messages. RFC 2661 section 3.1. */
import { ByteWriter, u8, u16 } from '../bytes.ts'
import { type DecodeError, err, ok, type Result } from '../result.ts'

/** A control message or ZLB. */
export interface ControlPacket {
  readonly kind: 'control'
  /** Id that the recipient assigned; 0 before it has. */
  readonly tunnel: number
  readonly session: number
  readonly ns: number
  readonly nr: number
  /** The AVPs; empty for a ZLB. A view of the datagram. */
  readonly body: Uint8Array
}

/** A data message. */
export interface DataPacket {
  readonly kind: 'data'
  readonly tunnel: number
  readonly session: number
  /** Sequence number, where the message carries one. (Its Nr is reserved and ignored.) */
  readonly ns: number | undefined
  readonly priority: boolean
  /** The PPP frame. A view of the datagram. */
  readonly frame: Uint8Array
}

/** Whatever a datagram can hold. */
export type L2tpPacket = ControlPacket | DataPacket

const T = 0x8000
const L = 0x4000
const S = 0x0800
const O = 0x0200
const P = 0x0100
const VERSION_MASK = 0x000f
const VERSION = 2

/** Octets of a control header, which is also the length of a ZLB. */
export const CONTROL_HEADER = 12

/**
 * Reads one datagram. Reserved bits are ignored, octets beyond the Length field too. Errors: `short`, `version`
 * (L2F and L2TPv3 included), `flags`, `length`, `offset`.
 */
export function decodePacket(bytes: Uint8Array): Result<L2tpPacket, DecodeError> {
  if (bytes.length < 6) return fail('short', 0, 'no room for an L2TP header')
  const flags = u16(bytes, 0)
  if ((flags & VERSION_MASK) !== VERSION) return fail('version', 0, `version ${flags & VERSION_MASK}`)
  return flags & T ? decodeControl(bytes, flags) : decodeData(bytes, flags)
}

/** A control message; an empty body makes a ZLB. */
export function encodeControl(header: Omit<ControlPacket, 'kind' | 'body'>, body: Uint8Array): Uint8Array {
  return new ByteWriter(CONTROL_HEADER + body.length)
    .u16(T | L | S | VERSION)
    .u16(CONTROL_HEADER + body.length)
    .u16(header.tunnel)
    .u16(header.session)
    .u16(header.ns)
    .u16(header.nr)
    .bytes(body)
    .finish()
}

/** A data message with a PPP frame; with `ns` its S bit is set, and Nr is 0. */
export function encodeData(
  header: { readonly tunnel: number; readonly session: number; readonly ns?: number | undefined },
  frame: Uint8Array,
): Uint8Array {
  const writer = new ByteWriter(10 + frame.length)
  writer.u16(header.ns === undefined ? VERSION : S | VERSION)
  writer.u16(header.tunnel).u16(header.session)
  if (header.ns !== undefined) writer.u16(header.ns).u16(0)
  return writer.bytes(frame).finish()
}

function decodeControl(bytes: Uint8Array, flags: number): Result<ControlPacket, DecodeError> {
  // RFC 2661 section 3.1: L and S must be 1 in control messages, O must be 0. A set P bit harms nobody.
  if (!(flags & L) || !(flags & S) || flags & O) return fail('flags', 0, 'control message without L and S')
  const length = u16(bytes, 2)
  if (length < CONTROL_HEADER || length > bytes.length) return fail('length', 2, `length ${length}`)
  return ok({
    kind: 'control',
    tunnel: u16(bytes, 4),
    session: u16(bytes, 6),
    ns: u16(bytes, 8),
    nr: u16(bytes, 10),
    body: bytes.subarray(CONTROL_HEADER, length),
  })
}

function decodeData(bytes: Uint8Array, flags: number): Result<DataPacket, DecodeError> {
  const ids = flags & L ? 4 : 2
  const sequence = ids + 4
  const offsetSize = flags & S ? sequence + 4 : sequence
  const offsetPad = flags & O ? offsetSize + 2 : offsetSize
  const end = flags & L ? u16(bytes, 2) : bytes.length
  if (end > bytes.length) return fail('length', 2, `length ${end} of ${bytes.length}`)
  if (offsetPad > end) return fail('short', end, 'the header is cut off')
  // The payload begins that many octets past the Offset Size field.
  const start = flags & O ? offsetPad + u16(bytes, offsetSize) : offsetPad
  if (start > end) return fail('offset', offsetSize, 'the offset points beyond the end')
  return ok({
    kind: 'data',
    tunnel: u16(bytes, ids),
    session: u16(bytes, ids + 2),
    ns: flags & S ? u16(bytes, sequence) : undefined,
    priority: (u8(bytes, 0) & (P >> 8)) !== 0,
    frame: bytes.subarray(start, end),
  })
}

function fail(code: string, offset: number, message: string): Result<never, DecodeError> {
  return err({ code, offset, message })
}
