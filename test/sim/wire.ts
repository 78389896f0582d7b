/** What is on the wire, in words: control messages by name, PPP packets by protocol. */
import { u8, u16 } from '../../src/core/bytes.ts'
import type { Address } from '../../src/core/endpoint.ts'
import { decodePacket } from '../../src/core/l2tp/header.ts'
import { MESSAGE_TYPES } from '../../src/core/l2tp/messages.ts'
import { decodeFrame, protocols } from '../../src/core/ppp/protocol.ts'
import type { Network } from './network.ts'

export interface Seen {
  readonly at: number
  readonly from: Address
  readonly to: Address
  /** `SCCRQ`, `ZLB`, or a PPP protocol with its code, such as `lcp 5`. */
  readonly what: string
  /** Id in the L2TP header. */
  readonly tunnel: number
}

const NAMES = new Map(Object.entries(MESSAGE_TYPES).map(([name, type]) => [type as number, name]))
const PROTOCOLS = new Map<number, string>(Object.entries(protocols).map(([name, number]) => [number, name]))

/** Records every datagram that is sent from now on, lost ones too. */
export class Wire {
  readonly seen: Seen[] = []

  constructor(network: Network) {
    network.onSend = (from, to, bytes) => {
      const packet = decodePacket(bytes)
      if (!packet.ok) return
      const { value } = packet
      const what = value.kind === 'control' ? nameOf(value.body) : pppName(value.frame)
      this.seen.push({ at: network.now, from, to, what, tunnel: value.tunnel })
    }
  }

  /** Everything of this name sent from `host` at or after `since`. */
  sent(what: string, host: string, since = 0): Seen[] {
    return this.seen.filter((seen) => seen.what === what && seen.from.host === host && seen.at >= since)
  }
}

/** RFC 2661 section 4.4.1: Message Type is the first AVP, its value behind six octets of header. */
function nameOf(body: Uint8Array): string {
  return body.length === 0 ? 'ZLB' : (NAMES.get(u16(body, 6)) ?? `message ${u16(body, 6)}`)
}

function pppName(bytes: Uint8Array): string {
  const frame = decodeFrame(bytes)
  if (!frame.ok) return 'malformed'
  const { protocol, information } = frame.value
  const name = PROTOCOLS.get(protocol) ?? protocol.toString(16)
  return protocol >= 0x8000 ? `${name} ${u8(information, 0)}` : name
}
