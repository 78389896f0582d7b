import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import type { Config } from '../../../src/core/config/types.ts'
import type { ActiveRoute } from '../../../src/core/failover/types.ts'
import { failoverConfig } from '../../core/system/failover-samples.ts'
import { waitFor } from '../wait.ts'
import {
  type BuiltHouse,
  connect,
  echo,
  Flow,
  House,
  INTERNET,
  INTERNET6,
  LAN_HOST6,
  SESSION,
  SHARED,
} from './house.ts'
import { type KernelDaemon, snapshot } from './kernel-daemon.ts'

const FIBRE: ActiveRoute = { kind: 'path', name: 'fibre' }
const TUNNEL: ActiveRoute = { kind: 'path', name: 'aaisp' }
const LTE: ActiveRoute = { kind: 'path', name: 'lte' }
const HOLD: ActiveRoute = { kind: 'hold', awaited: 'aaisp' }

const SECTION: Config['firewalls'][number] = {
  name: 'internet',
  paths: [],
  allow: [{ protocols: ['tcp'], ports: [{ first: 22, last: 22 }], sources: [] }],
  allowForward: [],
  lan: ['br-lan'],
  policy: 'drop',
  snat: 'auto',
}
const OPEN = failoverConfig()
const FILTERED = failoverConfig({ firewalls: [SECTION] })

describe('failover in the kernel', { timeout: 300_000 }, () => {
  let house: BuiltHouse
  let clean: unknown
  let daemon: KernelDaemon
  const flows: Flow[] = []

  before(async () => {
    house = await House.build()
    clean = await snapshot(house.router)
  })
  afterEach(async () => {
    for (const flow of flows.splice(0)) await flow.close()
    await daemon.ask({ do: 'clear' })
    await daemon.kill()
    await house.provide('isp-f')
    await house.isp.ip('route flush table 254 dev lns0').catch(() => {})
    const left = await snapshot(house.router)
    assert.deepEqual(left, clean, 'after a clean stop everything is as it was')
  })
  after(() => house.close())

  async function start(config: Config): Promise<void> {
    daemon = house.daemon()
    assert.deepEqual(await daemon.ask({ do: 'configure', config }), [])
  }

  /** ms from the choice until the kernel holds it. */
  async function route(active: ActiveRoute): Promise<number> {
    assert.deepEqual(await daemon.ask({ do: 'route', active }), [])
    return daemon.took
  }

  async function session(up: boolean): Promise<void> {
    assert.deepEqual(
      await daemon.ask({ do: 'show', tunnel: 'aaisp', ...(up ? { session: SESSION } : {}) }),
      [],
    )
  }

  /** The device by which the LAN's packets leave, or the error. */
  async function wayOut(target: string, from: string): Promise<string> {
    const words = ['ip', '-j', 'route', 'get', target, 'from', from, 'iif', 'br-lan']
    const { stdout, stderr } = await house.router.run(words, { mayFail: true })
    return stdout.startsWith('[') ? (JSON.parse(stdout)[0].dev ?? JSON.parse(stdout)[0].type) : stderr.trim()
  }

  it('loses no packet when it switches between two paths that work', async (t) => {
    await start(OPEN)
    await route(FIBRE)
    await house.isp.ip(`route replace 192.168.1.0/24 via ${SHARED} dev isp-f onlink`)
    const count = 1500
    const flood = house.lan.run(['ping', '-q', '-i', '0.002', '-c', String(count), INTERNET])
    const took: number[] = []
    for (let i = 0; i < 20; i++) {
      took.push(await route(i % 2 === 0 ? LTE : FIBRE))
      await new Promise((done) => setTimeout(done, 60))
    }
    const { stdout } = await flood
    took.sort((a, b) => a - b)
    const [median = 0, worst = 0] = [took[10], took.at(-1)]
    t.diagnostic(
      `a switch takes ${median} ms from the choice to the kernel (median of 20; worst ${worst} ms)`,
    )
    assert.match(stdout, new RegExp(`${count} packets transmitted, ${count} received`), stdout)
  })

  it('keeps TCP alive from fibre into the tunnel and back, by the same address', async () => {
    await start(FILTERED)
    await session(true)
    await session(false)
    await house.farEnd(daemon)
    await route(FIBRE)
    await echo(house.isp, 80)
    const flow = await Flow.open(house.lan, INTERNET, 80)
    flows.push(flow)
    for (let i = 0; i < 5; i++) {
      await route(HOLD)
      await session(true)
      await house.provide('lns0')
      await route(TUNNEL)
      await progresses(flow)
      assert.equal(await wayOut(INTERNET, '192.168.1.5'), 'l2tp-aaisp')
      await house.provide('isp-f')
      await route(FIBRE)
      await session(false)
      await progresses(flow)
    }
    const seen = await house.isp.run(['ss', '-Htn', 'sport', '=', ':80'])
    assert.match(seen.stdout, /ESTAB .*203\.0\.113\.10\]:\d+/)
  })

  async function progresses(flow: Flow): Promise<void> {
    const { count } = await flow.ask()
    await waitFor('the flow to go on', async () => (await flow.ask()).count > count + 20)
  }

  it('holds packets back without a word, for as long as it lives', async () => {
    await start(FILTERED)
    await route(FIBRE)
    await session(true)
    await session(false)
    await route(HOLD)
    assert.equal(await wayOut(INTERNET, '192.168.1.5'), 'l2tp-aaisp')
    assert.equal(await wayOut(INTERNET6, LAN_HOST6), 'l2tp-aaisp')
    await echo(house.isp, 81)
    assert.equal((await connect(house.lan, INTERNET, 81, { within: 300 })).outcome, 'silence')
    await daemon.kill()
    await waitFor(
      'lookups to fall through',
      async () => (await wayOut(INTERNET, '192.168.1.5')) === 'pppoe-aaisp',
    )
    assert.equal(await wayOut(INTERNET6, LAN_HOST6), 'pppoe-aaisp')
    daemon = house.daemon()
    assert.deepEqual(await daemon.ask({ do: 'configure', config: FILTERED }), [])
  })

  it('changes nothing for traffic when it is killed, and started again, while on an uplink', async (t) => {
    await start(FILTERED)
    await route(LTE)
    await echo(house.isp, 82)
    const flow = await Flow.open(house.lan, INTERNET, 82)
    flows.push(flow)
    await daemon.kill()
    assert.equal(await wayOut(INTERNET, '192.168.1.5'), 'wan-4g')
    daemon = house.daemon()
    assert.deepEqual(await daemon.ask({ do: 'configure', config: FILTERED }), [])
    assert.equal(await wayOut(INTERNET, '192.168.1.5'), 'wan-4g')
    await progresses(flow)
    await route(LTE)
    await progresses(flow)
    t.diagnostic(`longest silence of the flow: ${(await flow.ask()).gap} ms`)
  })

  it('tells hosts of a prefix that the path does not own at once, by ICMPv6 code 5', async () => {
    await start(FILTERED)
    await echo(house.isp, 83)
    await route(FIBRE)
    assert.equal((await connect(house.lan, INTERNET6, 83)).outcome, 'connected')
    await route(LTE)
    const { stdout } = await house.lan.run(['ping', '-c', '1', '-W', '5', INTERNET6], { mayFail: true })
    assert.match(stdout, /From 2001:db8:2:1::1 .*(code 5|policy)/i)
    // Linux has a connection refused so wait for its next SYN if the answer comes while the first is being sent.
    assert.equal(
      (await connect(house.lan, INTERNET6, 83)).outcome,
      'EACCES',
      'that is code 5 in words of Linux',
    )
    await route(FIBRE)
    assert.equal((await connect(house.lan, INTERNET6, 83)).outcome, 'connected')
  })

  it('tells hosts that the path has no IPv6 at all', async () => {
    await start(FILTERED)
    await house.router.ip('route del default via 2001:db8:4::1 dev wan-4g metric 2000')
    await house.router.ip('addr del 2001:db8:4::2/64 dev wan-4g')
    try {
      await route(LTE)
      assert.equal((await connect(house.lan, INTERNET6, 83)).outcome, 'ENETUNREACH')
    } finally {
      await house.router.ip('addr add 2001:db8:4::2/64 dev wan-4g nodad')
      await house.router.ip('route add default via 2001:db8:4::1 dev wan-4g metric 2000')
    }
  })

  it('has no IPv6 for its own sockets either then, though another uplink has: that one only answers', async () => {
    await start(FILTERED)
    const { router, isp } = house
    const [lan, uplink] = ['2001:db8:2:1::1/64 dev br-lan nodad', '2001:db8:4::2']
    // No address for new sockets but that of the other uplink.
    await router.ip('route del default via fe80::1 dev pppoe-aaisp', `addr change ${lan} preferred_lft 0`)
    try {
      await echo(isp, 85)
      await echo(router, 22)
      await route(LTE)
      assert.equal((await connect(router, INTERNET6, 85)).outcome, 'connected')
      const flow = await Flow.open(router, INTERNET6, 85)
      flows.push(flow)
      await route(FIBRE)
      assert.equal((await connect(router, INTERNET6, 85)).outcome, 'EHOSTUNREACH')
      // By a route that refuses, at once, not by a neighbour that was waited for in vain.
      const lookup = await router.run(['ip', 'route', 'get', INTERNET6], { mayFail: true })
      assert.match(lookup.stderr + lookup.stdout, /No route to host|^unreachable/)
      assert.equal((await connect(isp, uplink, 22, { from: INTERNET6 })).outcome, 'connected')
      assert.equal((await connect(router, INTERNET6, 85, { from: uplink })).outcome, 'connected')
      await progresses(flow)
    } finally {
      await router.ip(`addr change ${lan}`, 'route add default via fe80::1 dev pppoe-aaisp')
    }
  })

  it('lets out neither forged senders nor packets for private networks', async () => {
    await start(FILTERED)
    await house.isp.nft(`table inet seen { chain arriving { type filter hook prerouting priority raw;
      iifname { "isp-f", "isp-l" } ip saddr { 192.168.0.0/16, 198.51.100.0/24 } counter name forged
      iifname { "isp-f", "isp-l" } ip daddr { 10.9.0.0/16, 172.16.0.0/12 } counter name private
      iifname { "isp-f" } ip saddr 203.0.113.10 counter name good
      iifname { "isp-l" } ip saddr 203.0.113.10 counter name strange
      }
      counter forged {
      }
      counter private {
      }
      counter good {
      }
      counter strange {
      }
    }`)
    await house.lan.ip('addr add 198.51.100.77/32 dev lo')
    const ping = (target: string, ...words: string[]) =>
      house.lan.run(['ping', '-q', '-c', '2', '-i', '0.1', '-W', '1', ...words, target], { mayFail: true })
    try {
      await route(FIBRE)
      assert.equal((await ping(INTERNET)).code, 0)
      await ping(INTERNET, '-I', '198.51.100.77')
      await ping('10.9.9.9')
      await ping('172.20.1.1')
      // A connection that has its translation goes on by it after the switch: not over 4G.
      const flow = house.lan.start('ping', ['ping', '-i', '0.01', INTERNET])
      await flow.waitForOutput(/icmp_seq=5 /)
      await route(LTE)
      await new Promise((done) => setTimeout(done, 200))
      await flow.stop('SIGKILL')
      const counters = await house.isp.run(['nft', '-j', 'list', 'counters', 'table', 'inet', 'seen'])
      const seen = Object.fromEntries(
        JSON.parse(counters.stdout).nftables.flatMap(
          (item: { counter?: { name: string; packets: number } }) =>
            item.counter ? [[item.counter.name, item.counter.packets]] : [],
        ),
      )
      assert.ok(seen.good >= 2)
      assert.deepEqual({ ...seen, good: 0 }, { forged: 0, private: 0, strange: 0, good: 0 })
    } finally {
      await house.lan.ip('addr del 198.51.100.77/32 dev lo')
      await house.isp.nft('delete table inet seen')
    }
  })

  it('forgets exactly the connections of the old address', async () => {
    await start(FILTERED)
    await route(LTE)
    await echo(house.isp, 84)
    const old = await Flow.open(house.lan, INTERNET, 84)
    flows.push(old)
    const own = await Flow.open(house.router, INTERNET, 84)
    flows.push(own)
    await progresses(own)
    await route(FIBRE)
    const other = await Flow.open(house.lan, INTERNET, 84)
    flows.push(other)
    await daemon.ask({ do: 'flush', address: '10.64.0.2', scope: 'translated' })
    const { stdout } = await house.router.run(['cat', '/proc/net/nf_conntrack'])
    const tracked = stdout.split('\n').filter((line) => line.includes('dport=84'))
    assert.ok(
      tracked.some((line) => /src=192\.168\.1\.5 .*dst=203\.0\.113\.10/.test(line)),
      stdout,
    )
    assert.ok(
      tracked.some((line) => /src=10\.64\.0\.2 dst=9\.9\.9\.9/.test(line)),
      'its own socket goes on over 4G',
    )
    assert.ok(!tracked.some((line) => /src=192\.168\.1\.5 .*dst=10\.64\.0\.2/.test(line)), stdout)
    await progresses(other)
    await progresses(own)
  })

  it('lets only the LNS reach the port of a tunnel', async () => {
    await start(FILTERED)
    await daemon.ask({ do: 'guard', port: { device: 'wan-4g', localPort: 50_123, server: '10.64.0.1' } })
    const script = `const socket = require('dgram').createSocket('udp4')
      socket.on('message', (text, from) => console.log('heard ' + text + ' from ' + from.address))
      socket.bind(50123, () => console.log('bound'))`
    const listener = house.router.start('listener', [process.execPath, '-e', script])
    await listener.waitForOutput(/bound/)
    const send = (from: string, to: string, text: string) =>
      house.isp.run([
        process.execPath,
        '-e',
        `const socket = require('dgram').createSocket('udp4'); socket.bind(0, '${from}', () => socket.send('${text}', 50123, '${to}', () => socket.close()))`,
      ])
    await send(INTERNET, '10.64.0.2', 'stranger')
    await send('10.64.0.1', SHARED, 'wrong-uplink')
    await send('10.64.0.1', '10.64.0.2', 'server')
    await listener.waitForOutput(/heard server from 10\.64\.0\.1/)
    assert.doesNotMatch(listener.output, /stranger|wrong-uplink/)
    await listener.stop('SIGKILL')
  })
})
