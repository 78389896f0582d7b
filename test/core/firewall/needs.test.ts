import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { needsOf, obstacles } from '../../../src/core/firewall/needs.ts'
import { NO_FACTS } from '../../../src/core/system/facts.ts'
import { uplinks } from '../../../src/core/system/uplinks.ts'
import { mustRead } from '../config/reading.ts'

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
  return obstacles(rules, needsOf(config, uplinks(config, NO_FACTS))).map(
    ({ chain, need }) => `${chain}: ${need.purpose}`,
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

test('what may pass there for some senders is not called closed, but for senders of the other family it is', () => {
  assert.deepEqual(inTheWay(section("allow '25/tcp from 192.0.2.0/24'")), [])
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
