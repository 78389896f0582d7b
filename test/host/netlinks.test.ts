import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeLinkDump } from '../../src/core/netlink/link.ts'
import { encodeMessage, NLM_F_DUMP_INTR, withSequence } from '../../src/core/netlink/message.ts'
import { NativeNetlinks } from '../../src/host/netlinks.ts'
import { FakeAddon } from './fake-addon.ts'

/** <linux/netlink.h> and <linux/rtnetlink.h> */
const [NLMSG_DONE, RTM_NEWLINK, MULTI] = [3, 16, 2]

/** A kernel that answers a dump with one message and its end; the first `torn` of them were torn by a change. */
class Kernel extends FakeAddon {
  dumps = 0
  readonly #torn: number

  constructor(torn: number) {
    super()
    this.#torn = torn
  }

  override sendNetlink(_socket: unknown, request: Uint8Array): number {
    const flags = MULTI | (++this.dumps <= this.#torn ? NLM_F_DUMP_INTR : 0)
    const sequence = new DataView(request.buffer, request.byteOffset).getUint32(8, true)
    const answers = [
      withSequence(encodeMessage(RTM_NEWLINK, flags, Uint8Array.of(this.dumps, 0, 0, 0)), sequence),
      withSequence(encodeMessage(NLMSG_DONE, flags, new Uint8Array(4)), sequence),
    ]
    queueMicrotask(() =>
      this.arrive(0, ...answers.map((bytes) => ({ bytes, host: new Uint8Array(4), number: 0 }))),
    )
    return 0
  }
}

test('a dump that a change has torn is asked for again, until it is whole or was torn five times', async () => {
  for (const [torn, asked] of [
    [0, 1],
    [1, 2],
    [4, 5],
    [9, 5],
  ] as const) {
    const addon = new Kernel(torn)
    const netlink = new NativeNetlinks(addon, 1000).open({ protocol: 'route' })
    const answers = await netlink.request(encodeLinkDump())
    netlink.close()
    assert.equal(addon.dumps, asked)
    // Of the last one alone.
    assert.deepEqual(
      answers.map((bytes) => bytes[16]),
      [asked],
    )
  }
})
