import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeLinkDump } from '../../src/core/netlink/link.ts'
import { encodeMessage, NLM_F_DUMP_INTR, withSequence } from '../../src/core/netlink/message.ts'
import type { Addon, Arrival } from '../../src/host/native.ts'
import { NativeNetlinks } from '../../src/host/netlinks.ts'

/** <linux/netlink.h> and <linux/rtnetlink.h> */
const [NLMSG_DONE, RTM_NEWLINK, MULTI] = [3, 16, 2]

/** A kernel that answers a dump with one message and its end; the first `torn` of them were torn by a change. */
function kernel(torn: number) {
  let arrive: (arrivals: readonly Arrival[]) => void = () => {}
  let dumps = 0
  const addon = {
    openNetlink: (_protocol: number, _groups: readonly number[], onArrivals: typeof arrive) => {
      arrive = onArrivals
      return {}
    },
    sendNetlink: (_handle: unknown, request: Uint8Array) => {
      const flags = MULTI | (++dumps <= torn ? NLM_F_DUMP_INTR : 0)
      const sequence = new DataView(request.buffer, request.byteOffset).getUint32(8, true)
      const answers = [
        withSequence(encodeMessage(RTM_NEWLINK, flags, Uint8Array.of(dumps, 0, 0, 0)), sequence),
        withSequence(encodeMessage(NLMSG_DONE, flags, new Uint8Array(4)), sequence),
      ]
      queueMicrotask(() => arrive(answers.map((bytes) => ({ bytes, host: new Uint8Array(4), number: 0 }))))
      return 0
    },
    close: () => {},
  }
  return { addon: addon as unknown as Addon, dumps: () => dumps }
}

test('a dump that a change has torn is asked for again, until it is whole or was torn five times', async () => {
  for (const [torn, asked] of [
    [0, 1],
    [1, 2],
    [4, 5],
    [9, 5],
  ] as const) {
    const { addon, dumps } = kernel(torn)
    const netlink = new NativeNetlinks(1000, addon).open({ protocol: 'route' })
    const answers = await netlink.request(encodeLinkDump())
    netlink.close()
    assert.equal(dumps(), asked)
    // Of the last one alone.
    assert.deepEqual(
      answers.map((bytes) => bytes[16]),
      [asked],
    )
  }
})
