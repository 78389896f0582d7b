import { u8, u16 } from '../bytes.ts'
import { type ControlPacket, decodePacket } from '../l2tp/header.ts'
import { MESSAGE_TYPES } from '../l2tp/messages.ts'
import { codes } from '../ppp/packet.ts'
import { decodeFrame, protocols } from '../ppp/protocol.ts'

const MESSAGES = new Map<number, string>(Object.entries(MESSAGE_TYPES).map(([name, type]) => [type, name]))
const PROTOCOLS = new Map<number, string>(Object.entries(protocols).map(([name, number]) => [number, name]))
/** RFC 1661 section 5, for all control protocols that share its codes. */
const CODES = new Map<number, string>(Object.entries(codes).map(([name, code]) => [code, name]))
/** Those whose codes are not RFC 1661's. */
const OWN_CODES = new Set<number>([protocols.pap, protocols.chap, protocols.eap])

/**
 * One datagram for the debug log, such as `SCCRQ ns 0 nr 0` or `lcp configureRequest id 1`: names, codes and numbers,
 * never contents, so that no credential can be among them.
 */
export function packetWords(bytes: Uint8Array): string {
  const packet = decodePacket(bytes)
  if (!packet.ok) return `malformed (${packet.error.code})`
  return packet.value.kind === 'control' ? controlWords(packet.value) : pppWords(packet.value.frame)
}

function controlWords({ ns, nr, body }: ControlPacket): string {
  return `${messageName(body)} ns ${ns} nr ${nr}`
}

/** RFC 2661 section 4.4.1: Message Type is the first AVP, its value behind six octets of header. */
export function messageName(body: Uint8Array): string {
  return body.length === 0 ? 'ZLB' : (MESSAGES.get(u16(body, 6)) ?? `message ${u16(body, 6)}`)
}

function pppWords(bytes: Uint8Array): string {
  const frame = decodeFrame(bytes)
  if (!frame.ok) return `malformed frame (${frame.error.code})`
  const { protocol, information } = frame.value
  const name = PROTOCOLS.get(protocol) ?? `protocol ${protocol.toString(16).padStart(4, '0')}`
  if (protocol < 0x8000) return `${name} of ${information.length} octets`
  const code = u8(information, 0)
  const word = OWN_CODES.has(protocol) ? undefined : CODES.get(code)
  return `${name} ${word ?? `code ${code}`} id ${u8(information, 1)}`
}
