import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  addressesOf,
  type Facts,
  linkNamed,
  NO_FACTS,
  reduceFacts,
  withRoutes,
} from '../../../src/core/system/facts.ts'
import { recorded } from '../netlink/recorded.ts'
import { reversed } from '../reversed.ts'

const announcements = recorded('announcements')

/** What was announced from the beginning to the end of a command. */
function until(command: string): { facts: Facts; last: ReturnType<typeof reduceFacts> } {
  const end = announcements.map((item) => item.command).lastIndexOf(command)
  assert.notEqual(end, -1, command)
  const before = announcements.slice(0, end + 1).filter((item) => item.command !== command)
  const its = announcements.filter((item) => item.command === command)
  const { facts } = reduceFacts(
    NO_FACTS,
    before.map(({ message }) => message),
  )
  const last = reduceFacts(
    facts,
    its.map(({ message }) => message),
  )
  return { facts, last }
}

/** `table destination>gateways` of the routes of a family. */
function routes(facts: Facts, family: 4 | 6): string[] {
  return facts.routes
    .filter((route) => route.family === family)
    .map(
      ({ table, destination, nexthops }) =>
        `${table} ${destination.address}/${destination.length}>${nexthops.map(({ gateway }) => gateway ?? '')}`,
    )
}

describe('reduceFacts', () => {
  it('says that nothing changed where all is announced that is known, in whichever order its parts were written down', () => {
    const dump = recorded('dump').map(({ message }) => message)
    const known = reversed(reduceFacts(NO_FACTS, dump).facts)
    assert.equal(reduceFacts(known, dump).facts, known)
    assert.equal(withRoutes(known, 4, dump), known)
  })

  it('keeps defaults of every table and our own routes, nothing else', () => {
    const { last } = until('ip -6 rule add pref 31031 from 2001:db8:2::/56 lookup 17011 protocol 108')
    assert.deepEqual(routes(last.facts, 4), [
      '254 0.0.0.0/0>192.0.2.1',
      '17011 0.0.0.0/0>',
      '300 0.0.0.0/0>192.0.2.9',
      '301 0.0.0.0/0>192.0.2.1,',
      '302 0.0.0.0/0>fe80::1',
      '17010 203.0.113.64/29>',
    ])
    assert.deepEqual(last.uncertainRoutes, [])
  })

  it('agrees with a dump of the same system', () => {
    const { last } = until('ip -6 rule add pref 31031 from 2001:db8:2::/56 lookup 17011 protocol 108')
    const dump = reduceFacts(
      NO_FACTS,
      recorded('dump').map(({ message }) => message),
    ).facts
    const names = (facts: Facts) => facts.links.map(({ name }) => name).sort()
    assert.deepEqual(names(last.facts), names(dump))
    const sorted = (facts: Facts) => [...routes(facts, 4), ...routes(facts, 6)].sort()
    assert.deepEqual(sorted(last.facts), sorted(dump))
    const own = (facts: Facts) => facts.rules.filter(({ priority }) => priority > 30_000 && priority < 32_000)
    assert.deepEqual(own(last.facts), own(dump))
    const link = linkNamed(dump, 'eth0')
    assert.ok(link)
    assert.deepEqual(
      addressesOf(dump, link)
        .map(({ address }) => address)
        .filter((address) => !address.startsWith('fe80')),
      ['192.0.2.2', '2001:db8::4', '2001:db8::3', '2001:db8::2'],
    )
  })

  it('replaces a route in place', () => {
    const { last } = until('ip route replace default via 192.0.2.7')
    assert.ok(routes(last.facts, 4).includes('254 0.0.0.0/0>192.0.2.7'))
    assert.ok(!routes(last.facts, 4).includes('254 0.0.0.0/0>192.0.2.1'))
    assert.deepEqual(last.uncertainRoutes, [])
  })

  it('does not trust an appended nexthop: only a dump shows the whole route', () => {
    assert.deepEqual(until('ip -6 route append default via 2001:db8::77 dev eth0').last.uncertainRoutes, [6])
  })

  it('does not trust routes after an address was removed that some preferred as their source', () => {
    const { last } = until('ip addr del 203.0.113.10 peer 203.0.113.1/32 dev l2tp-x')
    assert.deepEqual(last.uncertainRoutes, [4])
    assert.ok(!last.facts.addresses.some(({ address }) => address === '203.0.113.10'))
  })

  it('does not trust routes after a link went down: the kernel announces none of IPv4', () => {
    const { last } = until('ip link set eth0 down')
    assert.deepEqual(last.uncertainRoutes, [4, 6])
    assert.equal(linkNamed(last.facts, 'eth0')?.up, false)
  })

  it('forgets the addresses of a removed link', () => {
    const { facts, last } = until('ip link del eth0')
    assert.notEqual(linkNamed(facts, 'eth0'), undefined)
    assert.equal(linkNamed(last.facts, 'eth0'), undefined)
    assert.ok(!last.facts.addresses.some(({ link }) => link === linkNamed(facts, 'eth0')?.index))
  })

  it('forgets a removed rule', () => {
    const { facts, last } = until('ip rule del pref 31010')
    const has = (state: Facts) => state.rules.some(({ priority }) => priority === 31010)
    assert.deepEqual([has(facts), has(last.facts)], [true, false])
  })

  it('gives the same object where nothing changes', () => {
    const dump = recorded('dump').map(({ message }) => message)
    const { facts } = reduceFacts(NO_FACTS, dump)
    assert.equal(reduceFacts(facts, dump).facts, facts)
    assert.equal(reduceFacts(facts, []).facts, facts)
  })
})

describe('withRoutes', () => {
  it('takes the routes of one family from a dump and leaves the other alone', () => {
    const dump = recorded('dump').map(({ message }) => message)
    const { facts } = reduceFacts(NO_FACTS, dump)
    const empty = withRoutes(facts, 4, [])
    assert.deepEqual(routes(empty, 4), [])
    assert.deepEqual(routes(empty, 6), routes(facts, 6))
    assert.deepEqual(routes(withRoutes(empty, 4, dump), 4).sort(), routes(facts, 4).sort())
    assert.equal(withRoutes(facts, 6, dump), facts)
  })
})
