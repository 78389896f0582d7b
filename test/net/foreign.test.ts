/** Others on the same machine: what is theirs is never touched, and what they do to ours is mended without a leak. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { type KernelState, kernelState } from './kernel-state.ts'
import type { Process } from './process.ts'
import {
  assertCarriesTraffic,
  DEVICE,
  dial,
  LINE,
  lineOf,
  run,
  subscriber,
  TUNNEL_SECRET,
  tunnelOf,
  waitForNewSession,
} from './scenario.ts'
import { Knocking, span } from './strangers.ts'
import { buildNetwork, type Network } from './topology.ts'
import { waitFor } from './wait.ts'

const alice = subscriber('alice', 1)
const bob = subscriber('bob', 2)
/** How routes and rules of lifeline are marked. */
const PROTOCOL = '108'
/** A port on which the router listens, everywhere. */
const PORT = 2222

interface Attack {
  readonly name: string
  /** Of a shell. */
  readonly commands: readonly string[]
  /** Nothing in the kernel stops strangers until the daemon hears of it: what counts is how long that takes. */
  readonly filters?: boolean
}

/** `ip rule flush` takes the kernel's own rules too. */
const OWN_RULES = ['32766 table main', '32767 table default']

const ATTACKS: readonly Attack[] = [
  { name: 'all nft tables flushed', commands: ['nft flush ruleset'], filters: true },
  { name: 'our nft table deleted', commands: ['nft delete table inet lifeline'], filters: true },
  { name: 'our nft table emptied', commands: ['nft flush table inet lifeline'], filters: true },
  { name: 'a chain emptied', commands: [`nft flush chain inet lifeline input_${LINE}`], filters: true },
  { name: 'a rule put before ours', commands: ['nft insert rule inet lifeline input accept'], filters: true },
  {
    name: 'our nft table replaced',
    commands: [
      "printf 'table inet lifeline\\ndelete table inet lifeline\\ntable inet lifeline { }\\n' | nft -f -",
    ],
    filters: true,
  },
  {
    name: 'all rules flushed',
    commands: [
      'ip rule flush',
      ...OWN_RULES.map((rule) => `ip rule add pref ${rule}`),
      'ip -6 rule flush',
      'ip -6 rule add pref 32766 table main',
    ],
  },
  {
    name: 'the active table flushed',
    commands: ['ip route flush table 17010', 'ip -6 route flush table 17010'],
  },
  {
    name: "the tunnel's table flushed",
    commands: ['ip route flush table 17011', 'ip -6 route flush table 17011'],
  },
  {
    name: "the uplink's table flushed",
    commands: ['ip route flush table 17060', 'ip -6 route flush table 17060'],
  },
  { name: 'the addresses flushed', commands: [`ip address flush dev ${DEVICE}`] },
  { name: 'the device set down', commands: [`ip link set ${DEVICE} down`] },
  { name: 'the device deleted', commands: [`ip link del ${DEVICE}`] },
  {
    name: 'the device renamed',
    commands: [`ip link set ${DEVICE} down`, `ip link set ${DEVICE} name other0 up`],
    filters: true,
  },
  { name: 'the MTU changed', commands: [`ip link set ${DEVICE} mtu 1300`] },
  {
    name: 'everything at once',
    commands: ['nft flush ruleset', 'ip rule flush protocol 108', `ip link del ${DEVICE}`],
    filters: true,
  },
]

/** Besides others' numbers also such as lifeline uses itself, under another protocol. */
const FOREIGN_STATE = [
  'addr add 10.1.0.1/24 dev lan0',
  'tuntap add dev l2tp-theirs mode tun',
  'addr add 10.2.0.1/24 dev l2tp-theirs',
  'link set l2tp-theirs up',
  'route add 10.3.0.0/16 via 10.1.0.2 dev lan0 proto static',
  'route add blackhole 10.4.0.0/16 metric 7',
  'route add default via 10.1.0.2 dev lan0 metric 900 proto dhcp',
  'route add 10.5.0.0/16 dev lan0 table 17010 proto static',
  'route add 10.6.0.0/16 dev lan0 table 17011',
  'route add default via 10.1.0.2 table 100 proto 42',
  'route add unreachable default table 101 metric 4278198272',
  'route add 2001:db8:33::/48 via 2001:db8:2::2 dev lan0 proto ra',
  'route add 2001:db8:55::/48 dev lan0 table 17010',
  'route add default via 2001:db8:2::2 table 100 metric 5',
  'rule add from 10.1.0.0/24 lookup 100 priority 100',
  'rule add fwmark 0x100/0xff00 lookup 101 priority 31000 protocol static',
  'rule add to 10.7.0.0/16 lookup main priority 31010',
  'rule add iif lan0 to 10.8.0.0/16 prohibit priority 31040',
]

const FOREIGN_RULES6 = [
  'rule add from 2001:db8:2::/64 lookup 100 priority 31030',
  'rule add fwmark 0x7 lookup main priority 5',
]

const FOREIGN_TABLES = `
table inet theirs {
  set hosts { type ipv4_addr; elements = { 10.1.0.9, 10.1.0.10 } }
  counter seen { }
  chain forward { type filter hook forward priority 0; policy accept; ip saddr @hosts counter accept; }
  chain input { type filter hook input priority -5; ip protocol icmp counter name seen; }
}
table ip nat {
  chain postrouting { type nat hook postrouting priority srcnat; oifname { "wan0", "wan1" } masquerade; }
}
table ip lifeline {
  chain input { type filter hook input priority 0; counter; }
}
table inet lifeline2 {
  chain input { type filter hook input priority 0; counter; }
}
`

describe('what belongs to others', { timeout: 300_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({
      users: [alice, bob],
      tunnelSecret: TUNNEL_SECRET,
      uplinks: 2,
      ipv6Underlay: true,
    })
    await net.router.namespace.ip(...FOREIGN_STATE)
    await net.router.namespace.run(['ip', '-6', '-batch', '-'], { input: FOREIGN_RULES6.join('\n') })
    await net.router.namespace.nft(FOREIGN_TABLES)
  })
  after(() => net.close())

  test('is touched by no start, reload, switch, reconnect or stop', async (t) => {
    const { namespace } = net.router
    const clean = await kernelState(namespace)
    const theirs = JSON.stringify(partOf(clean, 'theirs'))
    const untouched = async (after: string) =>
      assert.equal(JSON.stringify(partOf(await kernelState(namespace), 'theirs')), theirs, `after ${after}`)
    const monitors = await watchChanges(net)

    const uplink = { fibre: { device: 'wan0' }, lte: { device: 'wan1' } }
    const watchful = { uplink: ['fibre', 'lte'], echo_interval: 1, echo_failures: 2 }
    const config = { uplink, tunnel: { [LINE]: tunnelOf(alice, watchful) } }
    const lifeline = run(t, net, config)
    const first = await lifeline.waitForUp(LINE)
    await untouched('the start')

    const added = { ...config.tunnel, second: tunnelOf(bob, { ip4table: 100, ip6table: 100 }) }
    lifeline.reload({ uplink, tunnel: added })
    await lifeline.waitForUp('second')
    await untouched('a reload that adds a tunnel')
    const changed = tunnelOf(alice, {
      ...watchful,
      ipaddr: '203.0.113.80/29',
      ip6prefix: '2001:db8:f001::/48',
    })
    lifeline.reload({ uplink, tunnel: { [LINE]: changed } })
    const second = await waitForNewSession(lifeline, first)
    await waitFor('bob to be gone', async () => (await lifeline.status())?.tunnel.second === undefined)
    await untouched('a reload that changes one and removes one')

    await net.uplinks[0].lose(100)
    const third = await waitForNewSession(lifeline, second)
    assert.equal(third.uplink, 'lte')
    await net.uplinks[0].lose(0)
    await untouched('a switch to the other uplink')
    await lifeline.cli('reconnect', LINE)
    await waitForNewSession(lifeline, third)
    await untouched('a reconnect')
    await lifeline.kill9()
    await untouched('a crash')
    const next = run(t, net, config)
    await next.waitForUp(LINE)
    await untouched('a restart')
    assert.equal(await next.stop(), 0)
    assert.deepEqual(await kernelState(namespace), clean)

    const { changes, foreign } = await monitors.stop()
    t.diagnostic(`${changes} changes in the kernel, all of them ours`)
    assert.ok(changes > 100)
    assert.deepEqual(foreign, [])
  })
})

describe('what others do to ours', { timeout: 300_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET, ipv6Underlay: true })
    const listener = `TCP6-LISTEN:${PORT},fork,reuseaddr,ipv6only=0`
    await net.router.namespace
      .start('listener', ['socat', '-d', '-d', listener, 'PIPE'])
      .waitForOutput(/listening/)
  })
  after(() => net.close())

  for (const { name, commands, filters = false } of ATTACKS) {
    test(`is mended: ${name}`, async (t) => {
      const strangers = await Knocking.start(net, [alice.ipv4, alice.ipv6], PORT)
      t.after(() => strangers.close())
      const { tunnel } = await dial(t, net, alice, { ip6prefix: alice.prefix })
      const { namespace } = net.router
      let ours = ''
      await waitFor('the kernel to be at rest', async () => {
        const before = ours
        ours = unordered(partOf(await kernelState(namespace), 'ours'))
        return ours === before
      })
      let now = ''
      const began = performance.now()
      const attacked = Date.now()
      await namespace.run(['sh', '-ec', commands.join('\n')])
      await waitFor(
        'all to be as before',
        async () => {
          now = unordered(partOf(await kernelState(namespace), 'ours'))
          return now === ours
        },
        { every: 10, explain: () => different(ours, now) },
      )
      const mended = performance.now() - began
      await assertCarriesTraffic(net, tunnel)
      const leaks = await strangers.stop()
      const window = leaks.length === 0 ? 'no leak' : `${leaks.length} leaks in ${span(leaks)} ms`
      t.diagnostic(`mended within ${mended.toFixed(0)} ms; ${window}`)
      const early = leaks.filter((at) => at < attacked)
      assert.deepEqual(early, [], 'strangers were answered before anybody did anything')
      if (filters) assert.ok(leaks.length === 0 || span(leaks) < 1000, window)
      else assert.deepEqual(leaks, [])
    })
  }

  test('nothing passes while filters are gone and cannot be loaded', async (t) => {
    const { namespace } = net.router
    const failing = `${namespace.folder}/nft-fails`
    const wrapper = `#!/bin/sh\n[ -e ${failing} ] && { echo 'no nftables today' >&2; exit 1; }\nexec "$REAL_NFT" "$@"\n`
    mkdirSync(`${namespace.folder}/bin`)
    writeFileSync(`${namespace.folder}/bin/nft`, wrapper, { mode: 0o755 })
    const { stdout: realNft } = await namespace.run(['sh', '-c', 'command -v nft'])
    const env = { PATH: `${namespace.folder}/bin:${process.env.PATH}`, REAL_NFT: realNft.trim() }
    const lifeline = net.router.lifeline({ config: lineOf(alice), env })
    t.after(() => lifeline.stop())
    const tunnel = await lifeline.waitForUp(LINE)
    const strangers = await Knocking.start(net, [alice.ipv4, alice.ipv6], PORT)
    t.after(() => strangers.close())

    writeFileSync(failing, '')
    await namespace.run(['nft', 'flush', 'ruleset'])
    await waitFor('the refusal in the log', () => lifeline.log.includes('no nftables today'))
    await net.internet.ping(alice.ipv4, { count: 5 })
    assert.equal((await net.internet.ping(alice.ipv4)).received, 0, 'a ping passed without filters')
    rmSync(failing)
    await waitFor('pings to pass', async () => (await net.internet.ping(alice.ipv4)).received === 1)
    await assertCarriesTraffic(net, tunnel)
    const leaks = await strangers.stop()
    t.diagnostic(`${leaks.length} leaks${leaks.length === 0 ? '' : ` in ${span(leaks)} ms`}`)
    assert.ok(leaks.length === 0 || span(leaks) < 1000)
  })

  test('a leak would be seen', async (t) => {
    const strangers = await Knocking.start(net, [alice.ipv4, alice.ipv6], PORT)
    t.after(() => strangers.close())
    await dial(t, net, alice, { firewall: 'none' })
    await waitFor('strangers to be answered', async () => (await strangers.leaks()).length > 10)
  })
})

/** What is lifeline's, or all the rest; the rest with its order. */
function partOf(state: KernelState, whose: 'ours' | 'theirs'): unknown {
  type Item = Readonly<Record<string, unknown>>
  const isOurs = (item: Item) => {
    const [table] = Object.values(item) as { family?: string; name?: string; table?: string }[]
    const inTable = table?.family === 'inet' && (table.table ?? table.name) === 'lifeline'
    return inTable || item.protocol === PROTOCOL || [item.dev, item.ifname].some(isOurDevice)
  }
  const part = (items: unknown) => (items as Item[]).filter((item) => isOurs(item) === (whose === 'ours'))
  const parts = (lists: unknown) => (lists as unknown[]).map(part)
  return {
    links: part(state.links),
    addresses: part(state.addresses),
    routes: parts(state.routes),
    rules: parts(state.rules),
    nft: part((state.nft as { nftables: unknown }).nftables),
    sysctls: state.sysctls.filter((line) => /\.l2tp-(line|second)\./.test(line) === (whose === 'ours')),
  }
}

function isOurDevice(name: unknown): boolean {
  return name === DEVICE || name === 'l2tp-second'
}

/** As text, without regard to the order of lists. */
function unordered(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(unordered).sort().join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, item]) => `${key}:${unordered(item)}`)
    .sort()
    .join()}}`
}

/** Where two texts of `unordered` begin to differ. */
function different(was: string, is: string): string {
  const at = [...was].findIndex((char, i) => char !== is[i])
  return `was: ${was.slice(Math.max(0, at - 200), at + 300)}\nis: ${is.slice(Math.max(0, at - 200), at + 300)}`
}

/** Watches what is changed in the kernel, by anybody, until stopped. */
async function watchChanges(net: Network) {
  const { namespace } = net.router
  const ip = namespace.start('ip monitor', ['ip', '-o', 'monitor', 'link', 'address', 'route', 'rule'])
  const nft = namespace.start('nft monitor', ['nft', 'monitor'])
  await Promise.all([ip, nft].map((monitor, i) => isListening(net, monitor, i)))
  return {
    async stop() {
      const before = [ip.output.length, nft.output.length]
      await Promise.all([isListening(net, ip, 2), isListening(net, nft, 3)])
      const lines = [ip.output.slice(0, before[0]), nft.output.slice(0, before[1])]
        .flatMap((text) => text.split('\n'))
        .filter((line) => line !== '' && !/marker/.test(line) && !/^# new generation/.test(line))
      await Promise.all([ip.stop(), nft.stop()])
      const ours = new RegExp(`proto ${PROTOCOL}\\b|l2tp-(${LINE}|second)\\b|inet lifeline\\b`)
      return { changes: lines.length, foreign: lines.filter((line) => !ours.test(line)) }
    },
  }
}

/** A change of the test's own shows up. */
async function isListening({ router }: Network, monitor: Process, number: number): Promise<void> {
  const marker = `marker${number}`
  await waitFor('the monitor to listen', async () => {
    await router.namespace.ip(`tuntap add ${marker} mode tun`, `tuntap del ${marker} mode tun`)
    await router.namespace.nft(`table inet ${marker}\ndelete table inet ${marker}`)
    return monitor.output.includes(marker)
  })
}
