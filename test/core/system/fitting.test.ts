import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fitting } from '../../../src/core/system/fitting.ts'
import { surroundingsOf } from '../../../src/core/system/surroundings.ts'
import { addressOn, configOf, linkOf, SESSION, SYSTEM, tunnelOf } from './samples.ts'

const TUNNEL = tunnelOf('aaisp')
const IPCP = ['192.168.1.1', '198.51.100.53']
const ADVERTISED = [{ address: '::1' }, { address: '2001:db8::53' }]
const AROUND = surroundingsOf(configOf([TUNNEL]), SYSTEM)
/** The same machine with a network at home that the session's address would lie in. */
const HOME = surroundingsOf(configOf([TUNNEL]), {
  ...SYSTEM,
  links: [...SYSTEM.links, linkOf(3, 'br-lan')],
  addresses: [...SYSTEM.addresses, addressOn(3, '203.0.113.9/24')],
})

test('an offer is judged anew once the session, its resolvers or what is around are others, and only then', () => {
  const fitting = new Fitting(TUNNEL)
  const offer = { session: SESSION, resolvers: [IPCP, ADVERTISED] } as const
  const first = fitting.fit(offer, AROUND)
  assert.equal(first.session.ipv4?.address, '203.0.113.10')
  assert.deepEqual(first.resolvers, ['192.168.1.1', '198.51.100.53', '2001:db8::53'])
  assert.deepEqual(
    first.refusedResolvers.map(({ address }) => address),
    ['::1'],
  )
  assert.equal(fitting.fit({ ...offer }, AROUND), first)
  assert.equal(fitting.fit(offer, HOME).session.ipv4, undefined, 'its network is there already')
  assert.equal(fitting.fit(offer, AROUND).session.ipv4?.address, '203.0.113.10', 'and is not any more')
  const without = { ...SESSION, ipv4: undefined }
  assert.equal(fitting.fit({ ...offer, session: without }, AROUND).session.ipv4, undefined)
  assert.deepEqual(fitting.fit({ ...offer, resolvers: [[], ADVERTISED] }, AROUND).resolvers, ['2001:db8::53'])
  assert.deepEqual(fitting.fit({ ...offer, resolvers: [IPCP, []] }, AROUND).resolvers, IPCP)
})
