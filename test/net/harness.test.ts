/** The harness itself, without lifeline: what it builds works, and nothing of it stays. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as address from './addresses.ts'
import { ECHO_PORT, WHOAMI_PORT } from './internet.ts'
import { startScript } from './script.ts'
import { buildNetwork, type Network } from './topology.ts'
import { tracesOf } from './traces.ts'
import { waitFor } from './wait.ts'

const ALICE = { name: 'alice', password: 'wonderland', ipv4: '203.0.113.10' }

describe('the small internet', () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({
      users: [ALICE],
      uplinks: 2,
      ipv6Underlay: true,
      names: { 'lns.example': [address.lns.ipv4, address.lns.ipv6] },
    })
  })
  after(() => net.close())

  test('the router reaches the LNS and the internet over either uplink', async () => {
    for (const uplink of net.uplinks) {
      for (const to of [address.lns.ipv4, address.lns.ipv6, address.internet.ipv4, address.internet.ipv6]) {
        const { received, output } = await net.router.ping(to, { from: uplink.device })
        assert.equal(received, 1, output)
      }
    }
  })

  test('the lan reaches its router', async () => {
    const { code } = await net.lan.run(['ping', '-n', '-c', '1', '-W', '2', address.routerAtLan.ipv4])
    assert.equal(code, 0)
  })

  test('the internet says who calls, and echoes', async () => {
    const { namespace } = net.router
    const caller = await namespace.run(['socat', '-', `TCP:${address.internet.ipv4}:${WHOAMI_PORT}`])
    assert.equal(caller.stdout.trim(), net.uplinks[0].ipv4)
    const echo = await namespace.run(
      ['socat', '-t', '5', '-', `TCP6:[${address.internet.ipv6}]:${ECHO_PORT}`],
      {
        input: 'hello',
      },
    )
    assert.equal(echo.stdout, 'hello')
  })

  test('the LNS shows its sessions: none', async () => {
    assert.match(await net.lns.cli('show session'), /SID .* Username/)
    assert.deepEqual(await net.lns.sessions(), [])
    assert.deepEqual(await net.lns.tunnels(), [])
  })

  test('the LNS comes back after it was killed', async () => {
    await net.lns.kill()
    await net.lns.start()
    assert.deepEqual(await net.lns.sessions(), [])
  })

  test('RADIUS stops and starts', async () => {
    const listens = async () => {
      const { stdout } = await net.lns.namespace.run(['ss', '-Hlun', 'sport = :1812'])
      return stdout !== ''
    }
    assert.equal(await listens(), true)
    await net.radius.stop()
    assert.equal(await listens(), false)
    await net.radius.start()
    assert.equal(await listens(), true)
  })

  test('a path loses what it is told to lose, and heals', async () => {
    const [uplink] = net.uplinks
    const pings = (count: number) =>
      net.router.ping(address.lns.ipv4, { from: uplink.device, count, interval: 0.01 })
    await uplink.lose(50)
    const { received } = await pings(60)
    assert.ok(received > 0 && received < 60, `${received} of 60 came back`)
    await uplink.lose(100)
    assert.equal((await pings(3)).received, 0)
    await uplink.lose(0)
    assert.equal((await pings(10)).received, 10)
  })

  test('carrier changes are seen', async () => {
    const [uplink] = net.uplinks
    const carrier = async () =>
      (await net.router.namespace.run(['cat', `/sys/class/net/${uplink.device}/carrier`])).stdout.trim()
    await uplink.cut()
    await waitFor('no carrier', async () => (await carrier()) === '0')
    await uplink.plug()
    await waitFor('the carrier', async () => (await carrier()) === '1')
  })

  test('an uplink may be removed, renamed and readdressed', async () => {
    const [uplink] = net.uplinks
    const reached = async () =>
      (await net.router.ping(address.lns.ipv4, { from: uplink.device })).received === 1
    await uplink.remove()
    assert.equal((await net.router.ping(address.lns.ipv4, { from: 'wan1' })).received, 1)
    await uplink.create()
    await waitFor('the new device', reached)
    await uplink.rename('lte0')
    await waitFor('the renamed device', reached)
    await uplink.readdress('100.64.0.77')
    await waitFor('the new address', reached)
  })

  test('the resolver answers, and can be told something else', async () => {
    const look = async () => {
      const query = ['getent', 'ahosts', 'lns.example']
      const resolver = net.router.namespace.folder
      const lookup = net.router.namespace.start('getent', query, {
        mounts: { '/etc/resolv.conf': `${resolver}/resolv.conf` },
      })
      await lookup.exited
      return lookup.output
    }
    assert.match(await look(), new RegExp(`${address.lns.ipv4} `))
    await net.dns?.set({ 'lns.example': ['192.0.2.77'] })
    assert.match(await look(), /192\.0\.2\.77 /)
    await net.dns?.set({})
    assert.equal(await look(), '')
  })

  test('packets at the LNS are recorded', async () => {
    const capture = await net.lns.capture(`${net.folder}/lns.pcap`)
    await net.router.namespace.run(['socat', '-', `UDP:${address.lns.ipv4}:1701`], { input: 'nonsense' })
    await waitFor('the packet', async () => (await capture.lines()).length > 0)
    assert.match((await capture.stop()).join('\n'), /100\.64\.0\.\d+\.\d+ > 192\.0\.2\.1\.1701/)
  })
})

describe('the end of it', () => {
  test('close leaves no namespace, process or file', async () => {
    const net = await buildNetwork()
    const id = basename(net.folder)
    assert.notDeepEqual(tracesOf(id), [])
    await net.close()
    assert.deepEqual(tracesOf(id), [])
  })

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    test(`${signal} leaves nothing that the next run does not sweep`, async (t) => {
      const script = `import { buildNetwork } from './test/net/topology.ts'
        console.log((await buildNetwork()).folder)
        setInterval(() => {}, 1000)`
      const child = startScript('lab', ['--input-type=module', '-e', script], true)
      t.after(() => child.kill('SIGKILL'))
      let output = ''
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding('utf8').on('data', (text) => {
          output += text
        })
      }
      const ended = new Promise((done) => child.on('exit', done))
      await waitFor('the network', () => output.endsWith('\n'), { explain: () => output })
      const id = basename(output.trim())
      assert.notDeepEqual(tracesOf(id), [])
      child.kill(signal)
      await ended
      if (signal === 'SIGKILL') await (await buildNetwork()).close()
      await waitFor('nothing left', () => tracesOf(id).length === 0, {
        explain: () => tracesOf(id).join('\n'),
      })
    })
  }

  test('npm test that is terminated takes its test files along', async (t) => {
    const child = startScript('test', ['core/failover'])
    t.after(() => child.kill('SIGKILL'))
    const ended = new Promise((done) => child.on('exit', done))
    // The runner of tests, and a file.
    const pids = await waitFor('a test file to run', () => {
      const found = descendants(child.pid ?? 0)
      return found.length >= 2 && found
    })
    child.kill('SIGTERM')
    assert.equal(await ended, 128 + 15)
    await waitFor('all of them to be gone', () => !pids.some((pid) => existsSync(`/proc/${pid}`)))
  })
})

function descendants(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number)
    return children.flatMap((child) => [child, ...descendants(child)])
  } catch {
    return []
  }
}
