/** What the daemon tells others of this machine: hooks, and the service that manages resolvers. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import * as address from './addresses.ts'
import type { Lifeline } from './lifeline.ts'
import { DEVICE, LINE, lineOf, subscriber, TUNNEL_SECRET, waitForAll } from './scenario.ts'
import { buildNetwork, type Network } from './topology.ts'
import { waitFor } from './wait.ts'

const alice = subscriber('alice', 1)

describe('hooks and resolvers', { timeout: 300_000 }, () => {
  let net: Network
  let notes: string
  let calls: string

  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET })
    const { folder } = net.router.namespace
    notes = join(folder, 'notes')
    calls = join(folder, 'calls')
    mkdirSync(join(folder, 'etc/lifeline/hooks.d'), { recursive: true })
    writeFileSync(join(folder, 'etc/resolv.conf'), '')
    const variables = ['EVENT', 'PATH', 'DEVICE', 'IPV4'].map((name) => `$LIFELINE_${name}`).join(' ')
    program(join(folder, 'etc/lifeline/hooks.d/10-note'), `echo "${variables}" >>${notes}`)
    mkdirSync(join(folder, 'bin'))
    program(join(folder, 'bin/resolvectl'), `echo "$*" >>${calls}`)
    // systemd-resolved seems to run.
    mkdirSync(join(folder, 'run/systemd/resolve'), { recursive: true })
  })
  after(() => net.close())

  function start(t: TestContext, peerdns = '1'): Lifeline {
    for (const file of [notes, calls]) writeFileSync(file, '')
    const { folder } = net.router.namespace
    const lifeline = net.router.lifeline({
      config: lineOf(alice, { peerdns }),
      env: { PATH: `${join(folder, 'bin')}:${process.env.PATH}` },
      mounts: { '/etc': join(folder, 'etc') },
    })
    t.after(() => lifeline.stop())
    return lifeline
  }

  const told = (file: string) => readFileSync(file, 'utf8').split('\n').slice(0, -1)
  const servers = [...address.tunnel.dns, address.tunnel.ipv6Dns].join(' ')
  const DNS = [`dns ${DEVICE} ${servers}`, `default-route ${DEVICE} yes`]
  /** The LNS names the first two, the router inside the third one, a little later. */
  const offered = () =>
    waitFor('the resolvers', () => told(calls).slice(-2).join() === DNS.join(), {
      explain: () => told(calls).join('\n'),
    })

  test('a hook learns of the tunnel, and of its end before the daemon is gone', async (t) => {
    const lifeline = start(t)
    await waitForAll(lifeline)
    const up = `tunnel_up ${LINE} ${DEVICE} ${alice.ipv4}`
    await waitFor('the hook', () => told(notes).includes(up), { explain: () => lifeline.log })
    assert.equal(await lifeline.stop(), 0)
    const events = told(notes).map((line) => line.split(' ')[0])
    assert.deepEqual(
      events.filter((event) => event?.startsWith('tunnel')),
      ['tunnel_up', 'tunnel_down'],
    )
  })

  test('a hook that hangs delays neither the tunnel nor, for long, the end', async (t) => {
    const { folder } = net.router.namespace
    const hanging = join(folder, 'etc/lifeline/hooks.d/00-hangs')
    program(hanging, 'exec sleep 65')
    t.after(() => chmodSync(hanging, 0o644))
    const lifeline = start(t)
    await waitForAll(lifeline)
    const began = performance.now()
    assert.equal(await lifeline.stop(), 0)
    const took = performance.now() - began
    assert.ok(took < 9000, `${took} ms`)
    assert.match(lifeline.log, /a hook took too long and was ended/)
  })

  test('resolvers are offered with peerdns while the tunnel is up, and withdrawn at the end', async (t) => {
    const lifeline = start(t)
    await waitForAll(lifeline)
    await offered()
    assert.equal(await lifeline.stop(), 0)
    assert.deepEqual(told(calls).slice(-3), [...DNS, `revert ${DEVICE}`])
    assert.equal(told(calls).filter((call) => call.startsWith('revert')).length, 1)
  })

  test('down withdraws them, up offers them again', async (t) => {
    const lifeline = start(t)
    await waitForAll(lifeline)
    await offered()
    await lifeline.cli('down', LINE)
    await waitFor('the withdrawal', () => told(calls).at(-1) === `revert ${DEVICE}`)
    await lifeline.cli('up', LINE)
    await offered()
  })

  test('what a killed daemon has left is withdrawn by the next one, before its tunnel is up', async (t) => {
    const first = start(t)
    await waitForAll(first)
    await offered()
    await first.kill9()
    const second = start(t)
    await waitForAll(second)
    await offered()
    assert.equal(told(calls)[0], `revert ${DEVICE}`, second.log)
  })

  test('without peerdns nobody is told', async (t) => {
    const lifeline = start(t, '0')
    await waitForAll(lifeline)
    assert.equal(await lifeline.stop(), 0)
    assert.deepEqual(told(calls), [])
  })
})

function program(file: string, body: string): void {
  writeFileSync(file, `#!/bin/sh\n${body}\n`)
  chmodSync(file, 0o755)
}
