import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firewallText } from '../../../src/core/firewall/firewall.ts'
import { encodeEcho } from '../../../src/core/ip/icmp.ts'
import { encodeRouterSolicitation } from '../../../src/core/ip/ra.ts'
import { NativeDatagrams } from '../../../src/host/datagrams.ts'
import { loadAddon } from '../../../src/host/native.ts'
import { inNamespace, run, until } from './namespace.ts'

const DEVICE = 'l2tp-aaisp'
const LINK_LOCAL = 'fe80::aa'
/** Counts what gets past the output hook, and so past our rules. */
const COUNTERS = `table inet seen {
  chain left {
    type filter hook postrouting priority 0; policy accept;
    oifname "${DEVICE}" icmpv6 type nd-router-solicit counter comment "solicitations"
    oifname "${DEVICE}" icmpv6 type mld2-listener-report counter comment "reports"
    oifname "${DEVICE}" icmpv6 type nd-neighbor-solicit counter comment "neighbours"
    oifname "${DEVICE}" ip6 daddr 2001:db8::/32 counter comment "world"
  }
}`

inNamespace(import.meta.url, () => {
  const datagrams = new NativeDatagrams(loadAddon())

  /** Packets by the comment of their counter. */
  const seen = (comment: string) => {
    const line = run('nft list table inet seen')
      .split('\n')
      .find((text) => text.includes(`"${comment}"`))
    return Number(/packets (\d+)/.exec(line ?? '')?.[1])
  }

  const send = (message: Uint8Array, to: string) => {
    const errors: string[] = []
    const socket = datagrams.openIcmp({
      family: 6,
      device: DEVICE,
      source: LINK_LOCAL,
      onMessage: () => {},
      onError: (code) => errors.push(code),
    })
    socket.send(message, to)
    return { errors, close: () => socket.close() }
  }

  const echo = encodeEcho(6, { kind: 'echoRequest', identifier: 1, sequence: 1, data: new Uint8Array(8) })

  test('a device whose session lacks IPv6 addresses, with the filters that failover loads for it', async () => {
    run(`ip link add ${DEVICE} type veth peer name peer0`)
    run(`ip link set ${DEVICE} addrgenmode none`)
    // The kernel would solicit too, and be counted with us.
    run(`sysctl -q -w net.ipv6.conf.${DEVICE}.router_solicitations=0`)
    run('nft -f -', COUNTERS)
    const path = {
      name: 'aaisp',
      kind: 'tunnel' as const,
      device: DEVICE,
      mark: 0x10000,
      filter: 'deny' as const,
      mtu: 1462,
      snat: undefined,
      uncarried: [6] as const,
    }
    const text = firewallText({
      markMask: 0xff0000,
      paths: [path],
      redirects: [],
      owned: [],
      answered: [],
      twins: [],
      asked: [],
    })
    run('nft -f -', text)
    run('ip link set peer0 up')
    run(`ip link set ${DEVICE} up`)
    run(`ip -6 addr add ${LINK_LOCAL}/64 dev ${DEVICE} nodad`)
    run(`ip -6 route add 2001:db8::/32 dev ${DEVICE}`)
    await until(() => run(`ip -6 addr show dev ${DEVICE}`).includes(LINK_LOCAL), 'the address is there')
  })

  test('our Router Solicitation leaves', async () => {
    const { errors, close } = send(encodeRouterSolicitation(), 'ff02::2')
    await until(() => seen('solicitations') === 1 || errors.length > 0, 'the solicitation is sent')
    assert.deepEqual(errors, [])
    close()
  })

  test("the kernel's own reports of multicast listeners leave", async () => {
    await until(() => seen('reports') > 0, 'a report is sent')
  })

  test("what goes to a neighbour's link-local address leaves, and asks for that neighbour first", async () => {
    const { errors, close } = send(echo, 'fe80::1')
    await until(() => seen('neighbours') > 0 || errors.length > 0, 'the neighbour is asked for')
    assert.deepEqual(errors, [])
    close()
  })

  test('what would go to the world is refused as before', async () => {
    const { errors, close } = send(echo, '2001:db8::1')
    await until(() => errors.length > 0, 'it is refused')
    // The error of the call, or the filter's ICMP error, whichever is read first.
    assert.ok(
      errors.every((code) => ['EPERM', 'ENETUNREACH'].includes(code)),
      errors.join(' '),
    )
    assert.equal(seen('world'), 0)
    close()
  })
})
