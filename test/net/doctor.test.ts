/** `lifeline doctor` on a router with real uplinks, filters and an LNS. */
import assert from 'node:assert/strict'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Finding } from '../../src/app/doctor/finding.ts'
import * as address from './addresses.ts'
import { PROGRAM } from './router.ts'
import { buildNetwork, type Network } from './topology.ts'
import { waitFor } from './wait.ts'

const SECRET = 'tunnelsecret'

describe('doctor', () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({
      users: [{ name: 'alice', password: 'wonderland', ipv4: '203.0.113.10' }],
      uplinks: 2,
      tunnelSecret: SECRET,
      lnsMtu: 1400,
      names: { 'lns.example': [address.lns.ipv4] },
    })
  })
  after(() => net.close())

  function config(tunnel: Readonly<Record<string, unknown>> = {}) {
    const uplinks = net.uplinks.map(({ device, gateway }) => [device, { device, dns: gateway.ipv4 }])
    return {
      uplink: Object.fromEntries(uplinks),
      tunnel: {
        alice: {
          server: 'lns.example',
          username: 'alice',
          password: 'wonderland',
          tunnel_secret: SECRET,
          uplink: net.uplinks.map(({ device }) => device),
          ...tunnel,
        },
      },
    }
  }

  async function doctor(tunnel?: Readonly<Record<string, unknown>>, firewall?: { readonly lan: string }) {
    const file = join(net.folder, 'doctor.json')
    writeFileSync(
      file,
      JSON.stringify({ ...config(tunnel), ...(firewall && { firewall: { internet: firewall } }) }),
      { mode: 0o600 },
    )
    const { namespace } = net.router
    const { code, stdout } = await namespace.run([PROGRAM, 'doctor', '--json', '-c', file], { mayFail: true })
    const findings: Finding[] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const about = (subject: string) => findings.filter((finding) => finding.subject === subject)
    return { code, findings, about }
  }

  test('a healthy router: everything is found over both uplinks, and the path is measured', async () => {
    const { code, findings, about } = await doctor()
    assert.deepEqual(
      findings.filter(({ severity }) => severity === 'problem'),
      [],
    )
    assert.equal(code, 0)
    for (const subject of ['permissions', 'TUN devices', 'netlink', 'nftables', 'other firewalls']) {
      assert.deepEqual(
        about(subject).map(({ severity }) => severity),
        ['ok'],
        subject,
      )
    }
    for (const { device } of net.uplinks) {
      const [server] = about(`alice: lns.example over ${device}`)
      assert.match(server?.message ?? '', /^192\.0\.2\.1 answers as \S+ after \d+ ms$/)
      const [mtu] = about(`alice: MTU to 192.0.2.1 over ${device}`)
      assert.equal(mtu?.severity, 'warning')
      assert.match(
        mtu?.message ?? '',
        /^only 1400 octets get through in one piece, and the tunnel's MTU is 1462/,
      )
      assert.equal(mtu?.advice, "set option mtu '1362' for the tunnel")
    }
    await waitFor('no tunnel left at the LNS', async () => (await net.lns.tunnels()).length === 0)
  })

  test('a session that is up is left alone', async () => {
    const lifeline = net.router.lifeline({ config: config() })
    const { since } = await lifeline.waitForUp('alice')
    const { code } = await doctor()
    assert.equal(code, 0)
    assert.equal((await lifeline.status())?.tunnel.alice?.since, since)
    assert.equal((await lifeline.status())?.tunnel.alice?.state, 'up')
    await lifeline.stop()
  })

  test('a wrong tunnel secret, a name that does not exist, a server that is none', async () => {
    const { code, about } = await doctor({
      tunnel_secret: 'other',
      server: ['lns.example', 'nowhere.example', address.ispAtLns.ipv4],
      uplink: net.uplinks[0].device,
    })
    const over = `over ${net.uplinks[0].device}`
    assert.equal(code, 1)
    assert.match(about(`alice: lns.example ${over}`)[0]?.message ?? '', /tunnel secret/)
    assert.match(
      about(`alice: nowhere.example ${over}`)[0]?.message ?? '',
      /^cannot be looked up: .*nowhere\.example/,
    )
    assert.deepEqual(about(`alice: ${address.ispAtLns.ipv4} ${over}`), [
      {
        severity: 'problem',
        subject: `alice: ${address.ispAtLns.ipv4} ${over}`,
        message: `nothing listens at ${address.ispAtLns.ipv4} on UDP port 1701`,
        advice: 'check the address; if it is right, the LNS is down',
      },
    ])
  })

  test('a filter that drops L2TP is named', async () => {
    await net.router.namespace.nft(
      'table inet mine { chain out { type filter hook output priority 0; udp dport 1701 oifname "wan0" drop; }; }',
    )
    try {
      const { code, about } = await doctor()
      assert.equal(code, 1)
      assert.deepEqual(about('other firewalls'), [
        {
          severity: 'problem',
          subject: 'other firewalls',
          message: 'the chain inet mine out drops L2TP over wan0 (UDP port 1701)',
          advice: 'allow UDP to port 1701 out of wan0, and the answers to it',
        },
      ])
      assert.equal(about('alice: lns.example over wan0')[0]?.severity, 'problem')
      assert.equal(about('alice: lns.example over wan1')[0]?.severity, 'ok')
    } finally {
      await net.router.namespace.nft('delete table inet mine')
    }
  })

  test('a strict reverse path filter on the standby uplink is found', async () => {
    await net.router.namespace.sysctl('net.ipv4.conf.wan1.rp_filter=1')
    try {
      const { about } = await doctor()
      assert.deepEqual(
        about('reverse-path filter').map(({ severity, advice }) => [severity, advice]),
        [['warning', 'sysctl -w net.ipv4.conf.wan1.rp_filter=2, and make it last in /etc/sysctl.d']],
      )
      assert.equal(about('alice: lns.example over wan1')[0]?.severity, 'problem')
    } finally {
      await net.router.namespace.sysctl('net.ipv4.conf.wan1.rp_filter=0')
    }
  })

  test('a port that another program holds: it is named, and so is what else speaks L2TP here', async (t) => {
    // The kernel knows a program by the name of its file.
    const rival = join(net.folder, 'xl2tpd')
    symlinkSync((await net.router.namespace.run(['which', 'socat'])).stdout.trim(), rival)
    const held = net.router.namespace.start('rival', [rival, '-d', '-d', 'UDP4-RECVFROM:1701,fork', 'PIPE'])
    t.after(() => held.stop())
    await waitFor('the port is held', async () =>
      (await net.router.namespace.run(['cat', '/proc/net/udp'])).stdout.includes(':06A5 '),
    )
    const { code, about } = await doctor({ local_port: 1701, uplink: net.uplinks[0].device })
    assert.equal(code, 1)
    const [server] = about(`alice: lns.example over ${net.uplinks[0].device}`)
    assert.match(server?.message ?? '', /held by xl2tpd \(process \d+\), so the tunnel cannot be dialled$/)
    assert.match(about('other programs')[0]?.message ?? '', /^xl2tpd \(process \d+\) is running/)
  })

  test('a network behind it without forwarding in the kernel', async () => {
    const { namespace } = net.router
    await namespace.sysctl('net.ipv4.ip_forward=0', 'net.ipv6.conf.all.forwarding=0')
    try {
      const { about } = await doctor({ uplink: net.uplinks[0].device }, { lan: 'lan0' })
      assert.deepEqual(
        about('forwarding').map(({ severity }) => severity),
        ['warning', 'warning'],
      )
    } finally {
      await namespace.sysctl('net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1')
    }
    const { about } = await doctor({ uplink: net.uplinks[0].device }, { lan: 'lan0' })
    assert.deepEqual(
      about('forwarding').map(({ severity }) => severity),
      ['ok'],
    )
  })

  test('an uplink without a link is said to be down', async () => {
    await net.router.namespace.ip('link set wan1 down')
    const { about } = await doctor()
    assert.equal(about('uplink wan1')[0]?.message, 'wan1 has no link')
    assert.equal(about('uplink wan0')[0]?.severity, 'ok')
  })
})
