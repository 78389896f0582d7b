/** What nftables announces about our table (linux/netfilter/nf_tables.h). */
import { u8 } from '../bytes.ts'
import { decodeAttributes, textOf } from './attribute.ts'
import { decodeMessage } from './message.ts'

const NFNL_SUBSYS_NFTABLES = 10
const NFT_MSG_NEWTABLE = (NFNL_SUBSYS_NFTABLES << 8) | 0
const NFT_MSG_DELTABLE = (NFNL_SUBSYS_NFTABLES << 8) | 2
const NFTA_TABLE_NAME = 1
const NFPROTO_INET = 1

/** `struct nfgenmsg` */
const HEADER = 4

/** What happened last to the table `inet lifeline`; undefined if none of the messages is about it. Never throws. */
export function lastTableEvent(messages: readonly Uint8Array[]): 'made' | 'removed' | undefined {
  return messages.reduce<'made' | 'removed' | undefined>((event, bytes) => {
    const message = decodeMessage(bytes)
    if (message === undefined || !isOurTable(message.body)) return event
    if (message.type === NFT_MSG_NEWTABLE) return 'made'
    return message.type === NFT_MSG_DELTABLE ? 'removed' : event
  }, undefined)
}

function isOurTable(body: Uint8Array): boolean {
  if (u8(body, 0) !== NFPROTO_INET || body.length < HEADER) return false
  return textOf(decodeAttributes(body.subarray(HEADER)).get(NFTA_TABLE_NAME)) === 'lifeline'
}
