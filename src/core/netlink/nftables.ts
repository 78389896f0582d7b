/** What nftables announces about our table (linux/netfilter/nf_tables.h). */
import { u8 } from '../bytes.ts'
import { decodeAttributes, textOf } from './attribute.ts'
import { decodeMessage } from './message.ts'

const NFNL_SUBSYS_NFTABLES = 10
const NFT_MSG_NEWGEN = (NFNL_SUBSYS_NFTABLES << 8) | 15
const NFPROTO_INET = 1

/** NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE and so on: all kinds name their table first. */
const TABLE_NAME = 1

/** `struct nfgenmsg` */
const HEADER = 4

/** Counts the transactions that touch the table `inet lifeline`, whoever makes them, in the order they are announced. */
export class TableWatch {
  /** The transaction that is being announced touches our table. */
  #touched = false

  /** How many such transactions end with these messages. Never throws. */
  transactions(messages: readonly Uint8Array[]): number {
    let count = 0
    for (const bytes of messages) {
      const message = decodeMessage(bytes)
      if (message === undefined || message.type >> 8 !== NFNL_SUBSYS_NFTABLES) continue
      // A new generation ends each transaction.
      if (message.type !== NFT_MSG_NEWGEN) this.#touched ||= isOurTable(message.body)
      else {
        if (this.#touched) count++
        this.#touched = false
      }
    }
    return count
  }
}

function isOurTable(body: Uint8Array): boolean {
  if (u8(body, 0) !== NFPROTO_INET || body.length < HEADER) return false
  return textOf(decodeAttributes(body.subarray(HEADER)).get(TABLE_NAME)) === 'lifeline'
}
