/** Configuration options (RFC 1661 section 6): type, length, data. */
import { ByteWriter, equalBytes, u8 } from '../bytes.ts'
import { type DecodeError, err, ok, type Result } from '../result.ts'

/** A configuration option as it stands on the wire (RFC 1661 section 6). */
export interface PppOption {
  /** 0..255; its meaning depends on the protocol. */
  readonly type: number
  /** At most 253 octets. */
  readonly data: Uint8Array
}

/** The options one after the other, each with its type and length (RFC 1661 section 6). */
export function encodeOptions(options: readonly PppOption[]): Uint8Array {
  const writer = new ByteWriter()
  for (const { type, data } of options)
    writer
      .u8(type)
      .u8(data.length + 2)
      .bytes(data)
  return writer.finish()
}

/** Keeps the order; repeated types are kept too. Errors: `short`, `length`. */
export function decodeOptions(bytes: Uint8Array): Result<PppOption[], DecodeError> {
  const options: PppOption[] = []
  let offset = 0
  while (offset < bytes.length) {
    if (bytes.length - offset < 2) return err({ code: 'short', offset, message: 'half an option header' })
    const length = u8(bytes, offset + 1)
    if (length < 2 || offset + length > bytes.length) {
      return err({ code: 'length', offset: offset + 1, message: `option length ${length}` })
    }
    options.push({ type: u8(bytes, offset), data: bytes.slice(offset + 2, offset + length) })
    offset += length
  }
  return ok(options)
}

/** The same type and the same octets. */
export function equalOptions(a: PppOption, b: PppOption): boolean {
  return a.type === b.type && equalBytes(a.data, b.data)
}

/** An option with a 16-bit value. */
export function option16(type: number, value: number): PppOption {
  return { type, data: new ByteWriter(2).u16(value).finish() }
}

/** An option with a 32-bit value. */
export function option32(type: number, value: number): PppOption {
  return { type, data: new ByteWriter(4).u32(value).finish() }
}
