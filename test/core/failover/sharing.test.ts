/** Who has the same public address, and what of it is remembered. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type AddressedPath, PathAddresses, Sharing } from '../../../src/core/failover/sharing.ts'
import { FIBRE, plan, script, TUNNEL } from './controller-script.ts'

const PUBLIC = '203.0.113.10'
const PRIVATE = '192.168.100.2'

const line = (name: string, ...addresses: string[]): AddressedPath => ({ ...plan(name, 'uplink'), addresses })
const tunnel = (name: string, ...addresses: string[]): AddressedPath => ({
  ...plan(name, 'tunnel'),
  addresses,
})
const named = (name: string) => ({ name })

describe('paths share an address', () => {
  it('that both have, whichever of theirs it is', () => {
    const sharing = new Sharing([line('fibre', PRIVATE, PUBLIC), tunnel('aaisp', '203.0.113.20', PUBLIC)])
    assert.ok(sharing.shares(named('aaisp'), named('fibre')))
    assert.ok(sharing.shares(named('fibre'), named('aaisp')))
    assert.ok(!sharing.shares(named('aaisp'), named('aaisp')), 'with nobody else')
  })

  it('that the tunnel between them has: who shares with one shares with all', () => {
    const aaisp = { ...tunnel('aaisp', PUBLIC), backsUp: 'fibre' }
    const sharing = new Sharing([line('fibre'), aaisp, tunnel('spare', PUBLIC)])
    assert.deepEqual(sharing.partners('spare'), ['spare', 'aaisp', 'fibre'])
    assert.ok(sharing.shares(named('spare'), named('fibre')))
  })

  it('never as two lines with modems of one make', () => {
    const sharing = new Sharing([line('fibre', PRIVATE), line('cable', PRIVATE)])
    assert.ok(!sharing.shares(named('fibre'), named('cable')))
  })

  it('as the configuration says, not as it looks', () => {
    const sharing = new Sharing([line('fibre', PUBLIC), { ...tunnel('aaisp', PUBLIC), backsUp: 'cable' }])
    assert.ok(!sharing.shares(named('aaisp'), named('fibre')))
  })
})

describe('the addresses of paths', () => {
  it('are those of last time while there are none, and a change of any of them is news', () => {
    const seen = new PathAddresses()
    assert.ok(seen.seen([line('fibre', PRIVATE, PUBLIC), tunnel('aaisp')]))
    assert.ok(!seen.seen([line('fibre', PRIVATE, PUBLIC), tunnel('aaisp')]))
    const { sharing } = seen
    assert.ok(!seen.seen([line('fibre'), tunnel('aaisp')]), 'the line is down')
    assert.equal(seen.sharing, sharing)
    assert.deepEqual(sharing.addresses('fibre'), [PRIVATE, PUBLIC])
    assert.ok(seen.seen([line('fibre'), tunnel('aaisp', PUBLIC)]), 'its first session')
    assert.ok(seen.sharing.shares(named('aaisp'), named('fibre')))
    assert.ok(seen.seen([line('fibre', PRIVATE), tunnel('aaisp', PUBLIC)]), 'the line came back without it')
    assert.ok(!seen.sharing.shares(named('aaisp'), named('fibre')))
  })
})

describe('the choice among paths', () => {
  it('keeps the session down for any address of the line, and goes back to it by a trial', () => {
    const hot = { ...TUNNEL, standby: 'hot' } as const
    const s = script([FIBRE, hot], 'auto', { fibre: [PRIVATE, PUBLIC] })
    assert.ok(s.start().includes('want aaisp warm'))
    s.fails('fibre')
    assert.ok(s.session('up').includes('steer fibre on'))
    s.works('fibre')
    assert.ok(s.run(60_000).some((word) => word.endsWith('confirm fibre')))
  })
})
