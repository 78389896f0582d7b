/** IP packets through a session, and what is learnt from the router inside. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex, u8, u16 } from '../../../src/core/bytes.ts'
import { decodePacket, encodeData } from '../../../src/core/l2tp/header.ts'
import { codes, decodePacket as decodePpp, encodePacket } from '../../../src/core/ppp/packet.ts'
import { decodeFrame, encodeFrame, protocols } from '../../../src/core/ppp/protocol.ts'
import { ipv6Packet } from '../../memory-tuns.ts'
import type { SimLnsOptions } from '../../sim/lns.ts'
import { upWithin, type World, world } from '../../sim/world.ts'

const PING = fromHex('4500001c00010000400166ddcb00710acb0071010800f7fe00010000')

/** How the data path carries: what the session does may not depend on it. */
const CARRIED = [
  ['packet by packet', {}],
  ['in batches', { batches: 5 }],
] as const

for (const [carried, batches] of CARRIED)
  test(`packets pass both ways, numbered where the LNS wants it: ${carried}`, async () => {
    for (const sequencing of [false, true]) {
      const arrived: string[] = []
      const here = world(1, {
        ...batches,
        lns: {
          change: (options) => ({ ...options, l2tp: { ...options.l2tp, sequencing } }),
          onEvent: (event) => event.type === 'ipReceived' && arrived.push(toHex(event.packet)),
        },
      })
      const { network, lns, router } = here
      await upWithin(here, 1_000)
      const got: string[] = []
      router.device.onPacket = (packet) => got.push(toHex(packet))
      const before = arrived.length
      for (let i = 0; i < 3; i++) router.device.inject(PING)
      lns.command({ type: 'send', protocol: 0x21, packet: PING })
      await network.run(network.now + 3_000)
      assert.deepEqual(
        arrived.slice(before).filter((packet) => packet.startsWith('4')),
        Array(3).fill(toHex(PING)),
      )
      assert.deepEqual(
        got.filter((packet) => packet.startsWith('4')),
        [toHex(PING)],
      )
      assert.equal(router.device.session?.sequencing, sequencing)
      assert.equal(router.shown.rx.packets > 0 && router.shown.tx.packets >= 3, true, 'counted')
      assert.equal(router.up, true)
    }
  })

test('status says how packets are carried, from the moment that they are', async () => {
  const here = world(1)
  const { network, router } = here
  assert.equal(
    await network.run(1_000, () => router.shown.local !== null && router.shown.datapath === null),
    true,
  )
  await upWithin(here, 1_000)
  assert.equal(router.shown.datapath, 'memory')
  const other = world(1, { batches: 5 })
  await upWithin(other, 1_000)
  assert.equal(other.router.shown.datapath, 'batches')
})

/** RFC 4861 section 4.2: lifetime 1800 s. */
const ADVERTISEMENT = '86000000400007080000000000000000'
/** One of /64 with A: 2001:db8:1::, valid and preferred for ever. */
const PREFIX = '030440c0ffffffffffffffff0000000020010db8000100000000000000000000'
/** A resolver, for ten minutes (RFC 8106 section 5.1). */
const RDNSS = '190300000000025820010db8000000000000000000000053'

/** The router inside advertises itself, and time passes until that has arrived. */
async function advertise({ network, lns }: World, advertisement: string): Promise<void> {
  const packet = ipv6Packet('fe80::1', 'ff02::1', fromHex(advertisement))
  lns.command({ type: 'send', protocol: 0x57, packet })
  await network.run(network.now + 100)
}

test('a router advertisement inside gives an address that status shows', async () => {
  const here = world(1)
  const { router } = here
  await upWithin(here, 1_000)
  await advertise(here, ADVERTISEMENT + PREFIX)
  const id = router.shown.ipv6.interface_id
  assert.ok(id)
  assert.deepEqual(router.shown.ipv6.addresses.length, 1)
  assert.ok(router.shown.ipv6.addresses[0]?.startsWith('2001:db8:1:'))
})

test('what the router advertises again is news to nobody, what it advertises otherwise is', async () => {
  const here = world(1)
  const { router } = here
  await upWithin(here, 1_000)
  const told = async (advertisement: string) => {
    const before = router.told
    await advertise(here, advertisement)
    return router.told - before
  }
  assert.equal(await told(ADVERTISEMENT), 1)
  assert.equal(await told(ADVERTISEMENT), 0)
  assert.equal(await told(ADVERTISEMENT + PREFIX), 1)
  assert.equal(await told(ADVERTISEMENT + PREFIX), 0)
  assert.equal(await told(ADVERTISEMENT + PREFIX + RDNSS), 0)
  assert.equal(router.shown.dns.at(-1), '2001:db8::53')
})

for (const [carried, batches] of CARRIED)
  test(`after a redial that address waits for the router to speak, and no longer than half a minute: ${carried}`, async () => {
    const here = world(1, batches)
    const { network, router } = here
    const isHeld = () => router.files.texts.get('sessions.json')?.includes('2001:db8:1:') ?? false
    const redial = async () => {
      router.supervisor.reconnect()
      await network.run(network.now + 100)
      await upWithin(here, 5_000)
      await network.run(network.now + 1_000)
    }
    await upWithin(here, 1_000)
    await advertise(here, ADVERTISEMENT + PREFIX)
    await redial()
    assert.ok(isHeld(), 'nothing is said against it')
    await advertise(here, ADVERTISEMENT + PREFIX)
    await network.run(network.now + 60_000)
    assert.ok(isHeld(), 'and it is confirmed')

    await redial()
    await advertise(here, ADVERTISEMENT)
    assert.equal(isHeld(), false, 'the router knows of no prefix now')

    await advertise(here, ADVERTISEMENT + PREFIX)
    await redial()
    assert.equal(await network.run(network.now + 23_000, () => !isHeld()), false)
    assert.equal(await network.run(network.now + 10_000, () => !isHeld()), true, 'the router is silent')
  })

for (const [carried, batches] of CARRIED)
  test(`data alone keeps a session: the peer answers no echo, its packets prove its life: ${carried}`, async () => {
    const here = world(1, {
      ...batches,
      lns: {
        change: (options) => ({
          ...options,
          ppp: { ...options.ppp, echoInterval: 0 as typeof options.ppp.echoInterval },
        }),
      },
    })
    const { network, lns, router } = here
    await upWithin(here, 1_000)
    const { send } = network
    // Everything of PPP's control protocols from the LNS is lost from now on; IP packets are not.
    network.send = (from, to, bytes) => {
      const isControlProtocol = ((bytes[0] ?? 0) & 0x80) === 0 && bytes[8] !== 0
      if (!(isControlProtocol && from.host === lns.address.host)) send.call(network, from, to, bytes)
    }
    for (let i = 0; i < 120; i++) {
      lns.command({ type: 'send', protocol: 0x21, packet: PING })
      assert.equal(await network.run(network.now + 1_000, () => !router.up), false)
    }
    assert.equal(await network.run(network.now + 12_500, () => !router.up), true, 'and silence ends it')
    assert.equal(router.failures.at(-1), 'silent')
  })

test('what was negotiated is remembered: the next session asks for it', async () => {
  const here = world(1)
  await upWithin(here, 1_000)
  const { texts, writes } = here.router.files
  assert.ok(texts.get('sessions.json')?.includes('203.0.113.10'))
  await here.network.run(200_000)
  assert.equal(here.router.files.writes, writes, 'flash is written on change only')
  here.router.supervisor.reconnect()
  await here.network.run(here.network.now + 50)
  await upWithin(here, 1_000)
  await here.network.run(here.network.now + 10_000)
  assert.equal(here.router.files.writes, writes, 'and the same again is no change')
})

/** RFC 1661 section 6.1 */
const MRU = 1

/** The LNS Naks every other MRU that it is told than this one. */
function insistOnMru({ network, lns }: World, mru: number): void {
  const { send } = network
  network.send = (from, to, bytes) => {
    const answered = from.host === lns.address.host ? acknowledged(bytes) : undefined
    const refused = answered?.mru !== undefined && answered.mru !== mru
    send.call(network, from, to, refused ? answered.nak(mru) : bytes)
  }
}

/** What an LCP Configure-Ack says of the MRU, and the Nak that may take its place; undefined for anything else. */
function acknowledged(bytes: Uint8Array) {
  const message = decodePacket(bytes)
  if (!message.ok || message.value.kind !== 'data') return undefined
  const { tunnel, session, frame } = message.value
  const ppp = decodeFrame(frame)
  if (!ppp.ok || ppp.value.protocol !== protocols.lcp) return undefined
  const packet = decodePpp(ppp.value.information)
  if (!packet.ok || packet.value.code !== codes.configureAck) return undefined
  const { identifier, data } = packet.value
  return {
    mru: u8(data, 0) === MRU ? u16(data, 2) : undefined,
    nak: (mru: number) => {
      const option = Uint8Array.of(MRU, 4, mru >>> 8, mru & 0xff)
      const answer = { code: codes.configureNak, identifier, data: option }
      return encodeData({ tunnel, session }, encodeFrame(protocols.lcp, encodePacket(answer)))
    },
  }
}

/** The MTU of a session that is up, as the data path and users are told it. */
async function mtuOf(here: World): Promise<number | null> {
  await upWithin(here, 20_000)
  assert.equal(here.router.device.session?.mtu, here.router.shown.mtu)
  return here.router.shown.mtu
}

test('the MTU is the least of what the uplink leaves, what the LNS takes and what it lets us take', async () => {
  const taking = (mru: number): SimLnsOptions => ({
    change: (options) => ({ ...options, ppp: { ...options.ppp, mru } }),
  })
  assert.equal(await mtuOf(world(1, { lns: taking(1500) })), 1462)
  assert.equal(await mtuOf(world(1, { lns: taking(1300) })), 1300)
  assert.equal(await mtuOf(world(1, { lns: taking(1500), tunnel: { mtu: 1400 } })), 1400)
  for (const [own, ours, mtu] of [
    [1462, 1300, 1300],
    [1280, 1300, 1280],
    [1500, 1500, 1462],
  ] as const) {
    const here = world(1, { lns: taking(own) })
    insistOnMru(here, ours)
    assert.equal(await mtuOf(here), mtu)
  }
})
