/** Whether an ICMP message is about a request of ours. RFC 792, RFC 4443: it quotes what it is about. */
import { u16 } from '../bytes.ts'
import { CONTROL_HEADER } from '../l2tp/header.ts'

/** RFC 2661 section 4.4.3. */
const ASSIGNED_TUNNEL_ID = 9
const AVP_HEADER = 6
const LENGTH_MASK = 0x3ff

/**
 * Whether `quote`, the beginning of a UDP payload in an ICMP message, is that of this SCCRQ: octet for octet, as far as the
 * tunnel id that we chose at random, which nobody can guess. A quote that ends before it proves nothing.
 */
export function quotesRequest(sccrq: Uint8Array, quote: Uint8Array): boolean {
  const needed = endOfTunnelId(sccrq)
  if (needed === undefined || quote.length < needed || quote.length > sccrq.length) return false
  return quote.every((octet, i) => octet === sccrq[i])
}

function endOfTunnelId(sccrq: Uint8Array): number | undefined {
  for (let at = CONTROL_HEADER; at + AVP_HEADER <= sccrq.length; ) {
    const length = u16(sccrq, at) & LENGTH_MASK
    if (length < AVP_HEADER) return undefined
    if (u16(sccrq, at + 4) === ASSIGNED_TUNNEL_ID) return at + length
    at += length
  }
  return undefined
}
