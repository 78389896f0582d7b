/** A server with several static addresses and no default route into any of them: whoever asks one is answered from it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as address from '../addresses.ts'
import { answer, Conversation, type Transport } from '../echo.ts'
import type { Lifeline } from '../lifeline.ts'
import type { Namespace } from '../namespace.ts'
import { globalIpv6, seenFrom, subscriber, TUNNEL_SECRET, tunnelOf } from '../scenario.ts'
import { buildNetwork, type Network } from '../topology.ts'
import { waitFor } from '../wait.ts'

const alice = subscriber('alice', 1)
const bob = subscriber('bob', 2)
const USERS = { alice, bob } as const
type User = keyof typeof USERS
const NAMES = ['alice', 'bob'] as const

/** The LAN host's addresses in the prefixes that are routed to either tunnel. */
const LAN6 = { alice: '2001:db8:f001:1::2', bob: '2001:db8:f002:1::2' } as const
const ROUTER6 = { alice: '2001:db8:f001:1::1', bob: '2001:db8:f002:1::1' } as const

/** The README's server twice over, and what its LAN offers. */
const CONFIG = {
  tunnel: {
    alice: tunnelOf(alice, { defaultroute: false, ip6prefix: alice.prefix }),
    bob: tunnelOf(bob, { defaultroute: false, ip6prefix: bob.prefix }),
  },
  firewall: {
    internet: {
      allow: ['25,443,655/tcp', '655/udp'],
      allow_forward: NAMES.map((name) => `443/tcp=${LAN6[name]}`),
      lan: ['lan0'],
    },
  },
  redirect: {
    web: { proto: 'tcp udp', src_dport: '8080', dest_ip: address.lan.ipv4, dest_port: '80' },
  },
}

describe('a server behind two tunnels without a default route', { timeout: 300_000 }, () => {
  let net: Network
  let lifeline: Lifeline
  /** What tunnels were given. */
  const own = { alice: { ipv4: '', ipv6: '' }, bob: { ipv4: '', ipv6: '' } }
  before(async () => {
    net = await buildNetwork({ users: [alice, bob], tunnelSecret: TUNNEL_SECRET })
    await settleLan(net)
    lifeline = net.router.lifeline({ config: CONFIG })
    for (const name of NAMES) {
      const tunnel = await lifeline.waitForTunnel(
        name,
        'to have both families',
        (now) => now.state === 'up' && now.ipv4.address !== null && globalIpv6(now) !== undefined,
      )
      own[name] = { ipv4: tunnel.ipv4.address ?? '', ipv6: globalIpv6(tunnel) ?? '' }
    }
    const router = net.router.namespace
    await router.nft(astray(own))
    await Promise.all([25, 443].map((port) => answer(router, 'tcp', port)))
    // A socket of no address answers datagrams from the address of the default route: daemons bind one for each.
    for (const { ipv4, ipv6 } of Object.values(own))
      await Promise.all([ipv4, ipv6].map((bind) => answer(router, 'udp', 655, bind)))
    await Promise.all([answer(net.lan, 'tcp', 80), answer(net.lan, 'udp', 80, address.lan.ipv4)])
    await answer(net.lan, 'tcp', 443)
  })
  after(async () => {
    await lifeline?.stop()
    await net?.close()
  })

  test('goes out by its line itself', async () => {
    assert.equal(await seenFrom(net), address.uplink(0).router.ipv4)
  })

  for (const name of NAMES) {
    const services: readonly [string, Transport, number, () => string][] = [
      ['a local socket', 'tcp', 25, () => own[name].ipv4],
      ['a local socket over IPv6', 'tcp', 443, () => own[name].ipv6],
      ['a local socket', 'udp', 655, () => own[name].ipv4],
      ['a local socket over IPv6', 'udp', 655, () => own[name].ipv6],
      ['a port forward', 'tcp', 8080, () => own[name].ipv4],
      ['a port forward', 'udp', 8080, () => own[name].ipv4],
      ['a LAN host over IPv6', 'tcp', 443, () => LAN6[name]],
    ]
    for (const [what, transport, port, to] of services) {
      test(`answers from ${name}'s address: ${what}, ${transport}`, async (t) => {
        const talk = await Conversation.open(net.internet.namespace, transport, to(), port)
        t.after(() => talk.close())
        await assertNoneAstray(net)
      })
    }

    test(`answers pings to ${name}'s addresses, and asks from them`, async () => {
      for (const family of ['ipv4', 'ipv6'] as const) {
        const asked = await net.internet.ping(own[name][family])
        assert.equal(asked.received, 1, asked.output)
        const asks = await net.router.ping(address.internet[family], { from: own[name][family] })
        assert.equal(asks.received, 1, asks.output)
      }
      await assertNoneAstray(net)
    })
  }

  test('both at once, and on when one session ends and is dialled again', async (t) => {
    const from = net.internet.namespace
    const open = (name: User) =>
      Promise.all([
        Conversation.open(from, 'tcp', own[name].ipv4, 25),
        Conversation.open(from, 'tcp', own[name].ipv6, 443),
        Conversation.open(from, 'tcp', own[name].ipv4, 8080),
        Conversation.open(from, 'udp', own[name].ipv4, 8080),
        Conversation.open(from, 'tcp', LAN6[name], 443),
      ])
    const talks = { alice: await open('alice'), bob: await open('bob') }
    t.after(() => {
      for (const talk of Object.values(talks).flat()) talk.close()
    })
    for (const name of NAMES) {
      const other = name === 'alice' ? 'bob' : 'alice'
      const before = (await lifeline.status())?.tunnel[name]
      await net.lns.dropSession(USERS[name].name)
      await Promise.all(talks[other].map((talk) => talk.goesOn()))
      await lifeline.waitForTunnel(
        name,
        'to be dialled again',
        (now) => now.state === 'up' && now.since !== before?.since,
      )
      await Promise.all(talks[name].map((talk) => talk.goesOn()))
    }
    await assertNoneAstray(net)
  })

  test('an answer that goes astray would be seen', async () => {
    const router = net.router.namespace
    await router.ip('rule add pref 1 from all lookup 4711')
    await router.ip('route add default dev l2tp-bob table 4711')
    await net.internet.ping(own.alice.ipv4)
    await router.ip('rule del pref 1', 'route flush table 4711')
    await waitFor('the watch to see it', async () => (await strays(net)) > 0)
  })
})

async function settleLan({ router, lan }: Network): Promise<void> {
  await router.namespace.ip(...NAMES.map((name) => `addr add ${ROUTER6[name]}/64 dev lan0 nodad`))
  await lan.ip(...NAMES.map((name) => `addr add ${LAN6[name]}/64 dev eth0 nodad`))
}

/** Somebody else's table: counts what leaves by another device than the one whose address it bears. */
function astray(own: Readonly<Record<User, { ipv4: string; ipv6: string }>>): string {
  const rules = NAMES.flatMap((name) => {
    const elsewhere = `oifname != { "l2tp-${name}", "lan0", "lo" }`
    return [
      `${elsewhere} ip saddr ${own[name].ipv4} counter name astray`,
      `${elsewhere} ip6 saddr { ${own[name].ipv6}, ${USERS[name].prefix} } counter name astray`,
    ]
  })
  return `
table inet watch {
  counter astray { }
  chain leaving {
    type filter hook postrouting priority -400;
    ${rules.join('\n    ')}
  }
}
`
}

async function strays({ router }: { router: { namespace: Namespace } }): Promise<number> {
  const { stdout } = await router.namespace.run(['nft', 'list', 'counter', 'inet', 'watch', 'astray'])
  return Number(/packets (\d+)/.exec(stdout)?.[1])
}

async function assertNoneAstray(net: Network): Promise<void> {
  assert.equal(await strays(net), 0, 'something left by another way than that of its address')
}
