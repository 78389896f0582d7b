import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  deniedByDefault,
  deniedByDefaultText,
  needsOf,
  obstacles,
  obstacleText,
} from '../../../src/core/firewall/needs.ts'
import { NO_FACTS } from '../../../src/core/system/facts.ts'
import { uplinks } from '../../../src/core/system/uplinks.ts'
import { mustRead } from '../config/reading.ts'
import { addressOn, linkOf } from '../system/samples.ts'

/** What nft 1.0.6 prints for the `.nft` beside it. */
function ruleset(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../fixtures/doctor/${name}.json`, import.meta.url), 'utf8'))
}

const SERVER = ruleset('server')
const ZONES = ruleset('zones')

const TUNNEL = `
config tunnel 'aaisp'
  list server '192.0.2.1'
  option username 'a'
  option password 'b'
`

/** What is in the way of a configuration that has this beside its tunnel: chain, then purpose. */
function inTheWay(text: string, rules = SERVER): string[] {
  const { config } = mustRead('uci', `${TUNNEL}${text}`)
  return obstacles(rules, needsOf(config, uplinks(config, NO_FACTS))).map(({ chain, need, because }) =>
    because === undefined ? `${chain}: ${need.purpose}` : `${chain}? ${because}: ${need.purpose}`,
  )
}

const section = (...lines: readonly string[]) =>
  `config firewall 'internet'\n${lines.map((line) => `  list ${line}\n`).join('')}`

test('a port that is allowed here and closed there', () => {
  assert.deepEqual(inTheWay(section("allow '22,443/tcp'")), [])
  assert.deepEqual(inTheWay(section("allow '22,8443/tcp'")), [
    'inet guard input: what comes in over aaisp and is allowed (22,8443/tcp)',
  ])
  assert.deepEqual(inTheWay(section("allow '443/tcpudp'")), [
    'inet guard input: what comes in over aaisp and is allowed (443/tcpudp)',
  ])
})

test('a range that is open there in part', () => {
  assert.deepEqual(inTheWay(section("allow '6000-6050/udp'")), [])
  assert.deepEqual(inTheWay(section("allow '6000-6100/udp'")), [
    'inet guard input: what comes in over aaisp and is allowed (6000-6100/udp)',
  ])
})

test('protocols without ports', () => {
  assert.deepEqual(inTheWay(section("allow 'esp'")), [])
  assert.deepEqual(inTheWay(section("allow 'gre'")), [
    'inet guard input: what comes in over aaisp and is allowed (gre)',
  ])
})

test('what passes there for some senders: for those alone it is open, for more it cannot be judged', () => {
  assert.deepEqual(inTheWay(section("allow '25/tcp from 192.0.2.0/24'")), [])
  assert.deepEqual(inTheWay(section("allow '25/tcp from 192.0.0.0/16'")), [
    'inet guard input? ip saddr: what comes in over aaisp and is allowed (25/tcp from 192.0.0.0/16)',
  ])
  assert.deepEqual(inTheWay(section("allow '25/tcp from 2001:db8::/32'")), [
    'inet guard input: what comes in over aaisp and is allowed (25/tcp from 2001:db8::/32)',
  ])
})

test('hosts of the LAN: IPv6 by allow_forward, IPv4 by redirect to the port behind', () => {
  assert.deepEqual(inTheWay(section("allow_forward '443/tcp=2001:db8:2::5'")), [])
  assert.deepEqual(inTheWay(section("allow_forward '80/tcp=2001:db8:2::5'")), [
    'inet guard forward: what comes in over aaisp for the LAN and is allowed (80/tcp=2001:db8:2::5)',
  ])
  const redirect = (port: string, enabled = '1') =>
    `${section()}config redirect 'web'
  option proto 'tcp'
  option src_dport '80'
  option dest_ip '192.168.1.5'
  option dest_port '${port}'
  option enabled '${enabled}'
`
  assert.deepEqual(inTheWay(redirect('8080')), [])
  assert.deepEqual(inTheWay(redirect('8081')), [
    "inet guard forward: what comes in over aaisp and is redirected to 192.168.1.5 (redirect 'web')",
  ])
  assert.deepEqual(inTheWay(redirect('8081', '0')), [])
})

test('devices of the LAN, and only those that are named', () => {
  assert.deepEqual(inTheWay(section("lan 'br-lan'")), [
    'inet guard forward: what br-lan sends out over aaisp, or the answers',
  ])
  assert.deepEqual(inTheWay(section()), [])
  const behind =
    'inet zones forward: what the network behind this machine sends into the tunnel aaisp, or the answers'
  assert.ok(inTheWay('', ZONES).includes(behind))
  assert.ok(!inTheWay(section(), ZONES).includes(behind))
})

test('a section counts for its paths: those named, or tunnels and the uplinks of failover', () => {
  const uplink = "config uplink 'fibre'\n  option device 'eth0'\n"
  const failover = "config failover\n  list path 'fibre'\n  list path 'aaisp'\n"
  const closed = "allow '8443/tcp'"
  const over = (...names: readonly string[]) =>
    names.map((name) => `inet guard input: what comes in over ${name} and is allowed (8443/tcp)`)
  assert.deepEqual(inTheWay(`${uplink}${section(closed)}`), over('aaisp'))
  assert.deepEqual(inTheWay(`${uplink}${section(closed, "path 'fibre'")}`), over('fibre'))
  assert.deepEqual(inTheWay(`${uplink}${failover}${section(closed)}`), over('aaisp', 'fibre'))
})

test('without any foreign rule nothing is in the way', () => {
  assert.deepEqual(inTheWay(section("allow '8443/tcp'"), { nftables: [] }), [])
})

/** A router whose owner has rules of their own, for a fibre line, a tunnel that stands in for it, and a LAN. */
const ROUTER = `
config uplink 'fibre'
  option device 'pppoe-line'
config uplink 'lte'
  option device 'lte0'
config tunnel 'line'
  option device 'l2tp-line'
  list server '192.0.2.12'
  option username 'a'
  option password 'b'
config failover
  list path 'fibre'
  list path 'line'
  list path 'lte'
`

function onRouter(text: string, table = 'router') {
  const { config } = mustRead('uci', `${ROUTER}${text}`)
  const facts = {
    ...NO_FACTS,
    links: [linkOf(2, 'pppoe-line'), linkOf(3, 'lte0')],
    addresses: [addressOn(2, '203.0.113.10/32'), addressOn(3, '192.168.100.7/24')],
  }
  const told = obstacles(ruleset(table), needsOf(config, uplinks(config, facts))).map(obstacleText)
  return { told, denied: deniedByDefault(ruleset(table), config) }
}

test("beside a router's own rules: all that they drop is named, and nothing else", () => {
  const ports =
    "config firewall 'internet'\n  list allow '8080/tcp'\n  list allow '22/tcp'\n  list lan 'lan'\n"
  const { told, denied } = onRouter(ports)
  assert.deepEqual(told, [
    'the chain inet firewall input drops what comes in over line and is allowed (8080/tcp)',
    'the chain inet firewall input drops what comes in over fibre and is allowed (8080/tcp)',
    'the chain inet firewall input drops what comes in over lte and is allowed (8080/tcp)',
    'the chain inet firewall forward drops what lan sends out over lte, or the answers',
  ])
  assert.equal(denied, undefined)
})

test('without a section: who filters by rules of their own hears that lifeline denies by default', () => {
  const { told, denied } = onRouter('')
  assert.deepEqual(told, [
    'could not judge whether the chain inet firewall forward lets pass what the network behind this machine sends into the tunnel line, or the answers: it depends on meta iifname',
  ])
  assert.deepEqual(denied, { tunnels: ['line'], chain: 'inet firewall input' })
  assert.match(deniedByDefaultText({ tunnels: ['line'], chain: 'c' }).message, /lifeline denies by default/)
  assert.match(
    deniedByDefaultText({ tunnels: ['line'], chain: 'c' }).advice,
    /config firewall.*firewall 'none'/,
  )
})

test('who has no rules, or told us what to do with each tunnel, does not hear it', () => {
  const { config } = mustRead('uci', ROUTER)
  assert.equal(deniedByDefault({ nftables: [] }, config), undefined)
  assert.equal(
    deniedByDefault(
      ruleset('router'),
      mustRead('uci', TUNNEL.replace('option username', "option firewall 'none'\n  option username")).config,
    ),
    undefined,
  )
  assert.equal(onRouter("config firewall 'internet'\n  list path 'line'\n").denied, undefined)
  assert.deepEqual(onRouter("config firewall 'internet'\n  list path 'fibre'\n").denied?.tunnels, ['line'])
})

test('router advertisements belong to what a tunnel with IPv6 needs', () => {
  const named = 'router advertisements of the tunnel aaisp, without which it has no IPv6 address'
  assert.ok(inTheWay('', ZONES).includes(`inet zones input: ${named}`))
  assert.ok(!inTheWay("  option ipv6 '0'\n", ZONES).some((line) => line.includes(named)))
})
