import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { steeringMark } from '../../../src/core/config/marks.ts'
import type { Config } from '../../../src/core/config/types.ts'
import { failoverConfig } from '../../core/system/failover-samples.ts'
import { configOf, tunnelOf } from '../../core/system/samples.ts'
import { waitFor } from '../wait.ts'
import {
  type BuiltHouse,
  connect,
  echo,
  Flow,
  House,
  INTERNET,
  LAN_HOST,
  LAN_HOST6,
  SESSION,
  SHARED,
} from './house.ts'
import type { KernelDaemon } from './kernel-daemon.ts'

const SECOND = '198.18.0.7'
const ports = (first: number, last = first) => ({ first, last })

/** Two tunnels with a static address each, for servers; the machine's own traffic stays where it was. */
function serverConfig(): Config {
  const tunnel = (name: string) => tunnelOf(name, { defaultroute: false })
  return {
    ...configOf([tunnel('aaisp'), tunnel('other')]),
    firewalls: [
      {
        name: 'internet',
        paths: [],
        allow: [{ protocols: ['tcp'], ports: [ports(25), ports(443)], sources: [] }],
        allowForward: [
          {
            protocols: ['tcp'],
            ports: [ports(443)],
            sources: [],
            destination: { address: LAN_HOST6, length: 128 },
          },
        ],
        lan: [],
        policy: 'drop',
        snat: 'auto',
      },
    ],
    redirects: [
      {
        name: 'web',
        protocols: ['tcp'],
        srcDport: ports(8080),
        srcIps: [],
        destIp: LAN_HOST,
        destPort: ports(80),
        enabled: true,
      },
      {
        name: 'range',
        protocols: ['tcp'],
        srcDport: ports(9000, 9002),
        srcIps: [{ address: INTERNET, length: 32 }],
        destIp: LAN_HOST,
        destPort: ports(79, 81),
        enabled: true,
      },
    ],
  }
}

describe('servers behind two tunnels at once', { timeout: 120_000 }, () => {
  let house: BuiltHouse
  let daemon: KernelDaemon

  before(async () => {
    house = await House.build()
    // Fibre is a line like any other here.
    await house.router.ip(
      `addr del ${SHARED}/32 dev pppoe-aaisp`,
      'addr add 192.0.2.2/24 dev pppoe-aaisp',
      'route replace default via 192.0.2.1 dev pppoe-aaisp onlink',
    )
    daemon = house.daemon()
    assert.deepEqual(await daemon.ask({ do: 'configure', config: serverConfig() }), [])
    const sessions = { aaisp: SHARED, other: SECOND }
    let position = 0
    for (const [tunnel, address] of Object.entries(sessions)) {
      const session = { ...SESSION, ipv4: { address, peer: undefined } }
      assert.deepEqual(await daemon.ask({ do: 'show', tunnel, session }), [])
      await house.farEnd(daemon, `l2tp-${tunnel}`, position)
      await house.isp.ip(`route replace ${address}/32 dev lns${position++}`)
    }
    // BCP 38, as real providers have it: what comes over the wrong line is lost.
    await house.isp.nft(`table inet bcp38 { chain arriving { type filter hook prerouting priority raw;
      iifname "isp-f" ip saddr { ${SHARED}, ${SECOND} } drop
      iifname "lns0" ip saddr != ${SHARED} drop
      iifname "lns1" ip saddr != ${SECOND} drop
      }
    }`)
    for (const port of [22, 25]) await echo(house.router, port)
    for (const port of [79, 80, 81]) await echo(house.lan, port)
  })
  after(() => house.close())

  for (const address of [SHARED, SECOND]) {
    it(`a local socket answers from ${address}, over its tunnel`, async () => {
      assert.equal((await connect(house.isp, address, 25, { from: INTERNET })).outcome, 'connected')
    })

    it(`a port forward answers from ${address}, over its tunnel`, async () => {
      const answer = await connect(house.isp, address, 8080, { from: INTERNET })
      assert.equal(answer.outcome, 'connected')
    })

    it(`nothing else is open at ${address}`, async () => {
      for (const port of [22, 80, 81, 1701])
        assert.equal(
          (await connect(house.isp, address, port, { from: INTERNET, within: 200 })).outcome,
          'silence',
          `port ${port}`,
        )
    })
  }

  it('a range leads port by port, for the senders that it names', async () => {
    for (const port of [9000, 9001, 9002])
      assert.equal((await connect(house.isp, SHARED, port, { from: INTERNET })).outcome, 'connected')
    const stranger = await connect(house.isp, SHARED, 9001, { from: '10.64.0.1', within: 200 })
    assert.equal(stranger.outcome, 'silence')
  })

  it('a host of the LAN is not reached past its forward', async () => {
    await house.isp.ip('route replace 192.168.1.0/24 dev lns0')
    try {
      const direct = await connect(house.isp, LAN_HOST, 80, { from: INTERNET, within: 200 })
      assert.equal(direct.outcome, 'silence')
    } finally {
      await house.isp.ip('route del 192.168.1.0/24 dev lns0')
    }
  })

  it("the machine's own traffic, and the LAN's, keep to main", async () => {
    for (const from of [[], ['from', LAN_HOST, 'iif', 'br-lan']]) {
      const [route] = await house.router.show<{ dev: string }[]>('route', 'get', INTERNET, ...from)
      assert.equal(route?.dev, 'pppoe-aaisp')
    }
  })

  it('both work at the same time, and go on', async () => {
    const flows = [
      await Flow.open(house.isp, SHARED, 8080),
      await Flow.open(house.isp, SECOND, 8080),
      await Flow.open(house.isp, SHARED, 25),
    ]
    for (const flow of flows) await waitFor('the flow to go on', async () => (await flow.ask()).count > 20)
    const counts = await Promise.all(flows.map(async (flow) => (await flow.ask()).count))
    for (const [i, flow] of flows.entries()) {
      await waitFor('the flow to go on', async () => (await flow.ask()).count > (counts[i] ?? 0) + 20)
      await flow.close()
    }
  })
})

describe('a probe that is steered', { timeout: 60_000 }, () => {
  it('leaves by the uplink of its mark from the shared address, and its answer may come by the tunnel', async () => {
    const house = await House.build()
    try {
      const config = failoverConfig()
      const daemon = house.daemon()
      await daemon.ask({ do: 'configure', config })
      await daemon.ask({ do: 'show', tunnel: 'aaisp', session: SESSION })
      await house.farEnd(daemon)
      await daemon.ask({ do: 'route', active: { kind: 'path', name: 'aaisp' } })
      await house.provide('lns0')
      const mark = steeringMark(config, 'fibre')
      await house.isp.nft(`table inet seen { chain arriving { type filter hook prerouting priority raw;
        iifname "isp-f" ip saddr ${SHARED} icmp type echo-request counter name steered
        }
        counter steered {
        }
      }`)
      const ping = ['ping', '-c', '3', '-i', '0.1', '-W', '30', '-I', SHARED, '-m', String(mark), INTERNET]
      const said = (await house.router.run(ping, { mayFail: true })).stdout
      assert.match(said, /3 received/, said)
      const { stdout } = await house.isp.run(['nft', 'list', 'counters', 'table', 'inet', 'seen'])
      assert.match(stdout, /packets 3 /)
    } finally {
      await house.close()
    }
  })
})
