/** What belongs to others stays as it is through hundreds of failovers, and after a clean stop all is as it was. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { seededRandom } from '../../sim/random.ts'
import { kernelState } from '../kernel-state.ts'
import type { Lifeline } from '../lifeline.ts'
import type { Namespace } from '../namespace.ts'
import { DEVICE, LOGIN, SECRET, start, TUNNEL, waitForPath } from './scenario.ts'
import { buildProvider, type Provider } from './topology.ts'

const TIMES = Number(process.env.LIFELINE_FAILOVERS ?? 200)
const SEED = Number(process.env.LIFELINE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const OUR_PROTOCOL = '108'
const FIBRE = 'pppoe-aaisp'

interface Trouble {
  readonly what: string
  readonly lose: (net: Provider, lifeline: Lifeline) => Promise<unknown>
  readonly regain: (net: Provider, lifeline: Lifeline) => Promise<unknown>
}

const heal: Trouble['regain'] = ({ fibre }) => fibre.heal()
const CUT: Trouble = { what: 'cut', lose: ({ fibre }) => fibre.cut(), regain: heal }
/** Each way to lose fibre and to get it back, the likelier the more often it is here. */
const TROUBLES: readonly Trouble[] = [
  CUT,
  CUT,
  CUT,
  { what: 'removed', lose: ({ fibre }) => fibre.remove(), regain: heal },
  { what: 'silenced', lose: ({ fibre }) => fibre.silence(), regain: heal },
  {
    what: 'left by use',
    lose: (_net, lifeline) => lifeline.cli('use', TUNNEL),
    regain: (_net, lifeline) => lifeline.cli('use', 'auto'),
  },
]

describe('what belongs to others', { timeout: 1_500_000 }, () => {
  let net: Provider
  before(async () => {
    net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET })
    await strangersOf(net.router.namespace)
  })
  after(() => net.close())

  test(`is the same through ${TIMES} failovers, and all is after a clean stop`, async (t) => {
    t.after(() => net.fibre.heal())
    t.diagnostic(`LIFELINE_SEED=${SEED}`)
    const random = seededRandom(SEED)
    const { namespace } = net.router
    const atStart = await kernelState(namespace)
    const lifeline = await start(t, net, { failover: { failback_delay: '0', probe_interval: '0.2' } })
    const foreign = await foreignState(namespace)
    for (let time = 0; time < TIMES; time++) {
      const { what, lose, regain } = TROUBLES[Math.floor(random() * TROUBLES.length)] ?? CUT
      await lose(net, lifeline)
      await waitForPath(lifeline, TUNNEL)
      await regain(net, lifeline)
      await waitForPath(lifeline, 'fibre')
      if (time % 20 === 19)
        assert.deepEqual(await foreignState(namespace), foreign, `after ${time + 1}, ${what} last`)
    }
    assert.equal(await lifeline.stop(), 0)
    const { routes, rules, nft } = await kernelState(namespace)
    assert.deepEqual(rules, atStart.rules)
    assert.deepEqual(nft, atStart.nft)
    // In the order of their making, which heals changed.
    assert.deepEqual(sorted(routes), sorted(atStart.routes))
  })
})

/** Rules, routes and tables of somebody else, near ours and like ours. */
async function strangersOf(router: Namespace): Promise<void> {
  await router.ip(
    'rule add from 192.168.1.99 lookup 77 priority 1000',
    'rule add fwmark 0x1 lookup 77 priority 31005',
    'route add default via 192.168.1.2 dev lan0 table 77 proto static',
    'route add 10.99.0.0/16 via 192.168.1.2 dev lan0',
  )
  await router.run(['ip', '-6', ...'rule add from 2001:db8:2::99 lookup 77 priority 1000'.split(' ')])
  await router.nft(`
    table inet stranger {
      set some { type ipv4_addr; elements = { 192.0.2.77 } }
      chain forward { type filter hook forward priority 5; ip daddr @some drop; }
      chain marks { type filter hook prerouting priority mangle; ip saddr 192.168.1.99 meta mark set 0x1; }
    }`)
}

/** All that is not ours and does not come and go with the fibre's device. */
async function foreignState(router: Namespace): Promise<unknown> {
  const both = async (...words: readonly string[]) =>
    Promise.all(['-4', '-6'].map((family) => router.show<Item[]>('-d', family, ...words)))
  const [rules, routes, tables, stranger] = await Promise.all([
    both('rule', 'show'),
    both('route', 'show', 'table', 'all'),
    router.run(['nft', 'list', 'tables']),
    router.run(['nft', 'list', 'table', 'inet', 'stranger']),
  ])
  const foreign = (items: readonly Item[]) =>
    items.filter(({ protocol, dev }) => protocol !== OUR_PROTOCOL && dev !== DEVICE && dev !== FIBRE)
  return {
    rules: rules.map(foreign),
    routes: routes.map((items) => sorted(foreign(items))),
    tables: tables.stdout.split('\n').filter((line) => !line.endsWith(' lifeline')),
    stranger: stranger.stdout,
  }
}

interface Item {
  readonly protocol?: string
  readonly dev?: string
}

function sorted(items: unknown): string[] {
  return (Array.isArray(items) ? items.flat() : []).map((item) => JSON.stringify(item)).sort()
}
