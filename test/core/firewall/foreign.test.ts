import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { filteringChain, judge, strictReversePathChain } from '../../../src/core/firewall/foreign.ts'
import type { PacketKind } from '../../../src/core/firewall/packet-kind.ts'

/** Each `*.json` is what nft 1.0.6 prints for the `*.nft` beside it. */
function ruleset(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../fixtures/doctor/${name}.json`, import.meta.url), 'utf8'))
}

/** The chain that drops all of them for certain. */
function droppedBy(rules: unknown, packet: PacketKind): string | undefined {
  const judgement = judge(rules, packet)
  return judgement.type === 'drops' ? judgement.chain : undefined
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
        judge(value, { ...PING, saddr: 'internet', daddr: [{ address: '192.0.2.1', length: 32 }] })
        strictReversePathChain(value)
        filteringChain(value)
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

/** Of the fixture `single` that table alone. */
function single(table: string): unknown {
  const { nftables } = ruleset('single') as { nftables: Record<string, { name?: string; table?: string }>[] }
  return {
    nftables: nftables.filter((item) =>
      Object.values(item).some((one) => one.table === table || one.name === table),
    ),
  }
}

/** Somebody on the internet asks for a page. */
const WEB: PacketKind = {
  hook: 'input',
  family: 4,
  iif: 'l2tp-aaisp',
  protocol: 'tcp',
  dport: 443,
  state: 'new',
  saddr: 'internet',
}

/** `passes`, the chain that drops, or `?` and what it depends on. */
function fate(table: string, packet: PacketKind = WEB): string {
  const judgement = judge(single(table), packet)
  if (judgement.type === 'passes') return 'passes'
  return judgement.type === 'drops' ? judgement.chain : `? ${judgement.because}`
}

test('a rule about a header that the packet does not have never accepts it, whatever it denies of that header', () => {
  assert.equal(fate('not_icmpv6'), 'inet not_icmpv6 input')
  assert.equal(fate('not_ipv6'), 'inet not_ipv6 input')
  assert.equal(fate('not_pair'), 'inet not_pair input')
  assert.equal(fate('not_flags', { ...WEB, protocol: 'udp' }), 'inet not_flags input')
  assert.equal(fate('not_icmpv6', { ...PING, family: 6, protocol: 'ipv6-icmp' }), 'passes')
})

test('a new connection begins with SYN alone', () => {
  assert.equal(fate('syn'), 'passes')
  assert.equal(fate('has_syn'), 'passes')
  assert.equal(fate('not_syn'), 'passes')
  assert.equal(fate('not_flags'), 'inet not_flags input')
  assert.equal(fate('syn', { ...WEB, state: 'established' }), '? tcp flags')
})

test('what decides and is not known is named, and neither called open nor closed', () => {
  assert.equal(fate('marked'), '? meta mark')
  assert.equal(fate('by_dscp'), '? ip dscp')
  assert.equal(fate('few'), '? ip saddr')
  assert.equal(fate('pairs', { ...WEB, dport: undefined as never }), '? meta iifname . tcp dport')
  assert.equal(fate('stateless'), '? ct state', 'there is no state before connection tracking')
})

test('what most packets meet is assumed: no blocked sender, no limit reached, a way back', () => {
  for (const table of ['blocked', 'limited', 'counted', 'each_limited', 'way_back', 'to_us'])
    assert.equal(fate(table), 'passes', table)
})

test('private senders are none of the internet, and everybody is in 0.0.0.0/0', () => {
  assert.equal(fate('lan_only'), 'inet lan_only input')
  assert.equal(fate('lan_only', { ...WEB, saddr: [{ address: '10.9.0.0', length: 16 }] }), 'passes')
  assert.equal(fate('few', { ...WEB, saddr: [{ address: '198.51.100.5', length: 32 }] }), 'passes')
  assert.equal(fate('few', { ...WEB, saddr: [{ address: '192.0.2.5', length: 32 }] }), 'inet few input')
  assert.equal(fate('everyone'), 'passes')
})

test('named maps and concatenations are looked up', () => {
  assert.equal(fate('named_map'), 'inet named_map input')
  assert.equal(fate('named_map', { ...WEB, iif: 'lan' }), 'passes')
  assert.equal(fate('pairs'), 'passes')
  assert.equal(fate('pairs', { ...WEB, dport: 22 }), 'inet pairs input')
})

test('every hook on the way counts, with what is known there', () => {
  assert.equal(fate('early', { ...WEB, protocol: 'udp' }), 'inet early prerouting')
  const out: PacketKind = { hook: 'output', family: 4, oif: 'l2tp-aaisp', protocol: 'udp', dport: 1701 }
  assert.equal(fate('late', out), 'inet late postrouting')
  const redirected: PacketKind = { ...WEB, hook: 'forward', protocol: 'udp', redirected: true }
  assert.equal(fate('early', redirected), '? udp dport', 'the port there is the one before')
  assert.equal(fate('translated', redirected), 'passes')
  assert.equal(fate('translated', { ...WEB, hook: 'forward' }), 'inet translated forward')
})
