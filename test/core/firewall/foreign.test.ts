import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { droppedBy, type PacketKind, strictReversePathChain } from '../../../src/core/firewall/foreign.ts'

/** Each `*.json` is what nft 1.0.6 prints for the `*.nft` beside it. */
function ruleset(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../fixtures/doctor/${name}.json`, import.meta.url), 'utf8'))
}

const ZONES = ruleset('zones')
const DESKTOP = ruleset('desktop')
const OPEN = ruleset('open')

const INTO_TUNNEL: PacketKind = {
  hook: 'forward',
  family: 4,
  oif: 'l2tp-aaisp',
  protocol: 'tcp',
  state: 'new',
}
const REPLY: PacketKind = { ...INTO_TUNNEL, state: 'established' }
const PING: PacketKind = {
  hook: 'input',
  family: 4,
  iif: 'l2tp-aaisp',
  protocol: 'icmp',
  icmpType: 'echo-request',
  state: 'new',
}
const TO_LNS: PacketKind = {
  hook: 'output',
  family: 4,
  oif: 'eth0',
  protocol: 'udp',
  dport: 1701,
  state: 'new',
}

test('a zone firewall drops what goes into a device of no zone, unless the device is in one', () => {
  assert.equal(droppedBy(ZONES, INTO_TUNNEL), 'inet zones forward')
  assert.equal(droppedBy(ZONES, { ...INTO_TUNNEL, family: 6 }), 'inet zones forward')
  assert.equal(droppedBy(ZONES, { ...INTO_TUNNEL, oif: 'l2tp-zoned' }), undefined)
  assert.equal(droppedBy(ZONES, { ...INTO_TUNNEL, oif: 'l2tp-zoned', iif: 'eth0' }), 'inet zones forward')
  assert.equal(droppedBy(ZONES, REPLY), undefined)
})

test('jumps, gotos, sets, named sets, wildcards and limits are followed', () => {
  assert.equal(droppedBy(ZONES, PING), 'inet zones input')
  assert.equal(droppedBy(ZONES, { ...PING, iif: 'eth0' }), undefined)
  assert.equal(droppedBy(ZONES, { ...PING, iif: 'br-guest' }), undefined)
  assert.equal(droppedBy(ZONES, { ...PING, iif: 'wg7' }), undefined)
  assert.equal(droppedBy(ZONES, { ...PING, iif: 'lo' }), undefined)
  assert.equal(
    droppedBy(ZONES, { hook: 'input', family: 4, iif: 'eth0', protocol: 'udp', dport: 69, state: 'new' }),
    'inet zones input',
  )
  assert.equal(
    droppedBy(ZONES, { hook: 'input', family: 4, iif: 'eth0', protocol: 'udp', dport: 68, state: 'new' }),
    undefined,
  )
  assert.equal(droppedBy(ZONES, TO_LNS), undefined)
})

test('a policy of drop on output finds that the LNS cannot be called', () => {
  assert.equal(droppedBy(DESKTOP, TO_LNS), 'inet filter output')
  assert.equal(droppedBy(DESKTOP, { ...TO_LNS, state: 'established' }), undefined)
  assert.equal(droppedBy(DESKTOP, { ...TO_LNS, dport: 53 }), undefined)
  assert.equal(droppedBy(DESKTOP, { ...TO_LNS, protocol: 'tcp', dport: 443 }), undefined)
})

test('what may be accepted is not reported: limits, marks and addresses that are not known', () => {
  assert.equal(droppedBy(DESKTOP, PING), undefined)
  assert.equal(droppedBy(DESKTOP, { ...INTO_TUNNEL, iif: 'eth1' }), undefined)
  assert.equal(droppedBy(OPEN, INTO_TUNNEL), undefined)
  assert.equal(droppedBy(OPEN, { ...INTO_TUNNEL, iif: 'br-lan', family: 6 }), undefined)
})

test('our own table is not foreign', () => {
  assert.equal(droppedBy(OPEN, PING), undefined)
})

test('a strict reverse path filter is found', () => {
  assert.equal(strictReversePathChain(DESKTOP), 'inet filter prerouting')
  assert.equal(strictReversePathChain(ZONES), undefined)
})

test('nothing that nft may print throws', () => {
  const chain = { family: 'inet', table: 't', name: 'input', type: 'filter', hook: 'input', policy: 'drop' }
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(fc.jsonValue()), (any, expr) => {
      const rule = { family: 'inet', table: 't', chain: 'input', expr }
      for (const value of [any, { nftables: any }, { nftables: [{ chain }, { rule }, any] }]) {
        droppedBy(value, PING)
        strictReversePathChain(value)
      }
    }),
  )
})

test('chains that call each other without end are given up', () => {
  const jump = (chain: string, target: string) => ({
    rule: { family: 'inet', table: 't', chain, expr: [{ jump: { target } }] },
  })
  const base = { family: 'inet', table: 't', name: 'a', type: 'filter', hook: 'input', policy: 'drop' }
  const nftables = [
    { chain: base },
    { chain: { family: 'inet', table: 't', name: 'b' } },
    jump('a', 'b'),
    jump('b', 'a'),
  ]
  assert.equal(droppedBy({ nftables }, PING), undefined)
})
