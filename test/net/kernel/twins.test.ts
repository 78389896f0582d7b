import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Config } from '../../../src/core/config/types.ts'
import { failoverConfig } from '../../core/system/failover-samples.ts'
import { FIREWALL, uplinkOf } from '../../core/system/samples.ts'
import { type Namespace, NamespaceGroup } from '../namespace.ts'
import { connect, INTERNET, LAN_HOST } from './house.ts'
import { KernelDaemon } from './kernel-daemon.ts'

/** Ours behind both modems, and that of both modems. */
const OURS = '192.168.8.100'
const GATEWAY = '192.168.8.1'

/** Two modems of one make: two lines with the same address behind the same gateway. */
function twinsConfig(firewalls: Config['firewalls']): Config {
  const { failover } = failoverConfig()
  return {
    ...failoverConfig({ firewalls }),
    tunnels: [],
    uplinks: [uplinkOf('one', 'usb0'), uplinkOf('two', 'usb1')],
    failover: failover && { ...failover, paths: ['one', 'two'] },
  }
}

const ALLOWED = { protocols: ['tcp' as const], ports: [{ first: 25, last: 25 }], sources: [] }
const SECTION = { ...FIREWALL, allow: [ALLOWED] }

/** Tells everybody on a TCP port who it is. */
async function tell(host: Namespace, port: number, name: string): Promise<void> {
  const script = `require('net').createServer((s) => { s.on('error', () => {}); s.write('${name}') })
    .listen(${port}, () => console.log('listening'))`
  await host.start(`${name} on ${port}`, [process.execPath, '-e', script]).waitForOutput(/listening/)
}

/** Who answers on a TCP port, or `silence`. */
async function who(host: Namespace, to: string, port: number): Promise<string> {
  const script = `
    const end = (text) => { console.log(text); process.exit() }
    const socket = require('net').connect({ host: '${to}', port: ${port} })
    socket.on('error', (error) => end(error.code))
    socket.on('data', (data) => end(String(data)))
    setTimeout(() => end('silence'), 40_000)`
  return (await host.run([process.execPath, '-e', script])).stdout.trim()
}

describe('two modems with the same address', { timeout: 120_000 }, () => {
  const group = new NamespaceGroup()
  const modems: Namespace[] = []
  let lan: Namespace
  let router: Namespace
  let daemon: KernelDaemon

  before(async () => {
    const [first, second, ...others] = await group.add('router', 'lan', 'one', 'two')
    if (first === undefined || second === undefined) throw new Error('four namespaces are needed')
    ;[router, lan] = [first, second]
    modems.push(...others)
    await router.sysctl(
      'net.ipv4.ip_forward=1',
      'net.ipv4.conf.all.rp_filter=0',
      'net.ipv4.conf.default.rp_filter=0',
    )
    await router.ip('link set lo up', `link add br-lan type veth peer name lan0 netns ${lan.name}`)
    await router.ip('addr add 192.168.1.1/24 dev br-lan', 'link set br-lan up')
    await lan.ip('link set lan0 up', `addr add ${LAN_HOST}/24 dev lan0`, 'route add default via 192.168.1.1')
    for (const [i, modem] of modems.entries()) {
      await router.ip(
        `link add usb${i} type veth peer name eth0 netns ${modem.name}`,
        `addr add ${OURS}/24 dev usb${i} metric ${100 + i}`,
        `link set usb${i} up`,
        `route add default via ${GATEWAY} dev usb${i} onlink metric ${100 + i}`,
      )
      await modem.ip(
        'link set lo up',
        'link set eth0 up',
        `addr add ${GATEWAY}/24 dev eth0`,
        `addr add ${INTERNET}/32 dev lo`,
      )
      await tell(modem, 80, i === 0 ? 'one' : 'two')
    }
    await tell(router, 25, 'router')
    daemon = new KernelDaemon(router)
  })
  after(async () => {
    await daemon.kill()
    group.remove()
  })

  for (const [words, firewalls] of [
    ['without a firewall section', []],
    ['with one', [SECTION]],
  ] as const) {
    it(`${words}: either carries the traffic of this machine, there and back again`, async () => {
      assert.deepEqual(await daemon.ask({ do: 'configure', config: twinsConfig([...firewalls]) }), [])
      for (const name of ['one', 'two', 'one', 'two']) {
        assert.deepEqual(await daemon.ask({ do: 'route', active: { kind: 'path', name } }), [])
        assert.equal(await who(router, INTERNET, 80), name)
      }
    })

    it(`${words}: each answers what came in over it, whichever carries the traffic`, async () => {
      for (const name of ['one', 'two']) {
        await daemon.ask({ do: 'route', active: { kind: 'path', name } })
        for (const modem of modems)
          assert.equal((await connect(modem, OURS, 25, { from: INTERNET })).outcome, 'connected')
      }
    })
  }

  it('either carries the traffic of the LAN, with its own address', async () => {
    for (const name of ['one', 'two', 'one']) {
      await daemon.ask({ do: 'route', active: { kind: 'path', name } })
      assert.equal(await who(lan, INTERNET, 80), name)
    }
  })

  it('a socket that is bound to either device reaches its modem, also at its private address', async () => {
    await router.ip(`route del 192.168.8.0/24 dev usb0`)
    for (const [i, name] of ['one', 'two'].entries()) {
      await daemon.ask({ do: 'route', active: { kind: 'path', name } })
      const [route] = await router.show<{ dev: string }[]>('route', 'get', GATEWAY, 'oif', `usb${i}`)
      assert.equal(route?.dev, `usb${i}`)
      const ping = ['ping', '-c', '1', '-W', '2', '-I', `usb${i}`, GATEWAY]
      assert.match((await router.run(ping, { mayFail: true })).stdout, /1 received/)
    }
  })

  it('what is not allowed stays out on both', async () => {
    await tell(router, 26, 'router')
    for (const modem of modems)
      assert.equal((await connect(modem, OURS, 26, { within: 300 })).outcome, 'silence')
  })
})
