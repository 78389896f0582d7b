/** DNS questions for addresses and what the answers say (RFC 1035), by way of the dns-packet codec. */
import { domainToASCII } from 'node:url'
import * as dnsPacket from 'dns-packet'
import { canonicalIp } from '../core/ip/address.ts'
import { type Millis, seconds } from '../core/time.ts'

export type AddressType = 'AAAA' | 'A'

export interface AddressQuestion {
  /** As `toDnsName` gives it. */
  readonly name: string
  readonly type: AddressType
  /** 0..65535 */
  readonly id: number
}

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
/** RFC 1035 section 4.1.1, RFC 6891 section 6.1.3 */
const RCODE = { noError: 0, formErr: 1, nxDomain: 3, notImp: 4, badVers: 16 }
/** More than any sane zone chains. */
const MAX_ALIASES = 8

/** The name as it is asked for: lower-case ASCII without the final dot; undefined for what can be no name. */
export function toDnsName(text: string): string | undefined {
  const name = domainToASCII(text.replace(/\.$/, ''))
  // RFC 1035 section 2.3.4; 253 characters are 255 octets on the wire.
  if (name === '' || name.length > 253) return undefined
  return name.split('.').every((label) => /^[!-~]{1,63}$/.test(label)) ? name : undefined
}

export function encodeQuestion(question: AddressQuestion, options: { edns: boolean }): Uint8Array {
  const { id, name, type } = question
  return dnsPacket.encode({
    type: 'query',
    id,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ type, name, class: 'IN' }],
    additionals: options.edns ? [ednsRecord()] : [],
  })
}

/** What a datagram says to the question; undefined if it is malformed or an answer to another question (RFC 5452 section 9.1). */
export function readAnswer(bytes: Uint8Array, question: AddressQuestion): AddressAnswer | undefined {
  const packet = decode(bytes)
  if (packet === undefined || packet.type !== 'response' || packet.id !== question.id) return undefined
  const rcode = responseCode(packet)
  const asked = packet.questions?.[0]
  if (asked === undefined) {
    // Some servers answer what they cannot read without the question.
    return rcode === RCODE.formErr || rcode === RCODE.notImp ? { kind: 'formatError' } : undefined
  }
  if (asked.type !== question.type || asked.name.toLowerCase() !== question.name) return undefined
  switch (rcode) {
    case RCODE.noError:
      return readRecords(packet, question)
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

function decode(bytes: Uint8Array): dnsPacket.DecodedPacket | undefined {
  try {
    return dnsPacket.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch {
    // The codec throws on whatever is malformed.
    return undefined
  }
}

function responseCode(packet: dnsPacket.DecodedPacket): number {
  let upper = 0
  for (const record of packet.additionals ?? []) if (record.type === 'OPT') upper = record.extendedRcode
  return (upper << 4) | ((packet.flags ?? 0) & 0xf)
}

/** Follows the aliases inside the answer to the addresses at their end. */
function readRecords(packet: dnsPacket.DecodedPacket, question: AddressQuestion): AddressAnswer {
  const answers = packet.answers ?? []
  let owner = question.name
  let ttl = Number.POSITIVE_INFINITY
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
    const addresses: string[] = []
    let alias: string | undefined
    for (const record of answers) {
      if (record.name.toLowerCase() !== owner) continue
      if (record.type === question.type) {
        const address = canonicalIp(record.data)
        if (address !== undefined) addresses.push(address)
      } else if (record.type === 'CNAME') alias = record.data.toLowerCase()
      else continue
      ttl = Math.min(ttl, record.ttl ?? 0)
    }
    // A truncated answer may lack some addresses; those it has are good.
    if (addresses.length > 0) return { kind: 'found', addresses, ttl: seconds(ttl) }
    if (alias === undefined) break
    owner = alias
  }
  if (packet.flag_tc) return { kind: 'failed' }
  // A server that neither recurses nor owns the zone only points elsewhere.
  if (answers.length === 0 && !packet.flag_ra && !packet.flag_aa) return { kind: 'failed' }
  return { kind: 'noData' }
}

function ednsRecord(): dnsPacket.OptAnswer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: EDNS_PAYLOAD,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  }
}
