import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '../../../src/core/bytes.ts'
import { encodeAddressRemoval, encodeNewAddress } from '../../../src/core/netlink/address.ts'
import { decodeAttributeList } from '../../../src/core/netlink/attribute.ts'
import { encodeLinkChange } from '../../../src/core/netlink/link.ts'
import { decodeMessage } from '../../../src/core/netlink/message.ts'
import { encodeNewRoute, encodeRouteRemoval, type Route } from '../../../src/core/netlink/route.ts'
import { encodeNewRule, encodeRuleRemoval, type Rule } from '../../../src/core/netlink/rule.ts'
import { recorded } from './recorded.ts'

/** Octets of the fixed header behind `struct nlmsghdr`, by type of message. */
const HEADERS = new Map([
  [16, 16],
  [20, 8],
  [21, 8],
  [24, 12],
  [25, 12],
  [32, 12],
  [33, 12],
])

/** A request without its sequence number, its attributes in the order of their types. */
function normal(message: Uint8Array) {
  const decoded = decodeMessage(message)
  assert.ok(decoded)
  const header = HEADERS.get(decoded.type) ?? 0
  const attributes = decodeAttributeList(decoded.body.subarray(header))
    .sort((a, b) => a.type - b.type)
    .map(({ type, value }) => `${type}: ${toHex(value)}`)
  return {
    type: decoded.type,
    flags: decoded.flags,
    header: toHex(decoded.body.subarray(0, header)),
    attributes,
  }
}

/** The request that ip(8) made for a command. */
function requestOf(command: string) {
  const found = recorded('requests').find((request) => request.command === command)
  assert.ok(found, command)
  return normal(found.message)
}

const rule: Rule = {
  family: 4,
  priority: 31000,
  action: 'lookup',
  table: 17011,
  protocol: 108,
  suppressPrefixLength: undefined,
  from: undefined,
  to: undefined,
  iif: undefined,
  oif: undefined,
  mark: undefined,
  ipProtocol: undefined,
  sourcePorts: undefined,
  inverted: false,
}

const route: Route = {
  family: 4,
  table: 17011,
  destination: { address: '0.0.0.0', length: 0 },
  type: 'unicast',
  protocol: 108,
  metric: 1,
  source: undefined,
  nexthops: [{ link: 4, gateway: undefined, onlink: false }],
}

describe('requests are those of ip(8)', () => {
  it('rules: the table in its attribute', () => {
    const mine = normal(encodeNewRule({ ...rule, priority: 31010, oif: 'l2tp-y' }))
    const its = requestOf('ip rule add pref 31010 oif l2tp-y lookup 17011 protocol 108')
    assert.deepEqual({ ...mine, header: '' }, { ...its, header: '' })
    // ip leaves the octet of the table 0, here it says RT_TABLE_COMPAT (252), as the kernel itself does.
    assert.equal(mine.header, its.header.replace(/^(.{8})00/, '$1fc'))
  })

  for (const [command, mine] of [
    [
      'ip rule add pref 31000 lookup main suppress_prefixlength 0 protocol 108',
      encodeNewRule({ ...rule, table: 254, suppressPrefixLength: 0 }),
    ],
    [
      'ip rule del pref 31000 lookup main suppress_prefixlength 0 protocol 108',
      encodeRuleRemoval({ ...rule, table: 254, suppressPrefixLength: 0 }),
    ],
    [
      'ip rule add pref 31020 fwmark 0x10000/0xff0000 lookup 200 protocol 108',
      encodeNewRule({ ...rule, priority: 31020, table: 200, mark: { value: 0x10000, mask: 0xff0000 } }),
    ],
    [
      'ip -6 rule add pref 31031 from 2001:db8:2::/56 lookup 17011 protocol 108',
      encodeNewRule({ ...rule, family: 6, priority: 31031, from: { address: '2001:db8:2::', length: 56 } }),
    ],
    [
      'ip -6 rule add pref 31030 from 2001:db8:4::2 ipproto tcp sport 1-65534 lookup 17061 protocol 108',
      encodeNewRule({
        ...rule,
        family: 6,
        priority: 31030,
        from: { address: '2001:db8:4::2', length: 128 },
        ipProtocol: 6,
        sourcePorts: { first: 1, last: 65_534 },
        table: 17061,
      }),
    ],
  ] as const) {
    it(command, () => {
      const { header, attributes, ...rest } = normal(mine)
      const its = requestOf(command)
      assert.deepEqual(rest, { type: its.type, flags: its.flags })
      // A table that fits an octet stands there in ip's request; ours has the attribute too. A removal needs no action.
      const octets = [...(header.match(/../g) ?? [])]
      const itsOctets = [...(its.header.match(/../g) ?? [])]
      assert.deepEqual(octets.slice(0, 4), itsOctets.slice(0, 4))
      const withoutTable = (list: readonly string[]) => list.filter((text) => !text.startsWith('15: '))
      assert.deepEqual(withoutTable(attributes), withoutTable(its.attributes))
      assert.ok(attributes.some((text) => text.startsWith('15: ')))
    })
  }

  for (const [command, mine] of [
    [
      'ip route replace default dev l2tp-x table 17011 proto 108 metric 1 src 203.0.113.10',
      encodeNewRoute({ ...route, source: '203.0.113.10' }),
    ],
    [
      'ip route replace 198.51.100.1 via 192.0.2.1 dev eth0 table 17010 proto 108 metric 1',
      encodeNewRoute({
        ...route,
        table: 17010,
        destination: { address: '198.51.100.1', length: 32 },
        nexthops: [{ link: 3, gateway: '192.0.2.1', onlink: false }],
      }),
    ],
    [
      'ip route replace default via 192.0.2.9 dev eth0 onlink table 17060 proto 108 metric 1',
      encodeNewRoute({ ...route, table: 17060, nexthops: [{ link: 3, gateway: '192.0.2.9', onlink: true }] }),
    ],
    [
      'ip -4 route replace default via inet6 fe80::1 dev eth0 table 17060 proto 108 metric 1',
      encodeNewRoute({ ...route, table: 17060, nexthops: [{ link: 3, gateway: 'fe80::1', onlink: false }] }),
    ],
    [
      'ip route replace unreachable 203.0.113.64/29 table 17010 proto 108 metric 2147483647',
      encodeNewRoute({
        ...route,
        table: 17010,
        destination: { address: '203.0.113.64', length: 29 },
        type: 'unreachable',
        metric: 2147483647,
        nexthops: [],
      }),
    ],
    [
      'ip -6 route replace default dev l2tp-x table 17011 proto 108 metric 1',
      encodeNewRoute({ ...route, family: 6, destination: { address: '::', length: 0 } }),
    ],
    [
      'ip route del default dev l2tp-x table 17011 proto 108 metric 1 src 203.0.113.10',
      encodeRouteRemoval({ ...route, source: '203.0.113.10' }),
    ],
  ] as const) {
    it(command, () => {
      const its = requestOf(command)
      const ours = normal(mine)
      const zeroes = /^1: 0+$/ // Of a default route ip may give the destination.
      assert.deepEqual(
        ours.attributes,
        its.attributes.filter((text) => !zeroes.test(text)),
      )
      assert.deepEqual([ours.type, ours.flags], [its.type, its.flags])
      // Octet 4 is the table: 252 says that it is in the attribute. Octet 7 is the type, which a removal may leave open.
      const comparable = (header: string) => header.slice(0, 8) + header.slice(10, 14) + header.slice(16)
      assert.equal(comparable(ours.header), comparable(its.header))
      if (!command.includes(' del ')) assert.equal(ours.header.slice(14, 16), its.header.slice(14, 16))
    })
  }

  it('removal of an address', () => {
    const mine = encodeAddressRemoval({
      family: 4,
      link: 4,
      address: '203.0.113.10',
      length: 32,
      peer: '203.0.113.1',
    })
    assert.deepEqual(normal(mine), requestOf('ip addr del 203.0.113.10 peer 203.0.113.1/32 dev l2tp-x'))
  })

  it('an address for ever, without duplicate detection and without a connected route', () => {
    const mine = normal(
      encodeNewAddress({
        family: 6,
        link: 3,
        address: '2001:db8::2',
        length: 64,
        peer: undefined,
        deprecated: false,
        noPrefixRoute: true,
      }),
    )
    const its = requestOf('ip -6 addr replace 2001:db8::2/64 dev eth0 nodad noprefixroute')
    // ip repeats the lower 8 flags in the header, which the attribute overrides, and leaves the lifetimes to the kernel.
    assert.equal(mine.header, its.header.replace(/^(.{4})02/, '$100'))
    assert.deepEqual(
      mine.attributes.filter((text) => !text.startsWith('6: ')),
      its.attributes,
    )
    assert.ok(mine.attributes.includes('6: ffffffffffffffff0000000000000000'))
  })

  it('MTU, alias and state of a link', () => {
    const mine = encodeLinkChange(4, { mtu: 1462, alias: 'lifeline tunnel aaisp', up: true })
    const its = requestOf('ip link set dev l2tp-x mtu 1462 alias "lifeline tunnel aaisp" up')
    // ip sends the alias without its NUL.
    const withoutNul = normal(mine).attributes.map((text) => text.replace(/^(20: .*)00$/, '$1'))
    assert.deepEqual({ ...normal(mine), attributes: withoutNul }, its)
  })
})
