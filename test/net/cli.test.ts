/** The command line against a running daemon: what users type, see and get as exit codes. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import * as address from './addresses.ts'
import type { Lifeline } from './lifeline.ts'
import type { Namespace } from './namespace.ts'
import { type Outcome, run } from './process.ts'
import { PROGRAM } from './router.ts'
import { buildNetwork, type Network } from './topology.ts'
import { waitFor } from './wait.ts'

const CONFIG = {
  tunnel: { alice: { server: address.lns.ipv4, username: 'alice', password: 'wonderland' } },
}

describe('the command line', () => {
  let net: Network
  let lifeline: Lifeline
  before(async () => {
    net = await buildNetwork({ users: [{ name: 'alice', password: 'wonderland', ipv4: '203.0.113.10' }] })
    lifeline = net.router.lifeline({ config: CONFIG })
    await lifeline.waitForUp('alice')
  })
  after(() => net.close())

  test('status begins with a sentence, and its JSON is the contract', async () => {
    const text = await lifeline.cli('status')
    assert.equal(text.code, 0)
    assert.match(
      text.stdout,
      /^The internet is reached through the tunnel alice as 203\.0\.113\.10 and 2001:db8:1:\S+, for /,
    )
    const json = await lifeline.cli('status', '--json')
    const { schema, internet, tunnel } = JSON.parse(json.stdout)
    assert.deepEqual(
      [schema, internet.state, internet.path, internet.ipv4],
      [1, 'ok', 'alice', '203.0.113.10'],
    )
    assert.deepEqual([tunnel.alice.state, tunnel.alice.auth, tunnel.alice.mtu], ['up', 'chap', 1462])
    for (const key of ['tunnel_id', 'session_id']) {
      assert.equal(typeof tunnel.alice.local[key], 'number')
      assert.equal(typeof tunnel.alice.peer[key], 'number')
    }
  })

  test('the running daemon has nothing left to change', async () => {
    const { code, stdout } = await lifeline.cli('plan')
    assert.equal(code, 0)
    assert.match(stdout, /^Nothing would change\.\n\n# nftables\n[\s\S]*table inet lifeline \{/)
  })

  test('down lasts until up, and events tell of both', async () => {
    const down = await lifeline.cli('down', 'alice')
    assert.deepEqual([down.code, down.stderr], [0, ''])
    await lifeline.waitForTunnel('alice', 'to be disabled', ({ state }) => state === 'disabled')
    await net.lns.waitForNoSession('alice')
    assert.equal((await lifeline.cli('up', 'alice')).code, 0)
    await lifeline.waitForUp('alice')
    const before = (await lifeline.status())?.tunnel.alice?.local.session_id
    assert.equal((await lifeline.cli('reconnect', 'alice')).code, 0)
    await lifeline.waitForTunnel(
      'alice',
      'to have a new session',
      ({ state, local }) => state === 'up' && local.session_id !== before,
    )
    const { stdout } = await lifeline.cli('events', '--no-follow', '-n', '500')
    assert.match(stdout, / alice: disabled \(was [\s\S]* alice: up \(was configuring\)\n/)
  })

  test('status --watch shows each change', async () => {
    const second = net.router.namespace.start('watch', [
      PROGRAM,
      'status',
      '--watch',
      '--json',
      '--socket',
      lifeline.socket,
    ])
    await second.waitForOutput(/"state":"up"/)
    await lifeline.cli('down', 'alice')
    await second.waitForOutput(/"state":"disabled"/)
    await lifeline.cli('up', 'alice')
    await lifeline.waitForUp('alice')
    await second.stop()
  })

  test('wrong names and a missing daemon have exit codes of their own', async () => {
    const unknown = await lifeline.cli('up', 'nobody')
    assert.deepEqual(
      [unknown.code, unknown.stderr],
      [2, 'lifeline: there is no tunnel "nobody": configured are alice\n'],
    )
    const { namespace } = net.router
    const none = await namespace.run([PROGRAM, 'status', '--socket', '/nowhere/control.sock'], {
      mayFail: true,
    })
    assert.equal(none.code, 3)
    assert.match(none.stderr, /^lifeline: no daemon runs/)
  })

  test('a second daemon in the namespace is refused in words, and the first goes on', async () => {
    const other = net.router.lifeline({ config: CONFIG })
    await waitFor('the second daemon to end', () => !other.process.running)
    assert.match(
      other.log,
      /another lifeline \(process \d+\) already works in this network namespace: stop it first/,
    )
    assert.equal((await lifeline.cli('status')).code, 0)
  })

  test('only the owner may use the socket, and no secret is shown', async () => {
    assert.equal(statSync(lifeline.socket).mode & 0o777, 0o600)
    const outputs = await Promise.all([
      lifeline.cli('status', '--json'),
      lifeline.cli('events', '--no-follow', '-n', '500'),
      lifeline.cli('plan'),
      net.router.check(lifeline.file),
      processesIn(net.router.namespace),
    ])
    for (const { stdout, stderr } of outputs) assert.equal(`${stdout}${stderr}`.includes('wonderland'), false)
    assert.equal(lifeline.log.includes('wonderland'), false)
  })
})

/** The command lines of a host; others on this machine may run the same tests. */
function processesIn({ name }: Namespace): Promise<Outcome> {
  return run(['bash', '-c', 'ps ww -p "$(ip netns pids "$0" | paste -sd,)"', name])
}
