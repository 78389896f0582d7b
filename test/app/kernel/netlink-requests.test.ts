import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetlinkRequests } from '../../../src/app/kernel/netlink-requests.ts'
import type {
  NetlinkArrival,
  NetlinkSocketOptions,
  NetlinkSockets,
  SystemError,
} from '../../../src/app/ports.ts'
import { concat } from '../../../src/core/bytes.ts'
import { host32, host32Bytes } from '../../../src/core/netlink/host-order.ts'
import { encodeLinkDump } from '../../../src/core/netlink/link.ts'
import { encodeMessage, NLM_F_DUMP_INTR, withSequence } from '../../../src/core/netlink/message.ts'
import { VirtualClock } from '../../virtual-clock.ts'

/** <linux/netlink.h> and <linux/rtnetlink.h> */
const [NLMSG_ERROR, NLMSG_DONE, RTM_NEWLINK, MULTI] = [2, 3, 16, 2]

/** A kernel that answers a dump with one message and its end; the first `torn` of them were torn by a change. */
class Kernel implements NetlinkSockets {
  dumps = 0
  readonly #torn: number

  constructor(torn: number) {
    this.#torn = torn
  }

  open({ onArrivals }: NetlinkSocketOptions) {
    const send = (request: Uint8Array) => {
      const flags = MULTI | (++this.dumps <= this.#torn ? NLM_F_DUMP_INTR : 0)
      const sequence = host32(request, 8)
      const answers = [
        withSequence(encodeMessage(RTM_NEWLINK, flags, Uint8Array.of(this.dumps, 0, 0, 0)), sequence),
        withSequence(encodeMessage(NLMSG_DONE, flags, new Uint8Array(4)), sequence),
      ]
      queueMicrotask(() => onArrivals(answers.map((bytes) => ({ bytes }))))
      return undefined
    }
    return { send, close: () => {} }
  }

  errnoName(errno: number): string {
    return `E${errno}`
  }
}

test('a dump that a change has torn is asked for again, until it is whole or was torn five times', async () => {
  for (const [torn, asked] of [
    [0, 1],
    [1, 2],
    [4, 5],
    [9, 5],
  ] as const) {
    const kernel = new Kernel(torn)
    const netlink = new NetlinkRequests(kernel, new VirtualClock()).open({ protocol: 'route' })
    const answers = await netlink.request(encodeLinkDump())
    netlink.close()
    assert.equal(kernel.dumps, asked)
    // Of the last one alone.
    assert.deepEqual(
      answers.map((bytes) => bytes[16]),
      [asked],
    )
  }
})

/** A kernel that says what the test makes it say. */
class Puppet implements NetlinkSockets {
  readonly sent: Uint8Array[] = []
  readonly #arrive: ((arrivals: readonly NetlinkArrival[]) => void)[] = []
  refusal: string | undefined

  open({ onArrivals }: NetlinkSocketOptions) {
    this.#arrive.push(onArrivals)
    const send = (message: Uint8Array) => {
      this.sent.push(message.slice())
      return this.refusal
    }
    return { send, close: () => {} }
  }

  errnoName(errno: number): string {
    return `E${errno}`
  }

  /** Lets something arrive at the socket that was opened as the one of this number. */
  arrive(socket: number, ...arrivals: readonly NetlinkArrival[]): void {
    this.#arrive[socket]?.(arrivals)
  }

  /** An NLMSG_ERROR that answers the `position`th request: 0 acknowledges it. */
  answer(position: number, errno = 0): NetlinkArrival {
    const sequence = host32(this.sent[position] ?? assert.fail('not sent'), 8)
    const body = new Uint8Array(20)
    body.set(host32Bytes(-errno >>> 0))
    return { bytes: withSequence(encodeMessage(NLMSG_ERROR, 0, body), sequence) }
  }
}

function puppet(clock = new VirtualClock()) {
  const kernel = new Puppet()
  const netlink = new NetlinkRequests(kernel, clock).open({ protocol: 'route' })
  return {
    kernel,
    netlink,
    clock,
    request: () => netlink.request(encodeMessage(RTM_NEWLINK, 1, new Uint8Array(16))),
  }
}

test('an answer tells that those of the requests before it were lost, and a refusal is told by its name', async () => {
  const { kernel, request } = puppet()
  const [first, second, third] = [request(), request(), request()]
  kernel.arrive(0, kernel.answer(1), kernel.answer(2, 19))
  await assert.rejects(first, { name: 'SystemError', code: 'ENOBUFS' })
  assert.deepEqual(await second, [])
  await assert.rejects(third, { code: 'E19', message: 'netlink: E19' })
})

test('a kernel that says nothing for ten seconds has lost the oldest request; each word gives it ten more', async () => {
  const { kernel, request, clock } = puppet()
  const outcomes: string[] = []
  const watched = [request(), request(), request()].map((each, position) =>
    each.then(
      () => outcomes.push(`${position} done`),
      ({ code }: SystemError) => outcomes.push(`${position} ${code}`),
    ),
  )
  const tell = async (span: number) => {
    clock.advance(span)
    await new Promise((resolve) => setImmediate(resolve))
    return outcomes.splice(0)
  }
  assert.deepEqual(await tell(9_999), [])
  kernel.arrive(0, kernel.answer(0))
  assert.deepEqual(await tell(9_999), ['0 done'])
  assert.deepEqual(await tell(1), ['1 ETIMEDOUT'])
  assert.deepEqual(await tell(10_000), ['2 ETIMEDOUT'])
  await Promise.all(watched)
  assert.equal(clock.armed, 0)
})

test('what cannot even be sent is refused, and holds nobody up', async () => {
  const { kernel, netlink, request, clock } = puppet()
  kernel.refusal = 'ENOBUFS'
  await assert.rejects(request(), { code: 'ENOBUFS' })
  kernel.refusal = undefined
  const asked = request()
  kernel.arrive(0, kernel.answer(1))
  assert.deepEqual(await asked, [])
  netlink.close()
  await assert.rejects(request(), { code: 'EBADF' })
  assert.equal(clock.armed, 0)
})

test('what was announced before an overrun is told before it, what comes after it later; nothing after the end', () => {
  const told: unknown[] = []
  const kernel = new Puppet()
  const netlink = new NetlinkRequests(kernel, new VirtualClock()).open({
    protocol: 'route',
    groups: [1],
    onMessages: (messages) => told.push(messages.map((message) => message[16])),
    onOverrun: () => told.push('overrun'),
  })
  const announced = (...numbers: number[]): NetlinkArrival => ({
    bytes: concat(...numbers.map((number) => encodeMessage(RTM_NEWLINK, 0, Uint8Array.of(number, 0, 0, 0)))),
  })
  kernel.arrive(0, announced(1, 2), announced(3), { error: 'ENOBUFS' }, announced(4))
  assert.deepEqual(told, [[1, 2, 3], 'overrun', [4]])
  netlink.close()
  kernel.arrive(0, announced(5), { error: 'ENOBUFS' })
  assert.equal(told.length, 3)
})
