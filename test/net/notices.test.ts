/** Hooks and resolvers of a tunnel that comes and goes. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import * as address from './addresses.ts'
import type { Lifeline } from './lifeline.ts'
import { Notices } from './notices.ts'
import { DEVICE, LINE, lineOf, subscriber, TUNNEL_SECRET, waitForAll } from './scenario.ts'
import { buildNetwork, type Network } from './topology.ts'
import { waitFor } from './wait.ts'

const alice = subscriber('alice', 1)

/** The LNS names the first two, the router inside the third one, a little later. */
const DNS = [
  `dns ${DEVICE} ${[...address.tunnel.dns, address.tunnel.ipv6Dns].join(' ')}`,
  `default-route ${DEVICE} yes`,
]

describe('hooks and resolvers', { timeout: 300_000 }, () => {
  let net: Network
  let notices: Notices

  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET })
    notices = new Notices(net.router)
  })
  after(() => net.close())

  async function dial(t: TestContext, peerdns = '1'): Promise<Lifeline> {
    notices.forget()
    const lifeline = net.router.lifeline({ config: lineOf(alice, { peerdns }), ...notices.options })
    t.after(() => lifeline.stop())
    await waitForAll(lifeline)
    return lifeline
  }

  const offered = () =>
    waitFor('the resolvers', () => notices.calls.slice(-2).join() === DNS.join(), {
      explain: () => notices.calls.join('\n'),
    })

  test('a hook learns of the tunnel, and of its end before the daemon is gone', async (t) => {
    const lifeline = await dial(t)
    const up = `tunnel_up|${LINE}||${alice.ipv4}`
    await waitFor('the hook', () => notices.events.includes(up), { explain: () => lifeline.log })
    assert.equal(await lifeline.stop(), 0)
    const kinds = notices.events.map((line) => line.split('|')[0] ?? '')
    assert.deepEqual(
      kinds.filter((kind) => kind.startsWith('tunnel')),
      ['tunnel_up', 'tunnel_down'],
    )
  })

  test('a hook that hangs delays neither the tunnel nor, for long, the end', async (t) => {
    t.after(notices.hook('00-hangs', 'exec sleep 65'))
    const lifeline = await dial(t)
    assert.equal(await lifeline.stop(), 0)
    assert.match(lifeline.log, /a hook took too long and was ended/)
  })

  test('resolvers are offered with peerdns while the tunnel is up, and withdrawn at the end', async (t) => {
    const lifeline = await dial(t)
    await offered()
    assert.equal(await lifeline.stop(), 0)
    assert.deepEqual(notices.calls.slice(-3), [...DNS, `revert ${DEVICE}`])
    assert.equal(notices.calls.filter((call) => call.startsWith('revert')).length, 1)
  })

  test('down withdraws them, up offers them again', async (t) => {
    const lifeline = await dial(t)
    await offered()
    await lifeline.cli('down', LINE)
    await waitFor('the withdrawal', () => notices.calls.at(-1) === `revert ${DEVICE}`)
    await lifeline.cli('up', LINE)
    await offered()
  })

  test('what a killed daemon has left is withdrawn by the next one, before its tunnel is up', async (t) => {
    const first = await dial(t)
    await offered()
    await first.kill9()
    const second = await dial(t)
    await offered()
    assert.equal(notices.calls[0], `revert ${DEVICE}`, second.log)
  })

  test('without peerdns nobody is told', async (t) => {
    const lifeline = await dial(t, '0')
    assert.equal(await lifeline.stop(), 0)
    assert.deepEqual(notices.calls, [])
  })
})
