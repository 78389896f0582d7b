/** What strangers find when they scan the tunnel's addresses and what is behind them: nothing, unless the user wants it so. */
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as address from './addresses.ts'
import { ECHO_PORT } from './internet.ts'
import type { Lifeline } from './lifeline.ts'
import type { Namespace } from './namespace.ts'
import { ping } from './ping.ts'
import { type Findings, Scanner } from './scan.ts'
import { DEVICE, dial, globalIpv6, LINE, lineOf, seenFrom, subscriber, TUNNEL_SECRET } from './scenario.ts'
import { buildNetwork, type Network } from './topology.ts'
import { waitFor } from './wait.ts'

const alice = { ...subscriber('alice', 1), route: '203.0.113.64/29' }

/** Behind the router, in the blocks that the LNS routes to it. */
const LAN = {
  router: { ipv4: '203.0.113.65', ipv6: '2001:db8:f001:1::1' },
  host: { ipv4: '203.0.113.66', ipv6: '2001:db8:f001:1::2' },
} as const
/** On the tunnel device beside what is negotiated. */
const STATIC = { ipv4: '203.0.113.70', ipv6: '2001:db8:f001::70' } as const
const OPTIONS = {
  ipaddr: `${STATIC.ipv4}/29`,
  ip6addr: `${STATIC.ipv6}/64`,
  ip6prefix: '2001:db8:f001::/48',
}

const TCP_OPEN = [
  ...[
    1, 21, 22, 23, 25, 53, 80, 110, 111, 139, 143, 179, 443, 445, 515, 548, 554, 631, 853, 873, 1080, 1723,
    1883,
  ],
  ...[
    2049, 3128, 3306, 3389, 5000, 5432, 5900, 6379, 7547, 8000, 8080, 8443, 8883, 9100, 10000, 49152, 65535,
  ],
]
const UDP_OPEN = [
  ...[
    7, 53, 67, 68, 69, 111, 123, 137, 138, 161, 162, 389, 443, 500, 514, 520, 546, 547, 623, 631, 853, 1194,
    1434,
  ],
  ...[1701, 1812, 1900, 3478, 3702, 4500, 5060, 5353, 5683, 11211, 27015, 51820],
]
const ALL_PORTS = Array.from({ length: 65_535 }, (_, i) => i + 1)
/** With their neighbours, which are closed. */
const COMMON_TCP = around(TCP_OPEN)
const COMMON_UDP = around(UDP_OPEN)

describe('a scan from the internet', { timeout: 600_000 }, () => {
  let net: Network
  let scanner: Scanner
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET })
    const { router, lan, internet } = net
    await settleLan(router.namespace, lan)
    internet.namespace.start('echo', ['socat', `UDP6-RECVFROM:${ECHO_PORT},fork,ipv6only=0`, 'PIPE'])
    const ports = [TCP_OPEN.join(), UDP_OPEN.join()]
    const program = [process.execPath, '--import', 'tsx', resolve('test/net/listeners.ts'), ...ports]
    await Promise.all(
      [router.namespace, lan].map((host) => host.start('listeners', program).waitForOutput(/ready/)),
    )
    scanner = await Scanner.create(internet.namespace, address.internet, router.namespace, DEVICE)
  })
  after(() => net.close())

  describe('without a word about a firewall', () => {
    let lifeline: Lifeline
    let own: { ipv4: string; ipv6: string }
    before(async () => {
      lifeline = net.router.lifeline({ config: lineOf(alice, OPTIONS) })
      own = await addressesOf(lifeline)
    })
    after(() => lifeline.stop())

    for (const family of ['ipv4', 'ipv6'] as const) {
      test(`finds none of all TCP ports over ${family}`, async (t) => {
        const began = performance.now()
        const findings = await scanner.scan({ to: own[family], protocol: 'tcp', ports: ALL_PORTS })
        t.diagnostic(`65535 ports in ${(performance.now() - began).toFixed(0)} ms`)
        assertSilent(findings, ALL_PORTS)
      })

      test(`finds no UDP port over ${family}`, async () => {
        assertSilent(await scanner.scan({ to: own[family], protocol: 'udp', ports: COMMON_UDP }), COMMON_UDP)
      })

      test(`finds nothing at the static address over ${family}`, async () => {
        const to = STATIC[family]
        assertSilent(await scanner.scan({ to, protocol: 'tcp', ports: COMMON_TCP }), COMMON_TCP)
        assertSilent(await scanner.scan({ to, protocol: 'udp', ports: COMMON_UDP }), COMMON_UDP)
      })

      test(`finds nothing behind the router over ${family}`, async () => {
        const [to, neighbour] = [LAN.host[family], own[family]]
        for (const [protocol, ports] of [
          ['tcp', COMMON_TCP],
          ['udp', COMMON_UDP],
        ] as const) {
          assertSilent(await scanner.scan({ to, neighbour, protocol, ports }), ports)
        }
        const { received, output } = await net.internet.ping(to)
        assert.equal(received, 0, output)
      })

      test(`lets replies to what is inside pass over ${family}`, async () => {
        // Which of its IPv6 addresses it uses is the kernel's choice.
        const sources = family === 'ipv4' ? [own.ipv4] : [own.ipv6, STATIC.ipv6]
        assert.ok(sources.includes(await seenFrom(net, family === 'ipv4' ? 4 : 6)))
        assert.equal(await echoed(net.router.namespace, family, 'TCP'), 'hello')
        assert.equal(await echoed(net.lan, family, 'TCP'), 'hello')
        assert.equal(await echoed(net.router.namespace, family, 'UDP'), 'hello')
        assert.equal(await echoed(net.lan, family, 'UDP'), 'hello')
        const { received, output } = await ping(net.lan, address.internet[family])
        assert.equal(received, 1, output)
      })
    }

    test('reaches no link-local address', async () => {
      const linkLocal = await linkLocalOf(net.router.namespace)
      const hosts = [
        [net.internet.namespace, 'eth0'],
        [net.lns.namespace, 'lnstun'],
      ] as const
      const pings = hosts.map(([host, device]) => ping(host, `${linkLocal}%${device}`))
      for (const { received, output } of await Promise.all(pings)) assert.equal(received, 0, output)
    })

    test('lets word of a smaller MTU on the way pass', async (t) => {
      await narrow(net, 1300)
      t.after(() => widen(net))
      for (const family of ['ipv4', 'ipv6'] as const) {
        for (const host of [net.router.namespace, net.lan]) {
          const to = address.internet[family]
          await waitFor(`a message about the MTU from ${to} at ${host.name}`, async () => {
            const { output } = await ping(host, to, { size: 1400, dontFragment: true })
            return /mtu ?=? ?1300/i.test(output)
          })
          assert.equal(await echoed(host, family, 'TCP', 'x'.repeat(200_000)), 'x'.repeat(200_000))
        }
      }
    })
  })

  test("finds it all with firewall 'none'", async (t) => {
    const { tunnel } = await dial(t, net, alice, { ...OPTIONS, firewall: 'none' })
    const own = [tunnel.ipv4.address ?? '', globalIpv6(tunnel) ?? '']
    const others = [STATIC.ipv4, STATIC.ipv6, LAN.host.ipv4, LAN.host.ipv6]
    for (const to of [...own, ...others]) {
      const ports = own.includes(to) ? ALL_PORTS : COMMON_TCP
      const { open, refused } = await scanner.scan({ to, protocol: 'tcp', ports, again: 'silent' })
      assert.deepEqual(open, TCP_OPEN)
      assert.equal(refused, ports.length - TCP_OPEN.length)
    }
    for (const to of own) {
      const findings = await scanner.scan({ to, protocol: 'udp', ports: COMMON_UDP, again: 'silent' })
      assert.deepEqual(findings.open, UDP_OPEN)
      assert.ok(findings.complaints > 0)
    }
  })

  async function addressesOf(lifeline: Lifeline): Promise<{ ipv4: string; ipv6: string }> {
    const tunnel = await lifeline.waitForTunnel(
      LINE,
      'to have IPv6',
      (tunnel) => tunnel.state === 'up' && globalIpv6(tunnel) !== undefined,
    )
    return { ipv4: tunnel.ipv4.address ?? '', ipv6: globalIpv6(tunnel) ?? '' }
  }
})

function around(ports: readonly number[]): number[] {
  const near = ports.flatMap((port) => [port - 1, port, port + 1])
  return [...new Set(near)].filter((port) => port > 0 && port < 65_536)
}

/** All of it reached the router, and nothing came back. */
function assertSilent(findings: Findings, ports: readonly number[]): void {
  assert.deepEqual(findings, { open: [], refused: 0, complaints: 0, arrived: ports.length })
}

async function settleLan(router: Namespace, lan: Namespace): Promise<void> {
  await router.ip(`addr add ${LAN.router.ipv4}/29 dev lan0`, `addr add ${LAN.router.ipv6}/64 dev lan0 nodad`)
  await lan.ip(
    `addr add ${LAN.host.ipv4}/29 dev eth0`,
    `addr add ${LAN.host.ipv6}/64 dev eth0 nodad`,
    `route replace default via ${LAN.router.ipv4} src ${LAN.host.ipv4}`,
    `route replace default via ${LAN.router.ipv6} src ${LAN.host.ipv6}`,
  )
}

/** What the internet sends back to a connection from here. */
async function echoed(
  host: Namespace,
  family: 'ipv4' | 'ipv6',
  protocol: 'TCP' | 'UDP',
  text = 'hello',
): Promise<string> {
  const to = family === 'ipv4' ? address.internet.ipv4 : `[${address.internet.ipv6}]`
  const target = `${protocol}${family === 'ipv4' ? 4 : 6}:${to}:${ECHO_PORT}`
  if (protocol === 'TCP') return (await host.run(['socat', '-t', '5', '-', target], { input: text })).stdout
  // UDP has no end that would end socat.
  const client = host.start('client', ['socat', '-', target])
  client.write(text)
  const [answer] = await client.waitForOutput(/.+/)
  await client.stop()
  return answer
}

async function linkLocalOf(router: Namespace): Promise<string> {
  const links = await router.show<{ addr_info: { local: string }[] }[]>(
    '-6',
    'address',
    'show',
    'dev',
    DEVICE,
  )
  const all = links.flatMap((link) => link.addr_info?.map(({ local }) => local) ?? [])
  const linkLocal = all.find((local) => local.startsWith('fe80'))
  assert.ok(linkLocal, `no link-local address among ${all}`)
  return linkLocal
}

/** The last hop to the internet takes packets up to a size, and says so when one is larger. */
async function narrow(net: Network, mtu: number): Promise<void> {
  await net.lns.namespace.ip(
    `route replace 198.51.100.0/24 dev net0 mtu lock ${mtu}`,
    `route replace 2001:db8:feed::/64 dev net0 mtu ${mtu} metric 1`,
  )
}

async function widen(net: Network): Promise<void> {
  await net.lns.namespace.ip(
    'route replace 198.51.100.0/24 dev net0',
    'route del 2001:db8:feed::/64 dev net0 metric 1',
  )
}
