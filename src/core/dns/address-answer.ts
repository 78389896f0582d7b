/** DNS questions for addresses and what the answers say (RFC 1035, RFC 5452, RFC 6891). */

import { formatIp } from '../ip/address.ts'
import { type Millis, seconds } from '../time.ts'
import { type DnsResponse, decodeResponse, encodeQuery, RCODE, TYPE } from './message.ts'
import { decodeName } from './name.ts'

/** The types of record with addresses (RFC 1035 section 3.4.1, RFC 3596 section 2.1). */
export type AddressType = 'AAAA' | 'A'

/** A question for the addresses of a name. */
export interface AddressQuestion {
  /** As `toDnsName` gives it. */
  readonly name: string
  readonly type: AddressType
  /** 0..65535 */
  readonly id: number
}

/** What a resolver's answer means; `ttl` in ms. */
export type AddressAnswer =
  | { readonly kind: 'found'; readonly addresses: readonly string[]; readonly ttl: Millis }
  /** The name exists without addresses of this type. */
  | { readonly kind: 'noData' }
  | { readonly kind: 'noSuchName' }
  /** The resolver does not take EDNS, or takes us for malformed. */
  | { readonly kind: 'formatError' }
  /** The resolver will not or cannot say. */
  | { readonly kind: 'failed' }

/** What fits into a packet on every path without fragments (the advice of DNS Flag Day 2020). Octets. */
const EDNS_PAYLOAD = 1232
/** RFC 2181 section 8: beyond this a TTL counts as 0. Seconds. */
const MAX_TTL = 2 ** 31 - 1
/** More than any sane zone chains. */
const MAX_ALIASES = 8

/** A query for the addresses of one type. */
export function encodeQuestion({ id, name, type }: AddressQuestion, options: { edns: boolean }): Uint8Array {
  return encodeQuery(id, { name, type: recordType(type) }, options.edns ? EDNS_PAYLOAD : undefined)
}

/** What a datagram says to the question; undefined if it is malformed or an answer to another question (RFC 5452 section 9.1). */
export function readAnswer(bytes: Uint8Array, question: AddressQuestion): AddressAnswer | undefined {
  const response = decodeResponse(bytes)
  if (response === undefined || response.id !== question.id) return undefined
  const { rcode, question: asked } = response
  if (asked === undefined) {
    // Some servers answer what they cannot read without the question.
    return rcode === RCODE.formErr || rcode === RCODE.notImp ? { kind: 'formatError' } : undefined
  }
  if (asked.type !== recordType(question.type) || asked.name !== question.name) return undefined
  switch (rcode) {
    case RCODE.noError:
      return readRecords(bytes, response, question)
    case RCODE.nxDomain:
      return { kind: 'noSuchName' }
    case RCODE.formErr:
    case RCODE.notImp:
    case RCODE.badVers:
      return { kind: 'formatError' }
    default:
      return { kind: 'failed' }
  }
}

function recordType(type: AddressType): number {
  return type === 'A' ? TYPE.a : TYPE.aaaa
}

/** Follows the aliases inside the answer to the addresses at their end. */
function readRecords(
  bytes: Uint8Array,
  { answers, authoritative, truncated, recursionAvailable }: DnsResponse,
  question: AddressQuestion,
): AddressAnswer {
  const wanted = recordType(question.type)
  let owner = question.name
  let ttl = Number.POSITIVE_INFINITY
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
    const addresses: string[] = []
    let alias: string | undefined
    for (const record of answers) {
      if (record.name !== owner) continue
      if (record.type === wanted) addresses.push(formatIp(bytes.subarray(record.start, record.end)))
      else if (record.type === TYPE.cname) alias = decodeName(bytes, record.start)?.name
      else continue
      ttl = Math.min(ttl, record.ttl > MAX_TTL ? 0 : record.ttl)
    }
    // A truncated answer may lack some addresses; those it has are good.
    if (addresses.length > 0) return { kind: 'found', addresses, ttl: seconds(ttl) }
    if (alias === undefined) break
    owner = alias
  }
  if (truncated) return { kind: 'failed' }
  // A server that neither recurses nor owns the zone only points elsewhere.
  if (answers.length === 0 && !recursionAvailable && !authoritative) return { kind: 'failed' }
  return { kind: 'noData' }
}
