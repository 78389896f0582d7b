import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, afterEach, before, describe, it } from 'node:test'
import { configOf, tunnelOf } from '../../core/system/samples.ts'
import { type Namespace, NamespaceGroup } from '../namespace.ts'
import { waitFor } from '../wait.ts'
import { type DictatedSession, KernelDaemon, snapshot } from './kernel-daemon.ts'

/*
 *   router                      isp
 *   eth0 192.0.2.2/24 --------- isp0 192.0.2.1, 192.0.2.9
 *        2001:db8:f::2/64            2001:db8:f::1
 *   l2tp-aaisp: the tunnel that the test dictates
 */

const DEVICE = 'l2tp-aaisp'
const CONFIG = configOf([
  tunnelOf('aaisp', {
    ipaddrs: [{ address: '203.0.113.65', length: 29 }],
    ip6prefixes: [{ address: '2001:db8:2::', length: 56 }],
  }),
])
const SESSION: DictatedSession = {
  mtu: 1462,
  ipv4: { address: '203.0.113.10', peer: '203.0.113.1' },
  ipv6: {
    interfaceId: '020a0000000000aa',
    addresses: [{ address: '2001:db8:1:10:20a::aa', length: 128, deprecated: false }],
  },
  underlay: { device: 'eth0', server: '198.51.100.1' },
}

interface Shown {
  readonly ifname: string
  readonly ifindex: number
  readonly mtu: number
  readonly flags: readonly string[]
  readonly ifalias?: string
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: { readonly persist?: boolean } }
  readonly inet6_addr_gen_mode?: string
}

let group: NamespaceGroup
let router: Namespace
let clean: unknown
const daemons: KernelDaemon[] = []

async function makeRouter(): Promise<void> {
  group = new NamespaceGroup()
  const [first, isp] = await group.add('router', 'isp')
  assert.ok(first && isp)
  router = first
  await isp.ip('link set lo up')
  await router.ip(
    'link set lo up',
    `link add eth0 index 7 type veth peer name isp0 index 9 netns ${isp.name}`,
    'addr add 192.0.2.2/24 dev eth0',
    'addr add 2001:db8:f::2/64 dev eth0 nodad',
    'link set eth0 addrgenmode none up',
  )
  await isp.ip('addr add 192.0.2.1/24 dev isp0', 'link set isp0 addrgenmode none up')
  await router.ip('route add default via 192.0.2.1', 'route add default via 2001:db8:f::1')
  await waitFor('the link', async () => (await link('eth0'))?.flags.includes('LOWER_UP'))
  clean = await snapshot(router)
}

function start(options?: ConstructorParameters<typeof KernelDaemon>[1]): KernelDaemon {
  const daemon = new KernelDaemon(router, options)
  daemons.push(daemon)
  return daemon
}

async function started(): Promise<KernelDaemon> {
  const daemon = start()
  assert.deepEqual(await daemon.ask({ do: 'configure', config: CONFIG }), [])
  assert.deepEqual(await daemon.ask({ do: 'show', tunnel: 'aaisp', session: SESSION }), [])
  return daemon
}

async function link(name: string): Promise<Shown | undefined> {
  return (await router.show<Shown[]>('-d', 'link')).find(({ ifname }) => ifname === name)
}

/** The device over which a packet to the world would leave, of both families. */
async function waysOut(): Promise<string[]> {
  const ways = ['9.9.9.9', '2620:fe::fe'].map(async (target) => {
    const [route] = await router.show<{ dev: string }[]>('route', 'get', target)
    return route?.dev ?? ''
  })
  return Promise.all(ways)
}

async function tables(): Promise<string[]> {
  const { nftables } = JSON.parse((await router.run(['nft', '-j', 'list', 'tables'])).stdout)
  return nftables.flatMap((item: { table?: { family: string; name: string } }) =>
    item.table ? [`${item.table.family} ${item.table.name}`] : [],
  )
}

/** The lines that `ip monitor` prints while something is done. */
async function announcedDuring(objects: readonly string[], act: () => Promise<unknown>): Promise<string[]> {
  const monitor = router.start('monitor', ['ip', 'monitor', ...objects])
  await router.ip('addr add 192.0.2.200/32 dev lo')
  await router.ip('addr del 192.0.2.200/32 dev lo')
  await monitor.waitForOutput(/Deleted .*192\.0\.2\.200/)
  const from = monitor.output.length
  await act()
  await router.ip('addr add 192.0.2.201/32 dev lo')
  await router.ip('addr del 192.0.2.201/32 dev lo')
  await monitor.waitForOutput(/Deleted .*192\.0\.2\.201/)
  await monitor.stop()
  return monitor.output
    .slice(from)
    .split('\n')
    .filter((line) => line.includes(DEVICE))
}

describe('the kernel, with a tunnel that the test dictates', () => {
  before(makeRouter)
  after(() => group.remove())
  afterEach(async () => {
    for (const daemon of daemons.splice(0)) if (daemon.process.running) await daemon.kill()
    await router.run(['sh', '-c', `ip link del ${DEVICE}; nft flush ruleset`], { mayFail: true })
    for (const family of ['-4', '-6']) {
      await router.run(['ip', family, 'rule', 'flush', 'protocol', '108'], { mayFail: true })
      await router.run(['ip', family, 'route', 'flush', 'table', 'all', 'protocol', '108'], { mayFail: true })
    }
  })

  it('holds device, addresses, routes, rules and filters as ip and nft show them', async () => {
    await started()
    const device = await link(DEVICE)
    assert.deepEqual(
      {
        mtu: device?.mtu,
        alias: device?.ifalias,
        kind: device?.linkinfo?.info_kind,
        persist: device?.linkinfo?.info_data?.persist,
        addrGenMode: device?.inet6_addr_gen_mode,
        up: device?.flags.includes('UP') && device.flags.includes('LOWER_UP'),
      },
      {
        mtu: 1462,
        alias: 'lifeline tunnel aaisp',
        kind: 'tun',
        persist: true,
        addrGenMode: 'none',
        up: true,
      },
    )
    const [{ addr_info }] = (await router.show('address', 'show', 'dev', DEVICE)) as [{ addr_info: object[] }]
    const shown = addr_info as { local: string; address?: string; prefixlen: number; tentative?: boolean }[]
    assert.deepEqual(
      shown.map(({ local, address, prefixlen }) => [local, address, prefixlen].join(' ')).sort(),
      [
        '2001:db8:1:10:20a::aa  128',
        '203.0.113.10 203.0.113.1 32',
        '203.0.113.65  32',
        'fe80::20a:0:0:aa  64',
      ],
    )
    assert.ok(!shown.some(({ tentative }) => tentative))
    assert.deepEqual(await waysOut(), [DEVICE, DEVICE])
    assert.deepEqual(await tables(), ['inet lifeline'])
    // The main table has nothing new but the link-local route of the device.
    const main = await router.show<{ dev: string; dst: string }[]>('-6', 'route', 'show', 'table', 'main')
    assert.deepEqual(
      main.filter(({ dev }) => dev === DEVICE).map(({ dst }) => dst),
      ['fe80::/64'],
    )
    const main4 = await router.show<{ dev: string }[]>('route', 'show', 'table', 'main')
    assert.ok(!main4.some(({ dev }) => dev === DEVICE))
  })

  it('sends what is bound to the uplink, and what is for the LNS, past the tunnel', async () => {
    await started()
    const dev = async (...words: string[]) =>
      (await router.show<{ dev: string }[]>('route', 'get', ...words))[0]?.dev
    assert.equal(await dev('9.9.9.9', 'oif', 'eth0'), 'eth0')
    assert.equal(await dev('198.51.100.1'), 'eth0')
    assert.equal(await dev('9.9.9.9', 'from', '203.0.113.65'), DEVICE)
    assert.equal(await dev('192.0.2.77'), 'eth0')
    // An unused part of our own blocks is refused, not sent back into the tunnel.
    for (const target of ['203.0.113.70', '2001:db8:2:77::1']) {
      const { stderr } = await router.run(['ip', 'route', 'get', target], { mayFail: true })
      assert.match(stderr, /unreachable|No route to host/)
    }
  })

  it('falls through to main while there is no session, and touches no address', async () => {
    const daemon = await started()
    const announced = await announcedDuring(['address'], async () => {
      await daemon.ask({ do: 'show', tunnel: 'aaisp' })
      assert.deepEqual(await waysOut(), ['eth0', 'eth0'])
      await daemon.ask({ do: 'show', tunnel: 'aaisp', session: SESSION })
      assert.deepEqual(await waysOut(), [DEVICE, DEVICE])
    })
    assert.deepEqual(announced, [])
  })

  it('falls through to main after SIGKILL, with the filters in place, and the next start takes over', async () => {
    await (await started()).kill()
    await waitFor('lookups in main', async () => (await waysOut()).every((device) => device === 'eth0'))
    assert.deepEqual(await tables(), ['inet lifeline'])
    const index = (await link(DEVICE))?.ifindex
    const announced = await announcedDuring(['address', 'route', 'rule'], async () => {
      const next = start()
      await next.ask({ do: 'remember', tunnel: 'aaisp', session: SESSION })
      assert.deepEqual(await next.ask({ do: 'configure', config: CONFIG }), [])
      assert.deepEqual(await next.ask({ do: 'show', tunnel: 'aaisp', session: SESSION }), [])
    })
    assert.deepEqual(announced, [])
    assert.equal((await link(DEVICE))?.ifindex, index)
    assert.deepEqual(await waysOut(), [DEVICE, DEVICE])
  })

  it('leaves no trace after a clean stop, also of what a killed process left', async () => {
    await (await started()).kill()
    const next = start()
    await next.ask({ do: 'configure', config: configOf([tunnelOf('other')]) })
    assert.equal(await link(DEVICE), undefined)
    assert.deepEqual(await next.ask({ do: 'clear' }), [])
    assert.deepEqual(await snapshot(router), clean)
  })

  it('makes again what somebody removes', async () => {
    const daemon = await started()
    const whole = await snapshot(router)
    const attacks = [
      ['nft', 'flush', 'ruleset'],
      ['ip', 'rule', 'flush', 'protocol', '108'],
      ['ip', 'route', 'flush', 'table', '17010'],
      ['ip', 'address', 'flush', 'dev', DEVICE],
      ['ip', 'link', 'set', DEVICE, 'down'],
    ]
    for (const attack of attacks) {
      await router.run(attack)
      let now: unknown = whole
      await waitFor(
        `all to be back after ${attack.join(' ')}`,
        async () => {
          now = await snapshot(router)
          return unordered(now) === unordered(whole)
        },
        { explain: () => differences(whole, now).join('\n') },
      )
    }
    await router.run(['ip', 'link', 'del', DEVICE])
    await waitFor('the device to be back', async () => (await waysOut()).every((device) => device === DEVICE))
    assert.deepEqual(await daemon.ask({ do: 'clear' }), [])
    assert.deepEqual(await snapshot(router), clean)
  })

  it('follows the gateway of the uplink', async () => {
    await started()
    const gateway = async () =>
      (await router.show<{ gateway: string }[]>('route', 'get', '9.9.9.9', 'oif', 'eth0'))[0]?.gateway
    assert.equal(await gateway(), '192.0.2.1')
    await router.ip('route replace default via 192.0.2.9')
    await waitFor('the new gateway', async () => (await gateway()) === '192.0.2.9')
    await router.ip('route replace default via 192.0.2.1')
    await waitFor('the old gateway', async () => (await gateway()) === '192.0.2.1')
  })

  it('brings no device up that cannot be filtered', async () => {
    const broken = `${group.folder}/nft`
    writeFileSync(broken, '#!/bin/sh\necho "Error: no nftables here" >&2\nexit 1\n')
    chmodSync(broken, 0o755)
    const daemon = start({ mounts: { '/usr/sbin/nft': broken } })
    const failures = await daemon.ask({ do: 'configure', config: CONFIG })
    assert.equal(failures.length, 1)
    assert.match(failures[0] ?? '', /could not load nft table inet lifeline: .*no nftables here/)
    await daemon.ask({ do: 'show', tunnel: 'aaisp', session: SESSION })
    assert.equal((await link(DEVICE))?.flags.includes('UP') ?? false, false)
    assert.deepEqual(await waysOut(), ['eth0', 'eth0'])
  })
})

describe('the golden rulesets', () => {
  before(makeRouter)
  after(() => group.remove())

  const folder = new URL('../../fixtures/firewall/', import.meta.url)
  for (const name of readdirSync(folder)) {
    it(`${name} loads, twice`, async () => {
      const text = readFileSync(new URL(name, folder), 'utf8')
      await router.nft(text)
      const once = await router.run(['nft', 'list', 'table', 'inet', 'lifeline'])
      await router.nft(text)
      assert.deepEqual(await router.run(['nft', 'list', 'table', 'inet', 'lifeline']), once)
    })
  }
})

/** Addresses and rules of the same priority come back in another order. */
function unordered(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(unordered).sort().join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .filter(([key]) => key !== 'handle')
    .map(([key, item]) => `${key}:${unordered(item)}`)
    .sort()
    .join()}}`
}

/** What one snapshot has and the other has not, each as `unordered` writes it. */
function differences(whole: unknown, now: unknown): string[] {
  const items = (value: unknown) =>
    Object.entries(value as Record<string, readonly unknown[]>).flatMap(([kind, list]) =>
      list.map((item) => `${kind} ${unordered(item)}`),
    )
  const [before, after] = [items(whole), items(now)]
  return [
    ...before.filter((item) => !after.includes(item)).map((item) => `missing: ${item}`),
    ...after.filter((item) => !before.includes(item)).map((item) => `too much: ${item}`),
  ]
}
