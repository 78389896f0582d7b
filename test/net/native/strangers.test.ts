/** ICMP messages that somebody forges who has nothing to do with our connection, but knows its addresses and ports. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { IcmpNotice } from '../../../src/app/ports.ts'
import { parseIp } from '../../../src/core/ip/address.ts'
import { NativeDatagrams } from '../../../src/host/datagrams.ts'
import { loadAddon } from '../../../src/host/native.ts'
import { inNamespace, run, until } from './namespace.ts'
import { be16, sum16 } from './packets.ts'

type Family = 4 | 6
const FAMILIES = [4, 6] as const
const HERE = { 4: '192.0.2.1', 6: '2001:db8::1' } as const
/** An address of this machine too, from which the forger sends: packets to oneself are enough. */
const STRANGER = { 4: '192.0.2.77', 6: '2001:db8::77' } as const
const ROUTER = { 4: '192.0.2.2', 6: '2001:db8::2' } as const
/** Behind the router; nobody answers. */
const LNS = { 4: '198.51.100.9', 6: '2001:db8:9::9' } as const
const PORT = 1701
const NEVER_CHECKED = [0, 0]
const LEAST_MTU = { 4: 552, 6: 1280 } as const

inNamespace(import.meta.url, () => {
  const datagrams = new NativeDatagrams(loadAddon())

  test('an uplink is made', () => {
    run('ip link add fsA type veth peer name fsB')
    run('ip link set fsB up')
    run('ip link set fsA up mtu 1500')
    for (const family of FAMILIES) {
      const nodad = family === 6 ? ' nodad' : ''
      for (const own of [HERE, STRANGER])
        run(`ip -${family} addr add ${own[family]}/${family === 4 ? 24 : 64} dev fsA${nodad}`)
      run(`ip neigh add ${ROUTER[family]} lladdr 02:00:00:00:00:02 dev fsA`)
      run(`ip -${family} route add default via ${ROUTER[family]}`)
    }
  })

  const octets = (host: string) => [...(parseIp(host) ?? [])]
  /** Pieces that were made of datagrams in this namespace. */
  function fragments(family: Family): number {
    const text = readFileSync(family === 4 ? '/proc/self/net/snmp' : '/proc/self/net/snmp6', 'utf8')
    if (family === 6) return Number(/^Ip6FragCreates\s+(\d+)/m.exec(text)?.[1])
    const [names = [], values = []] = text.split('\n').map((line) => line.split(' '))
    return Number(values[names.indexOf('FragCreates')])
  }

  const exception = (family: Family) =>
    /mtu (lock )?\d+/.exec(run(`ip -${family} route get ${LNS[family]}`))?.[0]

  /** The beginning of a UDP datagram from a port of ours to the LNS, as an ICMP message quotes it. */
  function quoted(family: Family, port: number, payload: readonly number[]): number[] {
    const udp = [...be16(port), ...be16(PORT), ...be16(8 + payload.length), ...NEVER_CHECKED, ...payload]
    const [from, to] = [octets(HERE[family]), octets(LNS[family])]
    if (family === 6) return [0x60, 0, 0, 0, ...be16(udp.length), 17, 64, ...from, ...to, ...udp]
    const header = Uint8Array.from([
      0x45,
      0,
      ...be16(20 + udp.length),
      0,
      0,
      0,
      0,
      64,
      17,
      0,
      0,
      ...from,
      ...to,
    ])
    header.set(be16(0xffff - sum16(header)), 10)
    return [...header, ...udp]
  }

  /** A message of ICMP; `rest` is what follows its checksum. */
  function forge(family: Family, type: number, code: number, rest: readonly number[]): void {
    const message = Uint8Array.from([type, code, 0, 0, ...rest, ...(rest.length % 2 ? [0] : [])])
    if (family === 4) message.set(be16(0xffff - sum16(message)), 2)
    const socket = datagrams.openIcmp({
      family,
      source: STRANGER[family],
      onMessage: () => {},
      onError: (code) => assert.fail(code),
    })
    socket.send(message, HERE[family])
    socket.close()
  }

  function claimSmall(family: Family, port: number): void {
    const quote = quoted(family, port, new Array(20).fill(0))
    if (family === 4) forge(4, 3, 4, [0, 0, ...be16(100), ...quote])
    else forge(6, 2, 0, [0, 0, ...be16(LEAST_MTU[6]), ...quote])
  }

  function open(family: Family) {
    const errors: { code: string; notice: IcmpNotice | undefined }[] = []
    const socket = datagrams.open({
      family,
      source: HERE[family],
      onMessage: () => {},
      onError: (code, notice) => errors.push({ code, notice }),
    })
    return { socket, errors }
  }

  for (const family of FAMILIES)
    test(`nobody makes our packets smaller over IPv${family}, nor those of others by way of us`, async () => {
      const ours = open(family)
      const peer = { host: LNS[family], port: PORT }
      const piecesOf = (octets: number) => {
        const before = fragments(family)
        ours.socket.send(new Uint8Array(octets), peer)
        return fragments(family) - before
      }
      assert.equal(piecesOf(1600), 2, 'above the MTU of the device')
      for (const connected of [false, true]) {
        if (connected) ours.socket.connect(peer)
        assert.equal(piecesOf(1400), 0)
        claimSmall(family, ours.socket.local.port)
        await sleep(50)
        assert.equal(exception(family), undefined, 'the routes do not remember it')
        assert.equal(piecesOf(1400), 0, 'sent in one piece')
      }

      // A socket of another program, which believes it: so it was forged well.
      const other = createSocket(family === 4 ? 'udp4' : 'udp6').bind(0, HERE[family])
      await once(other, 'listening')
      other.on('error', () => {})
      other.connect(PORT, LNS[family])
      await once(other, 'connect')
      other.send('x')
      claimSmall(family, other.address().port)
      await until(() => exception(family) !== undefined, 'the routes remember it')
      assert.equal(exception(family), family === 4 ? `mtu lock ${LEAST_MTU[4]}` : `mtu ${LEAST_MTU[6]}`)
      assert.equal(piecesOf(1400), 0, 'what another one was told is nothing to us')
      other.close()
      ours.socket.close()
    })

  test('an ICMP error is told with who says so and what it quotes, never without', async () => {
    for (const family of FAMILIES) {
      const { socket, errors } = open(family)
      const peer = { host: LNS[family], port: PORT }
      const payload = [0xc8, 0x02, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0]
      socket.send(Uint8Array.from(payload), peer)
      const quote = quoted(family, socket.local.port, payload.slice(0, 10))
      forge(family, family === 4 ? 3 : 1, family === 4 ? 3 : 4, [0, 0, 0, 0, ...quote])
      await until(() => errors.length > 0, 'it is told')
      for (let i = 0; i < 5; i++) socket.send(Uint8Array.from(payload), peer)
      await sleep(50)
      assert.deepEqual(
        errors.map(({ code, notice }) => [code, notice?.from, [...(notice?.quote ?? [])].slice(0, 10)]),
        [['ECONNREFUSED', STRANGER[family], payload.slice(0, 10)]],
      )
      socket.close()
    }
  })

  test('a storm of errors costs JS a few calls a second', async () => {
    const { socket, errors } = open(4)
    socket.send(new Uint8Array(12), { host: LNS[4], port: PORT })
    const quote = quoted(4, socket.local.port, new Array(12).fill(0))
    const began = performance.now()
    for (let i = 0; i < 600; i++) {
      forge(4, 3, i % 2 === 0 ? 3 : 1, [0, 0, 0, 0, ...quote])
      if (i % 20 === 0) await sleep(1)
    }
    await sleep(100)
    const seconds = (performance.now() - began) / 1000
    assert.ok(errors.length > 0 && errors.length <= 5 + 5 * seconds, `${errors.length} in ${seconds} s`)
    socket.close()
  })
})
