/** Attribute-value pairs on the wire, and the set of those of one message. RFC 2661 section 4.1. */
import { ByteWriter, u8, u16, u32 } from '../bytes.ts'
import { type DecodeError, err, ok, type Result } from '../result.ts'
import { type AttributeType, attributeRule, MAX_VALUE } from './attributes.ts'

/** One attribute-value pair as it stands in a message. */
export interface Avp {
  readonly mandatory: boolean
  readonly hidden: boolean
  /** One of the four reserved bits is set: to be treated as unrecognized. */
  readonly reserved: boolean
  /** SMI enterprise code; 0 for the IETF. */
  readonly vendor: number
  readonly type: number
  /** As on the wire (still hidden if `hidden`). A view of the message. */
  readonly value: Uint8Array
}

const HEADER = 6
const M = 0x8000
const H = 0x4000
const RESERVED = 0x3c00
const LENGTH = 0x03ff

/** Splits the body of a control message. An AVP that does not fit is an error: what follows it cannot be found. */
export function decodeAvps(body: Uint8Array): Result<readonly Avp[], DecodeError> {
  const avps: Avp[] = []
  for (let offset = 0; offset < body.length; ) {
    if (offset + HEADER > body.length) return fail('short', offset, 'an AVP header is cut off')
    const bits = u16(body, offset)
    const length = bits & LENGTH
    if (length < HEADER) return fail('length', offset, `AVP length ${length} is below 6`)
    if (offset + length > body.length)
      return fail('length', offset, `AVP length ${length} exceeds the message`)
    avps.push({
      mandatory: (bits & M) !== 0,
      hidden: (bits & H) !== 0,
      reserved: (bits & RESERVED) !== 0,
      vendor: u16(body, offset + 2),
      type: u16(body, offset + 4),
      value: body.subarray(offset + HEADER, offset + length),
    })
    offset += length
  }
  return ok(avps)
}

/** Writes one AVP. `value` longer than 1017 octets is cut: the Length field has 10 bits. */
export function encodeAvp(
  writer: ByteWriter,
  avp: Pick<Avp, 'mandatory' | 'hidden' | 'type' | 'value'>,
): void {
  const value = avp.value.subarray(0, MAX_VALUE)
  writer.u16((avp.mandatory ? M : 0) | (avp.hidden ? H : 0) | (HEADER + value.length))
  writer.u16(0).u16(avp.type).bytes(value)
}

/** Builds the body of a message from attributes of RFC 2661, each with the M bit that it prescribes. */
export class AvpWriter {
  readonly #writer = new ByteWriter()

  u16(type: AttributeType, value: number): this {
    return this.bytes(type, new ByteWriter(2).u16(value).finish())
  }

  u32(type: AttributeType, value: number): this {
    return this.bytes(type, new ByteWriter(4).u32(value).finish())
  }

  bytes(type: AttributeType, value: Uint8Array): this {
    encodeAvp(this.#writer, {
      mandatory: attributeRule(type)?.mandatory ?? false,
      hidden: false,
      type,
      value,
    })
    return this
  }

  finish(): Uint8Array {
    return this.#writer.finish()
  }
}

/** The validated values of one message, in the clear. Where an attribute is repeated the first one counts. */
export class AvpSet {
  readonly #values = new Map<number, Uint8Array>()

  add(type: number, value: Uint8Array): void {
    if (!this.#values.has(type)) this.#values.set(type, value)
  }

  has(type: AttributeType): boolean {
    return this.#values.has(type)
  }

  bytes(type: AttributeType): Uint8Array | undefined {
    return this.#values.get(type)
  }

  u8(type: AttributeType, offset: number): number {
    return u8(this.#values.get(type) ?? new Uint8Array(), offset)
  }

  u16(type: AttributeType): number | undefined {
    const value = this.#values.get(type)
    return value && u16(value, 0)
  }

  u32(type: AttributeType): number | undefined {
    const value = this.#values.get(type)
    return value && u32(value, 0)
  }
}

function fail(code: string, offset: number, message: string): Result<never, DecodeError> {
  return err({ code, offset, message })
}
