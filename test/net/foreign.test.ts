/** Others on the same machine: what is theirs is never touched, and what they do to ours is mended without a leak. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { kernelState } from './kernel-state.ts'
import type { Namespace } from './namespace.ts'
import { partOf, settleOthers, watchChanges } from './others.ts'
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
/** The devices of its tunnels. */
const DEVICES = [DEVICE, 'l2tp-second']
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

describe('what belongs to others', { timeout: 300_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({
      users: [alice, bob],
      tunnelSecret: TUNNEL_SECRET,
      uplinks: 2,
      ipv6Underlay: true,
    })
    await settleOthers(net.router.namespace)
  })
  after(() => net.close())

  test('is touched by no start, reload, switch, reconnect or stop', async (t) => {
    const { namespace } = net.router
    const clean = await kernelState(namespace)
    const theirs = JSON.stringify(partOf(clean, 'theirs', DEVICES))
    const untouched = async (after: string) =>
      assert.equal(
        JSON.stringify(partOf(await kernelState(namespace), 'theirs', DEVICES)),
        theirs,
        `after ${after}`,
      )
    const monitors = await watchChanges(namespace, DEVICES)

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
        ours = unordered(partOf(await kernelState(namespace), 'ours', DEVICES))
        return ours === before
      })
      let now = ''
      const began = performance.now()
      const attacked = Date.now()
      await namespace.run(['sh', '-ec', commands.join('\n')])
      await waitFor(
        'all to be as before',
        async () => {
          now = unordered(partOf(await kernelState(namespace), 'ours', DEVICES))
          return now === ours
        },
        { every: 10, explain: () => different(ours, now) },
      )
      const mended = performance.now() - began
      const whole = Date.now()
      await assertCarriesTraffic(net, tunnel)
      const leaks = await strangers.stop()
      const window = leaks.length === 0 ? 'no leak' : `${leaks.length} leaks in ${span(leaks)} ms`
      t.diagnostic(`mended within ${mended.toFixed(0)} ms; ${window}`)
      const early = leaks.filter((at) => at < attacked)
      assert.deepEqual(early, [], 'strangers were answered before anybody did anything')
      if (filters)
        assert.deepEqual(
          leaks.filter((at) => at > whole),
          [],
          'strangers were answered after it was mended',
        )
      else assert.deepEqual(leaks, [])
    })
  }

  test('nothing passes while filters are gone and cannot be loaded', async (t) => {
    const { namespace } = net.router
    const { env, failing } = await breakableNft(namespace)
    const lifeline = net.router.lifeline({ config: lineOf(alice), env })
    t.after(() => lifeline.stop())
    const tunnel = await lifeline.waitForUp(LINE)
    const strangers = await Knocking.start(net, [alice.ipv4, alice.ipv6], PORT)
    t.after(() => strangers.close())

    writeFileSync(failing, '')
    await namespace.run(['nft', 'flush', 'ruleset'])
    await waitFor('the refusal in the log', () => lifeline.log.includes('no nftables today'))
    await net.internet.ping(alice.ipv4, { count: 5 })
    const closed = Date.now()
    assert.equal((await net.internet.ping(alice.ipv4)).received, 0, 'a ping passed without filters')
    rmSync(failing)
    await waitFor('pings to pass', async () => (await net.internet.ping(alice.ipv4)).received === 1)
    await assertCarriesTraffic(net, tunnel)
    const leaks = await strangers.stop()
    t.diagnostic(`${leaks.length} leaks${leaks.length === 0 ? '' : ` in ${span(leaks)} ms`}`)
    assert.deepEqual(
      leaks.filter((at) => at > closed),
      [],
      'strangers were answered once the refusal was known',
    )
  })

  test('a stop leaves nothing behind where filters could never be loaded', async (t) => {
    const { namespace } = net.router
    const clean = await kernelState(namespace)
    const { env, failing } = await breakableNft(namespace)
    writeFileSync(failing, '')
    t.after(() => rmSync(failing))
    const lifeline = net.router.lifeline({ config: lineOf(alice), env })
    t.after(() => lifeline.stop())
    const { last_error: error } = await lifeline.waitForError(LINE)
    assert.equal(error?.code, 'firewall_refused')
    assert.equal(await lifeline.stop(), 0)
    assert.deepEqual(await kernelState(namespace), clean)
  })

  test('without filters an LNS is left alone, and dialled soon after they can be loaded', async (t) => {
    const { env, failing } = await breakableNft(net.router.namespace)
    writeFileSync(failing, '')
    const capture = await net.lns.capture(`${net.folder}/refused.pcap`)
    const lifeline = net.router.lifeline({ config: lineOf(alice), env })
    t.after(() => lifeline.stop())
    await lifeline.waitForTunnel(LINE, 'to be dialled a fourth time', ({ attempts }) => attempts >= 4)
    const requests = (await capture.stop()).filter((line) => line.includes('SCCRQ'))
    assert.ok(requests.length <= 1, 'only one that began beside the first load')
    rmSync(failing)
    await assertCarriesTraffic(net, await lifeline.waitForUp(LINE))
  })

  test('a leak would be seen', async (t) => {
    const strangers = await Knocking.start(net, [alice.ipv4, alice.ipv6], PORT)
    t.after(() => strangers.close())
    await dial(t, net, alice, { firewall: 'none' })
    await waitFor('strangers to be answered', async () => (await strangers.leaks()).length > 10)
  })
})

/** For the environment: an nft that fails while the file `failing` exists. */
async function breakableNft(namespace: Namespace): Promise<{ env: Record<string, string>; failing: string }> {
  const { folder } = namespace
  const failing = `${folder}/nft-fails`
  const wrapper = `#!/bin/sh\n[ -e ${failing} ] && { echo 'no nftables today' >&2; exit 1; }\nexec "$REAL_NFT" "$@"\n`
  mkdirSync(`${folder}/bin`, { recursive: true })
  writeFileSync(`${folder}/bin/nft`, wrapper, { mode: 0o755 })
  const { stdout } = await namespace.run(['sh', '-c', 'command -v nft'])
  return { env: { PATH: `${folder}/bin:${process.env.PATH}`, REAL_NFT: stdout.trim() }, failing }
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
