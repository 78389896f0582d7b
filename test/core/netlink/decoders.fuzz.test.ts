/** Decoders of netlink never throw: random octets, and recorded messages with some octets changed or cut off. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ipFamily } from '../../../src/core/ip/address.ts'
import { decodeAddress } from '../../../src/core/netlink/address.ts'
import { decodeConnection, encodeConnectionRemoval } from '../../../src/core/netlink/conntrack.ts'
import { decodeLink, isAboutLink } from '../../../src/core/netlink/link.ts'
import { decodeAcknowledgement, decodeMessage, splitMessages } from '../../../src/core/netlink/message.ts'
import { TableWatch } from '../../../src/core/netlink/nftables.ts'
import { decodeRoute } from '../../../src/core/netlink/route.ts'
import { decodeRule } from '../../../src/core/netlink/rule.ts'
import { NO_FACTS, reduceFacts } from '../../../src/core/system/facts.ts'
import { recorded } from './recorded.ts'

const numRuns = Number(process.env.LIFELINE_FUZZ_RUNS ?? 20_000)

const connections = recorded('conntrack').map(({ message }) => message)
const valid = ['dump', 'announcements', 'error'].flatMap((name) =>
  recorded(name).map(({ message }) => message),
)

/** One of `messages` with some octets changed, the length of its header kept right. */
function mutated(messages: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(
      fc.constantFrom(...messages),
      fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 8 }),
      fc.nat(40),
    )
    .map(([message, changes, cut]) => {
      const bytes = message.slice(0, Math.max(16, message.length - cut))
      for (const [place, value] of changes) bytes[16 + (place % Math.max(1, bytes.length - 16))] = value
      bytes[0] = bytes.length
      bytes[1] = bytes.length >> 8
      return bytes.slice()
    })
}

test('never throw, whatever comes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      splitMessages(bytes)
      decodeLink(bytes)
      isAboutLink(bytes)
      decodeAddress(bytes)
      decodeRoute(bytes)
      decodeRule(bytes)
      decodeConnection(bytes)
      new TableWatch().transactions([bytes])
    }),
    { numRuns },
  )
})

test('never throw on mutated messages', () => {
  fc.assert(
    fc.property(mutated([...valid, ...connections]), (bytes) => {
      const message = decodeMessage(bytes)
      assert.notEqual(message, undefined)
      if (message) decodeAcknowledgement(message)
      reduceFacts(NO_FACTS, [bytes])
      decodeConnection(bytes)
      new TableWatch().transactions([bytes])
    }),
    { numRuns },
  )
})

test('what is read in mutated connections is addresses and ports, and can be forgotten', () => {
  for (const message of connections) assert.notEqual(decodeConnection(message), undefined)
  let found = 0
  fc.assert(
    fc.property(mutated(connections), (bytes) => {
      const connection = decodeConnection(bytes)
      if (connection === undefined) return
      found++
      for (const { source, destination, sourcePort = 0, destinationPort = 0 } of [
        connection.original,
        connection.reply,
      ]) {
        assert.deepEqual([source, destination].map(ipFamily), [connection.family, connection.family])
        assert.ok(Math.max(sourcePort, destinationPort) <= 0xffff)
      }
      assert.notEqual(decodeMessage(encodeConnectionRemoval(connection)), undefined)
    }),
    { numRuns },
  )
  assert.ok(found > numRuns / 10, `only ${found} of ${numRuns} are connections still`)
})
