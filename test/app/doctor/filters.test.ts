import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { checkForeignChains, checkForeignRules, checkReversePath } from '../../../src/app/doctor/filters.ts'
import type { Finding } from '../../../src/app/doctor/finding.ts'
import { type Nft, SystemError } from '../../../src/app/ports.ts'
import { OUR_PROTOCOL } from '../../../src/core/system/facts.ts'
import { linkOf } from '../../core/system/samples.ts'
import { ONE_UPLINK, probe, rule, situation, sysctls, TWO_UPLINKS } from './situation.ts'

function loaded(name: string): Nft {
  const ruleset = JSON.parse(readFileSync(`test/fixtures/doctor/${name}.json`, 'utf8'))
  return { load: async () => {}, check: async () => {}, list: async () => ruleset }
}

/** Two uplinks, and a section that says what may pass. */
const FILTERED = JSON.stringify({ ...JSON.parse(TWO_UPLINKS), firewall: { internet: {} } })

function examineChains(nft: Nft, config = TWO_UPLINKS, files = {}): Promise<Finding[]> {
  return checkForeignChains(nft, probe(files), situation(config))
}

const DENIES =
  'and lifeline denies by default: through the tunnel aaisp only replies and pings come in, whatever your rules accept'

/** What the fixture `desktop` does depends on ports and marks that nobody knows. */
const UNCLEAR = [
  'note: could not judge whether the chain inet filter output lets pass what this machine sends into the tunnel aaisp, or the answers: it depends on tcp dport',
  'note: could not judge whether the chain inet filter forward lets pass what the network behind this machine sends into the tunnel aaisp, or the answers: it depends on meta mark',
]

function lines(findings: readonly Finding[]): string[] {
  return findings.map(({ severity, message }) => `${severity}: ${message}`)
}

test('a zone firewall without a zone for the tunnel: what the network sends into it is dropped', async () => {
  assert.deepEqual(lines(await examineChains(loaded('zones'))), [
    'warning: the chain inet zones forward drops what the network behind this machine sends into the tunnel aaisp, or the answers',
    'warning: the chain inet zones input drops pings that arrive through the tunnel aaisp',
    'warning: the chain inet zones input drops router advertisements of the tunnel aaisp, without which it has no IPv6 address',
    `note: there are rules of your own (inet zones input), ${DENIES}`,
  ])
})

test('a host that drops on output: neither L2TP nor the tunnel work, and its strict filter harms the standby uplink', async () => {
  assert.deepEqual(lines(await examineChains(loaded('desktop'))), [
    'problem: the chain inet filter output drops L2TP over fibre (UDP port 1701)',
    'problem: the chain inet filter output drops L2TP over lte (UDP port 1701)',
    ...UNCLEAR,
    'warning: the chain inet filter prerouting drops packets that arrive on another device than the one that leads back',
    `note: there are rules of your own (inet filter input), ${DENIES}`,
  ])
  assert.deepEqual(lines(await examineChains(loaded('desktop'), ONE_UPLINK)), [
    'problem: the chain inet filter output drops L2TP over eth0 (UDP port 1701)',
    ...UNCLEAR,
    `note: there are rules of your own (inet filter input), ${DENIES}`,
  ])
})

test('a device that does not exist has no reverse-path filter', () => {
  const settings = sysctls({ 'net/ipv4/conf/all/rp_filter': '1' })
  const strict = (links: readonly string[]) =>
    lines(
      checkReversePath(
        settings,
        situation(TWO_UPLINKS, { links: links.map((name, i) => linkOf(i + 2, name)) }),
      ),
    )
  assert.match(strict(['eth0', 'wwan0'])[0] ?? '', /^warning: the kernel drops answers on lte /)
  assert.deepEqual(strict(['eth0']), ['ok: no uplink is filtered strictly by the kernel'])
})

test('where nobody drops, that is said; where nft cannot be asked, too', async () => {
  assert.deepEqual(lines(await examineChains(loaded('open'), FILTERED)), [
    'ok: no nftables chain drops what the tunnels need',
  ])
  const silent = loaded('open')
  const refusing: Nft = {
    ...silent,
    list: async () => {
      throw new SystemError('EPERM', 'not for you')
    },
  }
  assert.deepEqual(lines(await examineChains(refusing)), [
    'note: the rules of others cannot be read: not for you',
  ])
})

const RP = (device: string) => `net/ipv4/conf/${device}/rp_filter`

test('rules that nft does not show are not called harmless', async () => {
  const legacy = (names: string) =>
    examineChains(loaded('open'), FILTERED, { '/proc/net/ip_tables_names': names })
  assert.deepEqual(lines(await legacy('')), ['ok: no nftables chain drops what the tunnels need'])
  assert.deepEqual(lines(await legacy('filter\n')), [
    'note: could not judge the rules of iptables-legacy, which nft does not show',
  ])
})

test('rp_filter: the larger of all and the device counts, and only uplinks that stand by are harmed', () => {
  const strictAll = sysctls({ [RP('all')]: '1', [RP('eth0')]: '0', [RP('wwan0')]: '0' })
  assert.deepEqual(lines(checkReversePath(strictAll, situation())), [
    'warning: the kernel drops answers on lte while another device has the default route (rp_filter is strict)',
  ])
  const loose = sysctls({ [RP('all')]: '1', [RP('wwan0')]: '2' })
  assert.deepEqual(lines(checkReversePath(loose, situation())), [
    'ok: no uplink is filtered strictly by the kernel',
  ])
  const strictActive = sysctls({ [RP('all')]: '0', [RP('eth0')]: '1', [RP('wwan0')]: '0' })
  assert.equal(checkReversePath(strictActive, situation())[0]?.severity, 'ok')
  assert.equal(checkReversePath(strictAll, situation(ONE_UPLINK))[0]?.severity, 'ok')
})

test('rules of others before ours, in our range, and on our bits of the mark', () => {
  const { lifeline } = situation().config
  const calm = situation(TWO_UPLINKS, {
    rules: [
      rule({ priority: 0, table: 255 }),
      rule({}),
      rule({ priority: 31_001, protocol: OUR_PROTOCOL, table: 17_000 }),
    ],
  })
  assert.deepEqual(lines(checkForeignRules(probe({}), calm)), [
    'ok: no other program steers traffic around the tunnels',
  ])
  const busy = situation(TWO_UPLINKS, {
    links: [linkOf(2, 'eth0')],
    rules: [
      rule({ priority: 1001, table: 1 }),
      rule({ priority: 2001, table: 1, mark: { value: 0, mask: lifeline.markMask } }),
      rule({ priority: lifeline.rulePriority + 99, table: 7 }),
      rule({ priority: lifeline.rulePriority + 100, table: 7 }),
    ],
  })
  assert.deepEqual(lines(checkForeignRules(probe({ '/etc/init.d/mwan3': '' }), busy)), [
    'note: mwan3 is installed: what its rules match does not use the tunnels',
    'note: 2 of other programs come before ours (first at 1001): what they match does not use the tunnels',
    `warning: another program has rules between ${lifeline.rulePriority} and ${lifeline.rulePriority + 99}, where ours are`,
    "warning: another program's rule at 2001 reads bits of the packet mark that are ours",
  ])
})
