import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Config } from '../../../src/core/config/types.ts'
import { configOf, tunnelOf } from '../../core/system/samples.ts'
import type { Namespace } from '../namespace.ts'
import { type BuiltHouse, House, INTERNET, INTERNET6, PREFIX, SESSION, SHARED } from './house.ts'
import type { KernelDaemon } from './kernel-daemon.ts'

const SHARED6 = '2001:db8:1::10'
const SECOND = '198.18.0.7'
const SECOND6 = '2001:db8:7::7'
const FIBRE = '192.0.2.2'
const ROUTER = '192.168.1.1'
const ROUTER6 = '2001:db8:2:1::1'

/** Of the daemon that is bound to 0.0.0.0, and of the one that is bound to ::, which gets IPv4 as well. */
const PORT4 = 655
const PORT = 656
const REFUSED = 657
const port = (first: number) => ({ first, last: first })

/** The server of the README with a second address, whose own traffic keeps to the line. */
function serverConfig(): Config {
  const tunnels = [
    tunnelOf('aaisp', { defaultroute: false, ip6prefixes: [{ address: '2001:db8:2::', length: 56 }] }),
    tunnelOf('other', { defaultroute: false }),
  ]
  return {
    ...configOf(tunnels),
    firewalls: [
      {
        name: 'internet',
        paths: [],
        allow: [{ protocols: ['udp'], ports: [port(PORT4), port(PORT)], sources: [] }],
        allowForward: [],
        lan: [],
        policy: 'drop',
        snat: 'auto',
      },
    ],
    redirects: [
      {
        name: 'here',
        protocols: ['udp'],
        srcDport: port(6655),
        srcIps: [],
        destIp: ROUTER,
        destPort: port(PORT4),
        enabled: true,
      },
    ],
  }
}

/** A daemon that answers everything with as much as it got. */
async function daemonOn(host: Namespace, type: 'udp4' | 'udp6', at: number, address = ''): Promise<void> {
  const script = `
    const socket = require('dgram').createSocket('${type}')
    socket.on('message', (data, { port, address }) => socket.send(data, port, address, (e) => e && console.log(e.code)))
    socket.bind({ port: ${at}, address: '${address}' || undefined }, () => console.log('bound'))`
  await host.start(`daemon on ${at}`, [process.execPath, '-e', script]).waitForOutput(/bound/)
}

interface Question {
  readonly to: string
  readonly port?: number
  readonly size?: number
}

/** Asks one after the other from the same port: who answered each, or `silence`. */
async function ask(host: Namespace, from: string, ...questions: readonly Question[]): Promise<string[]> {
  const script = `
    const questions = ${JSON.stringify(questions)}
    const socket = require('dgram').createSocket('${from.includes(':') ? 'udp6' : 'udp4'}')
    const answers = []
    let waiting
    const next = () => {
      const { to, port = ${PORT}, size = 20 } = questions[answers.length] ?? {}
      if (to === undefined) { console.log(JSON.stringify(answers)); process.exit() }
      socket.send(Buffer.alloc(size, answers.length + 1), port, to)
      waiting = setTimeout(() => said('silence'), port === ${REFUSED} ? 1500 : 40_000)
    }
    const said = (who) => { clearTimeout(waiting); answers.push(who); next() }
    socket.on('message', (data, { address }) => {
      const { size = 20 } = questions[answers.length]
      if (data[0] === answers.length + 1) said(data.length === size ? address : 'other data')
    })
    socket.bind(0, '${from}', next)`
  const { stdout } = await host.run([process.execPath, '-e', script])
  return JSON.parse(stdout)
}

describe('UDP daemons that are bound to no address', { timeout: 120_000 }, () => {
  let house: BuiltHouse
  let daemon: KernelDaemon

  before(async () => {
    house = await House.build()
    await house.router.ip(
      `addr del ${SHARED}/32 dev pppoe-aaisp`,
      `addr add ${FIBRE}/24 dev pppoe-aaisp`,
      'route replace default via 192.0.2.1 dev pppoe-aaisp onlink',
    )
    daemon = house.daemon()
    assert.deepEqual(await daemon.ask({ do: 'configure', config: serverConfig() }), [])
    const addresses: [string, string, string][] = [
      ['aaisp', SHARED, SHARED6],
      ['other', SECOND, SECOND6],
    ]
    for (const [position, [tunnel, address, address6]] of addresses.entries()) {
      const session = {
        ...SESSION,
        ipv4: { address, peer: undefined },
        ipv6: {
          interfaceId: `020a00000000000${position + 1}`,
          addresses: [{ address: address6, length: 64, deprecated: false }],
        },
      }
      assert.deepEqual(await daemon.ask({ do: 'show', tunnel, session }), [])
      await house.farEnd(daemon, `l2tp-${tunnel}`, position)
      for (const each of [address, address6]) await house.isp.ip(`route replace ${each} dev lns${position}`)
    }
    await house.isp.ip(`route replace ${PREFIX} dev lns0`, `route replace ${FIBRE} dev isp-f`)
    // BCP 38, as real providers have it: what comes over the wrong line is lost.
    await house.isp.nft(`table inet bcp38 { chain arriving { type filter hook prerouting priority raw;
      iifname "isp-f" ip saddr != ${FIBRE} drop
      iifname "isp-f" ip6 saddr { ${SHARED6}, ${SECOND6}, ${PREFIX} } drop
      iifname "lns0" ip saddr != ${SHARED} drop
      iifname "lns0" ip6 saddr != { ${SHARED6}, ${PREFIX}, fe80::/10 } drop
      iifname "lns1" ip saddr != ${SECOND} drop
      iifname "lns1" ip6 saddr != { ${SECOND6}, fe80::/10 } drop
      }
    }`)
    await daemonOn(house.router, 'udp4', PORT4)
    await daemonOn(house.router, 'udp6', PORT)
    await daemonOn(house.router, 'udp4', REFUSED)
  })
  after(() => house.close())

  for (const to of [SHARED, SECOND]) {
    it(`answer from ${to}, over its tunnel, also in fragments`, async () => {
      const sizes = [20, 1400, 1450, 4000].map((size) => ({ to, size }))
      assert.deepEqual(
        await ask(house.isp, INTERNET, ...sizes),
        sizes.map(() => to),
      )
      assert.deepEqual(await ask(house.isp, INTERNET, { to, port: PORT4 }), [to])
    })
  }

  for (const to of [SHARED6, SECOND6]) {
    it(`answer from ${to}, over its tunnel, also in fragments`, async () => {
      const sizes = [20, 1300, 1440, 4000].map((size) => ({ to, size }))
      assert.deepEqual(
        await ask(house.isp, INTERNET6, ...sizes),
        sizes.map(() => to),
      )
    })
  }

  it('answer from the address that was asked last, of whatever tunnel or line', async () => {
    const turns = [SHARED, SECOND, SHARED, FIBRE, FIBRE, SECOND, FIBRE, SHARED].map((to) => ({ to }))
    assert.deepEqual(
      await ask(house.isp, INTERNET, ...turns),
      turns.map(({ to }) => to),
    )
    const turns6 = [SHARED6, SECOND6, ROUTER6, SHARED6, ROUTER6].map((to) => ({ to }))
    assert.deepEqual(
      await ask(house.isp, INTERNET6, ...turns6),
      turns6.map(({ to }) => to),
    )
  })

  it('answer over the tunnel whose redirect led to them', async () => {
    for (const to of [SHARED, SECOND])
      assert.deepEqual(await ask(house.isp, INTERNET, { to, port: 6655 }), [to])
  })

  it('are remembered as asked only where filters let the question in, and only in tunnels', async () => {
    const known = async () => (await house.router.run(['nft', 'list', 'ruleset'])).stdout
    assert.doesNotMatch(await known(), new RegExp(`\\. ${REFUSED}\\b`))
    assert.deepEqual(await ask(house.isp, INTERNET, { to: SHARED, port: REFUSED }), ['silence'])
    assert.deepEqual(await ask(house.isp, INTERNET, { to: FIBRE, port: REFUSED }), [FIBRE])
    assert.doesNotMatch(await known(), new RegExp(`\\. ${REFUSED}\\b`))
  })

  it('connections of the machine itself keep to its line', async () => {
    const [route] = await house.router.show<{ dev: string }[]>('route', 'get', INTERNET)
    assert.equal(route?.dev, 'pppoe-aaisp')
    await daemonOn(house.isp, 'udp4', 5000, INTERNET)
    assert.deepEqual(await ask(house.router, FIBRE, { to: INTERNET, port: 5000 }), [INTERNET])
  })

  it('answer where the machine itself has no way out in that family', async () => {
    for (const family of ['-4', '-6'])
      await house.router.run(['ip', family, 'route', 'flush', 'default', 'table', 'main'])
    try {
      for (const to of [SHARED, SECOND]) assert.deepEqual(await ask(house.isp, INTERNET, { to }), [to])
      for (const to of [SHARED6, SECOND6, ROUTER6])
        assert.deepEqual(await ask(house.isp, INTERNET6, { to }), [to])
      // Its own traffic has none still.
      for (const to of [INTERNET, INTERNET6])
        await assert.rejects(house.router.run(['ip', 'route', 'get', to]), /unreachable/)
    } finally {
      await house.router.ip(
        'route add default via 192.0.2.1 dev pppoe-aaisp onlink',
        'route add default via fe80::1 dev pppoe-aaisp',
      )
    }
  })
})
