import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat, fromHex, toHex } from '../../../src/core/bytes.ts'
import { attributeText, attributeU32, decodeAttributeList } from '../../../src/core/netlink/attribute.ts'
import {
  decodeAcknowledgement,
  decodeMessage,
  encodeMessage,
  splitMessages,
  withSequence,
} from '../../../src/core/netlink/message.ts'
import { TableWatch } from '../../../src/core/netlink/nftables.ts'
import { recorded } from './recorded.ts'

describe('netlink messages', () => {
  it('frames and numbers a message in little endian', () => {
    const message = withSequence(encodeMessage(0x12, 0x301, fromHex('0a0b')), 0x01020304)
    assert.equal(toHex(message), '12000000 1200 0103 04030201 00000000 0a0b'.replaceAll(' ', ''))
  })

  it('splits a datagram at aligned offsets and leaves out what is cut short', () => {
    const odd = concat(encodeMessage(1, 0, fromHex('0a0b')), fromHex('0000'))
    const next = encodeMessage(2, 0)
    const types = splitMessages(concat(odd, next, next.subarray(0, 15))).map(
      (message) => decodeMessage(message)?.type,
    )
    assert.deepEqual(types, [1, 2])
  })

  it('reads errno and words of a refusal', () => {
    const [refusal] = recorded('error')
    const message = decodeMessage(refusal?.message ?? new Uint8Array())
    assert.deepEqual(message && decodeAcknowledgement(message), {
      errno: 101,
      text: 'Nexthop has invalid gateway',
    })
  })

  it('reads an acknowledgement of success', () => {
    const message = decodeMessage(encodeMessage(2, 0x100, new Uint8Array(20)))
    assert.deepEqual(message && decodeAcknowledgement(message), { errno: 0, text: undefined })
  })

  it('takes no other message for an acknowledgement', () => {
    const message = decodeMessage(encodeMessage(16, 0, new Uint8Array(20)))
    assert.equal(message && decodeAcknowledgement(message), undefined)
  })
})

describe('TableWatch', () => {
  const about = (family: number, table: string, kind: number) =>
    encodeMessage(
      (10 << 8) | kind,
      0,
      concat(Uint8Array.of(family, 0, 0, 0), attributeText(1, table), attributeText(2, 'input')),
    )
  // NFT_MSG_NEWTABLE, NFT_MSG_DELTABLE, NFT_MSG_DELRULE and NFT_MSG_NEWGEN of linux/netfilter/nf_tables.h
  const ours = (kind: number) => about(1, 'lifeline', kind)
  const generation = encodeMessage(
    (10 << 8) | 15,
    0,
    fromHex('0000007b 08000100 0000007b'.replaceAll(' ', '')),
  )

  it('counts each transaction that touches our table once, over all batches', () => {
    const watch = new TableWatch()
    assert.equal(watch.transactions([ours(2), ours(0), ours(0), generation]), 1)
    assert.equal(watch.transactions([ours(8)]), 0)
    assert.equal(watch.transactions([generation, ours(2), generation]), 2)
    assert.equal(watch.transactions([generation]), 0)
  })

  it('counts none about tables of others, of the same name too', () => {
    const watch = new TableWatch()
    const others = [about(2, 'lifeline', 0), about(1, 'lifeline2', 2), about(1, 'fw4', 8)]
    assert.equal(watch.transactions([...others, generation]), 0)
  })
})

describe('netlink attributes', () => {
  it('pads to 4 octets and counts only the value', () => {
    const bytes = concat(attributeText(3, 'lo'), attributeU32(4, 1500))
    assert.equal(toHex(bytes), '0700 0300 6c6f0000 0800 0400 dc050000'.replaceAll(' ', ''))
  })

  it('strips the flags of nested attributes and ends at an impossible length', () => {
    const list = decodeAttributeList(fromHex('0800 1280 01020304  0300 0100 0000'))
    assert.deepEqual(
      list.map(({ type, value }) => [type, toHex(value)]),
      [[18, '01020304']],
    )
  })
})
