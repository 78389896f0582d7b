/** DNS messages (RFC 1035 section 4): questions as they are sent, and what is in a response. */
import { ByteWriter, u16, u32 } from '../bytes.ts'
import { decodeName, encodeName } from './name.ts'

/** Types of records (RFC 1035 section 3.2.2, RFC 3596 section 2.1, RFC 6891 section 6.1.1). */
export const TYPE = { a: 1, cname: 5, aaaa: 28, opt: 41 } as const

/** RFC 1035 section 4.1.1, RFC 6891 section 9. */
export const RCODE = { noError: 0, formErr: 1, nxDomain: 3, notImp: 4, badVers: 16 } as const

/** RFC 1035 section 3.2.4 */
const CLASS_IN = 1

/** Bits of the second word of the header. */
const QR = 0x8000
const AA = 0x0400
const TC = 0x0200
const RD = 0x0100
const RA = 0x0080

/** Sections of records, in their order. */
const ANSWER = 0
const ADDITIONAL = 2

const HEADER_LENGTH = 12
/** Type, class, TTL and length of a record, behind its name. */
const RECORD_LENGTH = 10

/** A question of class IN (RFC 1035 section 4.1.2); `type` is the number of the record's type. */
export interface DnsQuestion {
  /** In lower case without the final dot. */
  readonly name: string
  readonly type: number
}

/** A record of class IN. */
export interface DnsRecord {
  /** In lower case without the final dot. */
  readonly name: string
  readonly type: number
  /** Seconds, 32 bits as they are sent. */
  readonly ttl: number
  /** Where its data lies in the message, in octets. */
  readonly start: number
  readonly end: number
}

/** What is read of a response (RFC 1035 section 4.1). */
export interface DnsResponse {
  /** 0..65535 */
  readonly id: number
  /** With the upper bits of EDNS, if any (RFC 6891 section 6.1.3). */
  readonly rcode: number
  readonly authoritative: boolean
  readonly truncated: boolean
  readonly recursionAvailable: boolean
  /** The first one of class IN; undefined if there is none. */
  readonly question: DnsQuestion | undefined
  readonly answers: readonly DnsRecord[]
}

/** A query for one name with recursion desired; `payload` are the octets that EDNS offers to take, none without it. */
export function encodeQuery(id: number, { name, type }: DnsQuestion, payload?: number): Uint8Array {
  const writer = new ByteWriter().u16(id).u16(RD).u16(1).u16(0).u16(0)
  writer.u16(payload === undefined ? 0 : 1)
  writer.bytes(encodeName(name)).u16(type).u16(CLASS_IN)
  // RFC 6891 section 6.1.2: the root, the payload in place of the class, no flags in place of the TTL, no options.
  if (payload !== undefined) writer.u8(0).u16(TYPE.opt).u16(payload).u32(0).u16(0)
  return writer.finish()
}

/** A whole response; undefined if it is malformed anywhere, or no response. Never throws. */
export function decodeResponse(message: Uint8Array): DnsResponse | undefined {
  const flags = u16(message, 2)
  if (message.length < HEADER_LENGTH || (flags & QR) === 0) return undefined
  let offset = HEADER_LENGTH
  let question: DnsQuestion | undefined
  for (let left = u16(message, 4); left > 0; left--) {
    const asked = decodeName(message, offset)
    if (asked === undefined || asked.end + 4 > message.length) return undefined
    if (u16(message, asked.end + 2) === CLASS_IN)
      question ??= { name: asked.name, type: u16(message, asked.end) }
    offset = asked.end + 4
  }
  const answers: DnsRecord[] = []
  let extended = 0
  for (const [section, count] of [u16(message, 6), u16(message, 8), u16(message, 10)].entries()) {
    for (let left = count; left > 0; left--) {
      const record = decodeRecord(message, offset)
      if (record === undefined) return undefined
      offset = record.end
      if (section === ANSWER && record.class === CLASS_IN) answers.push(record)
      if (section === ADDITIONAL && record.type === TYPE.opt) extended = record.ttl >>> 24
    }
  }
  return {
    id: u16(message, 0),
    rcode: (extended << 4) | (flags & 0xf),
    authoritative: (flags & AA) !== 0,
    truncated: (flags & TC) !== 0,
    recursionAvailable: (flags & RA) !== 0,
    question,
    answers,
  }
}

function decodeRecord(message: Uint8Array, offset: number): (DnsRecord & { class: number }) | undefined {
  const owner = decodeName(message, offset)
  if (owner === undefined || owner.end + RECORD_LENGTH > message.length) return undefined
  const at = owner.end
  const type = u16(message, at)
  const start = at + RECORD_LENGTH
  const end = start + u16(message, at + 8)
  if (end > message.length || !fits(message, type, start, end)) return undefined
  return { name: owner.name, type, class: u16(message, at + 2), ttl: u32(message, at + 4), start, end }
}

/** Whether data of the types that are read here is as long as it must be. */
function fits(message: Uint8Array, type: number, start: number, end: number): boolean {
  switch (type) {
    case TYPE.a:
      return end - start === 4
    case TYPE.aaaa:
      return end - start === 16
    case TYPE.cname:
      return decodeName(message, start)?.end === end
    default:
      return true
  }
}
