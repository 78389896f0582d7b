import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeAddress } from '../../../src/core/netlink/address.ts'
import { decodeLink } from '../../../src/core/netlink/link.ts'
import { decodeMessage } from '../../../src/core/netlink/message.ts'
import { decodeRoute } from '../../../src/core/netlink/route.ts'
import { decodeRule } from '../../../src/core/netlink/rule.ts'
import { recorded } from './recorded.ts'

const messages = recorded('dump').flatMap(({ message }) => decodeMessage(message) ?? [])

/** What the bodies of one type decode to. */
function decoded<T>(type: number, decode: (body: Uint8Array) => T | undefined): T[] {
  return messages.filter((message) => message.type === type).flatMap(({ body }) => decode(body) ?? [])
}

// The expectations are what `ip -d link`, `ip address`, `ip route show table all` and `ip rule` printed there.

describe('decodeLink', () => {
  const links = decoded(16, decodeLink)

  it('reads name, state, MTU, kind and alias', () => {
    assert.deepEqual(
      links.map(({ index, name, up, carrier, loopback, noArp, mtu, kind, alias }) =>
        [index, name, up, carrier, loopback, noArp, mtu, kind, alias].join(' '),
      ),
      [
        '1 lo true true true false 65536  ',
        '2 eth1 true true false false 1500 veth ',
        '3 eth0 true true false false 1400 veth the fibre',
        '4 l2tp-x true false false true 1500 tun ',
      ],
    )
  })
})

describe('decodeAddress', () => {
  const addresses = decoded(20, decodeAddress).filter(({ address }) => !address.startsWith('fe80'))

  it('reads local address, peer and length', () => {
    assert.deepEqual(
      addresses.map(({ link, address, peer, length, scope }) =>
        [link, address, peer, length, scope].join(' '),
      ),
      [
        '1 127.0.0.1  8 host',
        '3 192.0.2.2  24 global',
        '4 203.0.113.10 203.0.113.1 32 global',
        '1 ::1  128 host',
        '3 2001:db8::4 2001:db8::5 128 global',
        '3 2001:db8::3  64 global',
        '3 2001:db8::2  64 global',
      ],
    )
  })

  it('tells deprecated and routeless addresses', () => {
    const named = (flag: 'deprecated' | 'noPrefixRoute') =>
      addresses.filter((address) => address[flag]).map(({ address }) => address)
    assert.deepEqual(named('deprecated'), ['2001:db8::3'])
    assert.deepEqual(named('noPrefixRoute'), ['203.0.113.10'])
  })

  it('tells addresses whose duplicate detection is not over', () => {
    const tentative = decoded(20, decodeAddress).filter((address) => address.tentative)
    assert.equal(tentative.length, 2)
    assert.ok(tentative.every(({ scope }) => scope === 'link'))
  })
})

describe('decodeRoute', () => {
  const routes = decoded(24, decodeRoute).filter(({ table }) => table !== 255)

  it('reads defaults, blocks, gateways and multipath', () => {
    const lines = routes
      .filter(({ destination, protocol }) => destination.length === 0 || protocol === 108)
      .map(({ destination, table, type, protocol, metric, source, nexthops }) => {
        const ways = nexthops.map(
          ({ link, gateway, onlink }) => `${link}${onlink ? '!' : ''}>${gateway ?? ''}`,
        )
        return `${destination.address}/${destination.length} ${table} ${type} ${protocol} ${metric} ${source ?? ''} ${ways}`
      })
    assert.deepEqual(lines, [
      '0.0.0.0/0 300 unicast 3 7  3!>192.0.2.9',
      '0.0.0.0/0 301 unicast 3 0  3>192.0.2.1,4>',
      '0.0.0.0/0 302 unicast 3 0  3>fe80::1',
      '203.0.113.64/29 17010 unreachable 108 2147483647  ',
      '0.0.0.0/0 17011 unicast 108 1 203.0.113.10 4>',
      '0.0.0.0/0 254 unicast 3 0  3>192.0.2.1',
      '::/0 303 unicast 3 1024  3>2001:db8::1,3>2001:db8::9',
      '2001:db8:2::/56 17010 unreachable 108 9  ',
      '::/0 17011 unicast 108 1  4>',
      '::/0 254 unicast 3 1024  3>2001:db8::1',
    ])
  })
})

describe('decodeRule', () => {
  it('reads every selector that lifeline uses', () => {
    const lines = decoded(32, decodeRule).map((rule) => {
      const prefix = (name: 'from' | 'to') =>
        rule[name] && `${name} ${rule[name].address}/${rule[name].length}`
      const mark = rule.mark && `mark ${rule.mark.value.toString(16)}/${rule.mark.mask.toString(16)}`
      const words = [
        `${rule.family}:${rule.priority}`,
        rule.inverted ? 'not' : undefined,
        prefix('from'),
        prefix('to'),
        rule.iif && `iif ${rule.iif}`,
        rule.oif && `oif ${rule.oif}`,
        mark,
        rule.ipProtocol && `protocol ${rule.ipProtocol}`,
        rule.sourcePorts && `from ports ${rule.sourcePorts.first} to ${rule.sourcePorts.last}`,
        rule.action,
        rule.table,
        `proto ${rule.protocol}`,
        rule.suppressPrefixLength === undefined ? undefined : `suppress ${rule.suppressPrefixLength}`,
      ]
      return words.filter((word) => word !== undefined).join(' ')
    })
    assert.deepEqual(lines, [
      '4:0 lookup 255 proto 2',
      '4:31000 lookup 254 proto 108 suppress 0',
      '4:31010 oif l2tp-x lookup 17011 proto 108',
      '4:31020 mark 10000/ff0000 lookup 200 proto 0',
      '4:31030 from 203.0.113.10/32 lookup 17011 proto 108',
      '4:31031 not from 203.0.113.64/29 to 10.0.0.0/8 iif eth0 unreachable 0 proto 0',
      '4:32766 lookup 254 proto 2',
      '4:32767 lookup 253 proto 2',
      '6:0 lookup 255 proto 2',
      '6:31030 from 2001:db8:4::2/128 protocol 6 from ports 1 to 65534 lookup 17061 proto 108',
      '6:31031 from 2001:db8:2::/56 lookup 17011 proto 108',
      '6:32766 lookup 254 proto 2',
    ])
  })
})
