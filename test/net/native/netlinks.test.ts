import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetlinkRequests } from '../../../src/app/kernel/netlink-requests.ts'
import { SystemError } from '../../../src/app/ports.ts'
import { decodeLink } from '../../../src/core/netlink/link.ts'
import { decodeMessage } from '../../../src/core/netlink/message.ts'
import { millis } from '../../../src/core/time.ts'
import { systemClock } from '../../../src/host/clock.ts'
import { loadAddon } from '../../../src/host/native.ts'
import { NativeNetlinkSockets } from '../../../src/host/netlink-sockets.ts'
import { inNamespace, run, until } from './namespace.ts'

const RTM_GETLINK = 18
const RTM_DELLINK = 17
const RTM_NEWLINK = 16
const NLM_F_REQUEST = 1
const NLM_F_DUMP = 0x300
const RTNLGRP_LINK = 1

/** A request about links: the netlink header and struct ifinfomsg, in this machine's byte order. */
function linkRequest(type: number, flags: number, ifindex = 0, attributes: Uint8Array = new Uint8Array()) {
  const bytes = new Uint8Array(32 + attributes.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(4, type, true)
  view.setUint16(6, NLM_F_REQUEST | flags, true)
  view.setInt32(20, ifindex, true)
  bytes.set(attributes, 32)
  return bytes
}

function typeOf(message: Uint8Array | undefined): number {
  assert.ok(message)
  return new DataView(message.buffer, message.byteOffset).getUint16(4, true)
}

function mtuOf(message: Uint8Array): number | undefined {
  const decoded = decodeMessage(message)
  return decoded && decodeLink(decoded.body)?.mtu
}

/** For `ip -batch`, which is over before JS takes any of them: far more than fits. */
function changesOf(device: string): string {
  return Array.from({ length: 1500 }, (_, i) => `link set ${device} mtu ${1000 + (i % 400)}`).join('\n')
}

function codeOf(error: unknown): string | undefined {
  return error instanceof SystemError ? error.code : undefined
}

inNamespace(import.meta.url, () => {
  const sockets = new NativeNetlinkSockets(loadAddon())
  const netlinks = new NetlinkRequests(sockets, systemClock)

  test('a dump gathers all links, however many requests are made at once', async () => {
    run('ip link add nlA type veth peer name nlB')
    const netlink = netlinks.open({ protocol: 'route' })
    const dumps = await Promise.all(
      Array.from({ length: 20 }, () => netlink.request(linkRequest(RTM_GETLINK, NLM_F_DUMP))),
    )
    const expected = JSON.parse(run('ip -j link')).length
    assert.ok(expected >= 3)
    for (const dump of dumps) {
      assert.equal(dump.length, expected)
      for (const message of dump) assert.equal(typeOf(message), RTM_NEWLINK)
    }
    netlink.close()
  })

  test('a request that the kernel passes over is given up in time, and holds up no other for good', async () => {
    const netlink = new NetlinkRequests(sockets, systemClock, millis(100)).open({ protocol: 'route' })
    // Shorter than a header: not even an error comes.
    const lost = () =>
      assert.rejects(netlink.request(new Uint8Array(12)), (error) => codeOf(error) === 'ENOBUFS')
    const answered = [lost(), lost(), netlink.request(linkRequest(RTM_GETLINK, 0, 1))]
    await Promise.all(answered)
    await assert.rejects(netlink.request(new Uint8Array(12)), (error) => codeOf(error) === 'ETIMEDOUT')
    const silent = assert.rejects(
      netlink.request(new Uint8Array(12)),
      (error) => codeOf(error) === 'ETIMEDOUT',
    )
    const dump = netlink.request(linkRequest(RTM_GETLINK, NLM_F_DUMP))
    await silent
    assert.ok((await dump).length > 0)
    netlink.close()
  })

  test('a single answer comes alone; a refusal carries its code and what the kernel says', async () => {
    const netlink = netlinks.open({ protocol: 'route' })
    const answers = await netlink.request(linkRequest(RTM_GETLINK, 0, 1))
    assert.deepEqual(answers.map(typeOf), [RTM_NEWLINK])
    const missing = netlink.request(linkRequest(RTM_GETLINK, 0, 99999))
    const deleting = netlink.request(linkRequest(RTM_DELLINK, 0, 1))
    await assert.rejects(missing, (error) => codeOf(error) === 'ENODEV')
    await assert.rejects(deleting, (error) => codeOf(error) === 'EOPNOTSUPP')
    // IFLA_MTU (4) of one octet, too short for the kernel's policy: it says so in words.
    const attribute = Uint8Array.from([5, 0, 4, 0, 1, 0, 0, 0])
    await assert.rejects(netlink.request(linkRequest(RTM_NEWLINK, 0, 1, attribute)), (error) => {
      assert.ok(error instanceof SystemError)
      assert.match(error.message, /^netlink: (ERANGE|EINVAL): \w.*\w/)
      return true
    })
    assert.deepEqual((await netlink.request(linkRequest(RTM_GETLINK, 0, 1))).map(typeOf), [RTM_NEWLINK])
    netlink.close()
  })

  test('closing ends what is under way, and later requests are refused', async () => {
    const netlink = netlinks.open({ protocol: 'route' })
    const under = netlink.request(linkRequest(RTM_GETLINK, NLM_F_DUMP))
    const waiting = netlink.request(linkRequest(RTM_GETLINK, NLM_F_DUMP))
    netlink.close()
    await assert.rejects(under, (error) => codeOf(error) === 'ECANCELED')
    await assert.rejects(waiting, (error) => codeOf(error) === 'ECANCELED')
    await assert.rejects(
      netlink.request(linkRequest(RTM_GETLINK, NLM_F_DUMP)),
      (error) => codeOf(error) === 'EBADF',
    )
    netlink.close()
  })

  test('groups tell of changes in batches', async () => {
    const seen: number[] = []
    const netlink = netlinks.open({
      protocol: 'route',
      groups: [RTNLGRP_LINK],
      onMessages: (messages) => seen.push(...messages.map(typeOf)),
      onOverrun: () => assert.fail('nothing was lost'),
    })
    run('ip link add nlC type veth peer name nlD')
    run('ip link del nlC')
    await until(() => seen.filter((type) => type === RTM_DELLINK).length >= 2, 'both ends are gone')
    assert.ok(seen.filter((type) => type === RTM_NEWLINK).length >= 2)
    netlink.close()
  })

  test('an overrun is told after all that came before it, and listening goes on', async () => {
    const told: unknown[] = []
    const netlink = netlinks.open({
      protocol: 'route',
      groups: [RTNLGRP_LINK],
      onMessages: (messages) => told.push(...messages.map(mtuOf)),
      onOverrun: () => told.push('overrun'),
    })
    run('ip link add nlE type veth peer name nlF')
    run('ip -batch -', changesOf('nlE'))
    await until(() => told.includes('overrun'), 'the overrun is told')
    assert.equal(typeof told[0], 'number')
    run('ip link set nlE mtu 900')
    await until(() => told.at(-1) === 900, 'changes are told again')
    assert.deepEqual(new Set(told.slice(told.lastIndexOf('overrun') + 1)), new Set([900]))
    netlink.close()
  })

  test('an overrun that follows soon after another is told too', async () => {
    let overruns = 0
    const netlink = netlinks.open({
      protocol: 'route',
      groups: [RTNLGRP_LINK],
      onOverrun: () => overruns++,
    })
    run('ip link add nlG type veth peer name nlH')
    for (const told of [1, 2, 3]) {
      run('ip -batch -', changesOf('nlG'))
      await until(() => overruns >= told, `overrun ${told} is told`)
    }
    netlink.close()
  })

  test('an unknown group is refused', () => {
    const open = () => netlinks.open({ protocol: 'route', groups: [100000] })
    assert.throws(open, (error) => codeOf(error) === 'EINVAL')
  })
})
