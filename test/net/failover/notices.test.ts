/** Hooks and resolvers while traffic goes over the tunnel, and back. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as common from '../addresses.ts'
import { Notices } from '../notices.ts'
import { waitFor } from '../wait.ts'
import * as address from './addresses.ts'
import { configuration, DEVICE, LOGIN, SECRET, TUNNEL, waitForPath } from './scenario.ts'
import { buildProvider, type Provider } from './topology.ts'

describe('what others are told of a failover', { timeout: 200_000 }, () => {
  let net: Provider
  before(async () => {
    net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET })
  })
  after(() => net.close())

  test('hooks learn of both switches; resolvers of the tunnel are asked only meanwhile', async (t) => {
    const notices = new Notices(net.router)
    const config = configuration({ tunnel: { peerdns: '1' } })
    const lifeline = net.router.lifeline({ config, ...notices.options })
    t.after(() => lifeline.stop())
    await waitForPath(lifeline, 'fibre')
    const told = (line: string) =>
      waitFor(line, () => notices.events.includes(line), {
        explain: () => `${notices.events.join('\n')}\n${lifeline.log.slice(-3000)}`,
      })
    await told(`start|fibre||${address.shared.ipv4}`)
    assert.deepEqual(notices.calls, [])
    await net.fibre.cut()
    t.after(() => net.fibre.heal())
    await told(`failover|${TUNNEL}|fibre|${address.shared.ipv4}`)
    const servers = common.tunnel.dns.join(' ')
    await waitFor('the resolvers', () =>
      notices.calls.some((call) => call.startsWith(`dns ${DEVICE} ${servers}`)),
    )
    assert.equal((await lifeline.status())?.internet.path, TUNNEL)
    await net.fibre.heal()
    await told(`failback|fibre|${TUNNEL}|${address.shared.ipv4}`)
    await waitFor('the withdrawal', () => notices.calls.at(-1) === `revert ${DEVICE}`)
    const { internet } = (await lifeline.status()) ?? {}
    assert.deepEqual([internet?.state, internet?.path], ['ok', 'fibre'])
  })
})
