/** Sudden death at random moments, again and again: nothing is exposed or cut off meanwhile, and the next start mends all. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../sim/random.ts'
import * as address from './addresses.ts'
import { kernelState } from './kernel-state.ts'
import type { Lifeline } from './lifeline.ts'
import {
  assertCarriesTraffic,
  DEVICE,
  LINE,
  lineOf,
  type Options,
  seenFrom,
  subscriber,
  TUNNEL_SECRET,
} from './scenario.ts'
import { echoRequest, inIp, tcpSyn } from './strangers.ts'
import { buildNetwork, type Network } from './topology.ts'
import { waitFor } from './wait.ts'

const KILLS = 50
/** So many of them, at least, have to hit a start or a dial. */
const BEFORE_UP = 10
const SEED = Number(process.env.LIFELINE_SEED ?? Math.floor(Math.random() * 2 ** 31))

const alice = subscriber('alice', 1)
/** Restarts and reloads change from one to the other: there is always something to write. */
const CONFIGS = [
  lineOf(alice, { ipaddr: '203.0.113.77', ip6addr: '2001:db8:f001::77/64' }),
  lineOf(alice, { ipaddr: '203.0.113.80/29', ip6prefix: '2001:db8:f001::/48', mtu: 1400 }),
] as const
/** A port on which the router listens, everywhere. */
const PORT = 2222

type Random = () => number

/** What it is made to live through until it is killed, the likelier the more often it is here. */
const LIVES: readonly ((net: Network, lifeline: Lifeline, random: Random) => Promise<string>)[] = [
  async function booting(_net, lifeline, random) {
    await sleep(random() * 150)
    return lifeline.log === '' ? 'booting' : stateOf(lifeline)
  },
  dialling,
  dialling,
  dialling,
  dialling,
  async function inSession(_net, lifeline, random) {
    await lifeline.waitForUp(LINE)
    await sleep(random() * 300)
    return 'up'
  },
  async function reloading(_net, lifeline, random) {
    await lifeline.waitForUp(LINE)
    lifeline.reload(random() < 0.5 ? CONFIGS[0] : CONFIGS[1])
    await sleep(random() * 150)
    return 'reloading'
  },
  async function stopping(_net, lifeline, random) {
    await lifeline.waitForUp(LINE)
    lifeline.process.signal('SIGTERM')
    await sleep(random() * 80)
    return 'stopping'
  },
]

async function dialling(_net: Network, lifeline: Lifeline, random: Random): Promise<string> {
  await lifeline.process.waitForOutput(/uplink=/)
  await sleep(random() * 120)
  return stateOf(lifeline)
}

describe('SIGKILL', { timeout: 600_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET, ipv6Underlay: true })
    const listener = `TCP6-LISTEN:${PORT},fork,reuseaddr,ipv6only=0`
    await net.router.namespace
      .start('listener', ['socat', '-d', '-d', listener, 'PIPE'])
      .waitForOutput(/listening/)
    await net.router.namespace.nft(WATCH)
  })
  after(() => net.close())

  test(`${KILLS} times, seed ${SEED}`, async (t) => {
    const random = seededRandom(SEED)
    const one = <T>(list: readonly [T, ...T[]]) => list[Math.floor(random() * list.length)] ?? list[0]
    const clean = await kernelState(net.router.namespace)
    const deaths: string[] = []
    let sessions = 0
    let intrusions = 0
    let slowest = 0
    let slowestStart = 0
    while (deaths.length < KILLS) {
      const lifeline = net.router.lifeline({ config: one(CONFIGS) })
      const life = LIVES[deaths.length % LIVES.length] ?? dialling
      const death = withChildren(await life(net, lifeline, random), lifeline.process.pid)
      await lifeline.kill9()
      deaths.push(death)
      const hadSession = /tunnel=\w+ state=up/.test(lifeline.log)
      if (hadSession) sessions++
      const died = `killed while ${death}, number ${deaths.length}, seed ${SEED}`
      slowest = Math.max(slowest, await fallenThrough(net))
      const { device, filtered } = await remains(net)
      assert.ok(filtered || !device, `a device without filters: ${died}`)
      if (device && deaths.length % 4 === 0) {
        await assertNothingGetsIn(net)
        intrusions++
      }
      if (!hadSession) slowestStart = Math.max(slowestStart, await startedAgain(net, one(CONFIGS), died))
    }
    t.diagnostic(`killed while ${counted(deaths)}; ${sessions} sessions in between`)
    t.diagnostic(`lookups fell through to main after at most ${slowest.toFixed(0)} ms`)
    t.diagnostic(`${intrusions} times strangers knocked at the orphaned device`)
    t.diagnostic(`started again after each death before up: up after at most ${slowestStart.toFixed(0)} ms`)
    assert.ok(sessions > KILLS / 4 && intrusions > 0)
    assert.ok(KILLS - sessions >= BEFORE_UP, `only ${KILLS - sessions} deaths before up, seed ${SEED}`)

    const lifeline = net.router.lifeline({ config: CONFIGS[0] })
    await assertCarriesTraffic(net, await lifeline.waitForUp(LINE))
    await waitFor('the way through the tunnel', async () => (await seenFrom(net)) === alice.ipv4)
    assert.match((await lifeline.cli('plan')).stdout, /^Nothing would change\./)
    assert.equal(await lifeline.stop(), 0)
    assert.deepEqual(await kernelState(net.router.namespace), clean)
    const leftovers = readdirSync(net.router.stateFolder).filter((name) => !name.endsWith('.json'))
    assert.deepEqual(leftovers, [])
  })

  test('without filters strangers would be answered', async () => {
    const lifeline = net.router.lifeline({ config: lineOf(alice, { firewall: 'none' }) })
    await lifeline.waitForUp(LINE)
    await lifeline.kill9()
    await assert.rejects(assertNothingGetsIn(net), /answered to a stranger/)
    const next = net.router.lifeline({ config: CONFIGS[0] })
    await next.waitForUp(LINE)
    await next.stop()
  })

  test('the uplink is used as main says, then too where a socket has its address', async (t) => {
    const lifeline = net.router.lifeline({ config: CONFIGS[0] })
    await lifeline.waitForUp(LINE)
    await lifeline.kill9()
    const [{ device, gateway, ipv4, ipv6 }] = net.uplinks
    const { namespace } = net.router
    t.after(() => useGateway(gateway))
    const other = { ipv4: gateway.ipv4.replace(/1$/, '9'), ipv6: gateway.ipv6.replace(/1$/, '9') }
    await useGateway(other)
    assert.equal(await gatewayFrom(ipv4, address.internet.ipv4), other.ipv4)
    assert.equal(await gatewayFrom(ipv6, address.internet.ipv6), other.ipv6)
    const next = net.router.lifeline({ config: CONFIGS[0] })
    await next.process.waitForOutput(/uplink=/)
    await next.stop()

    async function useGateway(via: address.Pair): Promise<void> {
      const ways = [via.ipv4, via.ipv6].map((to) => `route replace default via ${to} dev ${device} metric 10`)
      await namespace.ip(...ways)
    }

    async function gatewayFrom(source: string, to: string): Promise<string | undefined> {
      const routes = await namespace.show<{ gateway?: string }[]>('route', 'get', to, 'from', source)
      return routes[0]?.gateway
    }
  })
})

/** Counts what leaves the router for strangers; a table of somebody else, as far as lifeline is concerned. */
const WATCH = `
table inet watch {
  counter opened { }
  counter echoed { }
  chain output {
    type filter hook output priority 0;
    tcp sport ${PORT} counter name opened
    icmp type echo-reply counter name echoed
    icmpv6 type echo-reply counter name echoed
  }
}
`

/** What is left of a start or a dial does not keep the next one from coming up; returns after how many ms it has. */
async function startedAgain(net: Network, config: Options, died: string): Promise<number> {
  const lifeline = net.router.lifeline({ config })
  await lifeline.waitForUp(LINE).catch((cause) => {
    throw new Error(`does not come up again: ${died}`, { cause })
  })
  const took = performance.now() - lifeline.startedAt
  await lifeline.kill9()
  return took
}

function stateOf(lifeline: Lifeline): string {
  return [...lifeline.log.matchAll(/tunnel=\w+ state=(\w+)/g)].at(-1)?.[1] ?? 'starting'
}

function withChildren(doing: string, pid: number): string {
  const children = childrenOf(pid)
  return children.length === 0 ? doing : `${doing} with ${children.join(' and ')}`
}

function childrenOf(pid: number): string[] {
  try {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean)
    return pids.map((child) => readFileSync(`/proc/${child}/comm`, 'latin1').trim())
  } catch {
    // It has ended between two looks.
    return []
  }
}

function counted(words: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ')
}

/** With no process behind the tunnel, everything goes the way of the main table; returns after how many ms. */
async function fallenThrough(net: Network): Promise<number> {
  const { ipv4, ipv6 } = address.internet
  const lookups = [
    `route get ${ipv4}`,
    `route get ${ipv6}`,
    `route get ${ipv4} from ${address.lan.ipv4} iif lan0`,
    `route get ${ipv6} from ${address.lan.ipv6} iif lan0`,
  ]
  const wanted = lookups.map(() => net.uplinks[0].device).join()
  const input = lookups.join('\n')
  const died = performance.now()
  let answer = ''
  // The kernel acts on a carrier that goes within a second (net/core/link_watch.c).
  await waitFor(
    'lookups to fall through to main',
    async () => {
      answer = (await net.router.namespace.run(['ip', '-o', '-batch', '-'], { input })).stdout
      return [...answer.matchAll(/ dev (\S+)/g)].map(([, device]) => device).join() === wanted
    },
    { every: 20, explain: () => answer },
  )
  return performance.now() - died
}

/** What is left of it in the kernel: whether its device is up, and whether that is filtered. */
async function remains(net: Network): Promise<{ device: boolean; filtered: boolean }> {
  const { namespace } = net.router
  const [links, { stdout }] = await Promise.all([
    namespace.show<{ ifname: string; flags: string[] }[]>('link', 'show'),
    namespace.run(['nft', 'list', 'table', 'inet', 'lifeline'], { mayFail: true }),
  ])
  const rules = ['input', 'forward'].map((hook) => `iifname "${DEVICE}" goto ${hook}_${LINE}`)
  return {
    device: links.some(({ ifname, flags }) => ifname === DEVICE && flags.includes('UP')),
    filtered: rules.every((rule) => stdout.includes(rule)),
  }
}

/**
 * Somebody else opens the orphaned device and lets packets in to all its addresses: pings are answered, connections are
 * not. Packets are taken one after another, so an answer to the ping means that nothing before it was answered.
 */
async function assertNothingGetsIn(net: Network): Promise<void> {
  const links = await net.router.namespace.show<{ addr_info: { local: string }[] }[]>(
    'address',
    'show',
    'dev',
    DEVICE,
  )
  const own = links.flatMap((link) => link.addr_info?.map(({ local }) => local) ?? [])
  for (const family of [4, 6] as const) {
    const targets = own.filter((to) => to.includes(':') === (family === 6))
    const before = await watched(net)
    const packets = targets.flatMap((to) => {
      const ends = { from: to.startsWith('fe80') ? 'fe80::1' : address.internet[`ipv${family}`], to }
      return [inIp(ends, 6, tcpSyn(ends, 40_000, PORT)), inIp(ends, family === 4 ? 1 : 58, echoRequest(ends))]
    })
    const octets = family === 4 ? 40 : 60
    const tun = `TUN,tun-name=${DEVICE},tun-type=tun,iff-no-pi`
    const intruder = net.router.namespace.start('intruder', ['socat', '-b', `${octets}`, '-', tun])
    try {
      await waitFor(`${targets} to answer pings`, async () => {
        // Packets that come while the device wakes up may be lost: then all are sent again.
        const round = await watched(net)
        intruder.write(Buffer.concat(packets))
        const answered = waitFor(
          'all pings of a round',
          async () => {
            const { opened, echoed } = await watched(net)
            assert.equal(opened, before.opened, `${targets} answered to a stranger; seed ${SEED}`)
            return echoed === round.echoed + targets.length
          },
          { within: 3000 },
        )
        return answered.catch((error) =>
          error instanceof assert.AssertionError ? Promise.reject(error) : false,
        )
      })
    } finally {
      await intruder.stop()
    }
  }
}

async function watched(net: Network): Promise<{ opened: number; echoed: number }> {
  const { stdout } = await net.router.namespace.run(['nft', 'list', 'counters', 'table', 'inet', 'watch'])
  const count = (name: string) =>
    Number(new RegExp(`counter ${name} \\{\\s*packets (\\d+)`).exec(stdout)?.[1])
  return { opened: count('opened'), echoed: count('echoed') }
}
