import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { Config } from '../../../src/core/config/types.ts'
import { PathAddresses } from '../../../src/core/failover/sharing.ts'
import type { ActiveRoute } from '../../../src/core/failover/types.ts'
import { scriptOf } from '../../../src/core/firewall/filters.ts'
import { firewallText } from '../../../src/core/firewall/firewall.ts'
import { guardScript } from '../../../src/core/firewall/guard.ts'
import { quoted } from '../../../src/core/firewall/packets.ts'
import { removeTable } from '../../../src/core/firewall/ruleset.ts'
import type { FirewallInput, FirewallPath } from '../../../src/core/firewall/types.ts'
import { desiredState } from '../../../src/core/system/desired.ts'
import type { Facts } from '../../../src/core/system/facts.ts'
import { nextState, type TunnelSession } from '../../../src/core/system/session.ts'
import { addressedPaths } from '../../../src/core/system/sharing.ts'
import { fixture, mustRead } from '../config/reading.ts'
import { AAISP, HOME } from '../system/failover-samples.ts'

function tunnel(name: string, device: string, changes: Partial<FirewallPath> = {}): FirewallPath {
  return {
    name,
    kind: 'tunnel',
    device,
    mark: 0x10000,
    filter: 'deny',
    mtu: 1462,
    snat: undefined,
    uncarried: [],
    ...changes,
  }
}

const input = (...paths: readonly FirewallPath[]): FirewallInput => ({
  markMask: 0xff0000,
  paths,
  redirects: [],
  owned: [],
  answered: [],
  twins: [],
  asked: [],
})

/** The text for a configuration in a file of its own, on the machine of the README. */
function textFor(config: Config, session?: TunnelSession, facts: Facts = HOME, active?: ActiveRoute): string {
  const states = new Map(session === undefined ? [] : [['aaisp', nextState(undefined, session)]])
  return scriptOf(desiredState(config, facts, states, active).filters) ?? ''
}

const configured = (notation: 'uci' | 'json', name: string) => mustRead(notation, fixture(name)).config

/** The golden files; test/net/kernel loads each into a real kernel. LIFELINE_GOLDEN=write makes them anew, to be read. */
const golden: Record<string, () => string> = {
  one: () => firewallText(input(tunnel('aaisp', 'l2tp-aaisp'))),
  two: () =>
    firewallText(
      input(
        tunnel('aaisp', 'l2tp-aaisp'),
        tunnel('office_2', 'tun-office', { mtu: 1280, filter: 'none', mark: 0x20000 }),
      ),
    ),
  refused: () => firewallText(input(tunnel('aaisp', 'l2tp-aaisp', { uncarried: [4, 6], snat: '192.0.2.1' }))),
  unfiltered: () => firewallText(input(tunnel('lab', 'lab0', { mtu: 1500, filter: 'none' }))),
  failover: () => textFor(configured('uci', 'failover.uci')),
  'failover-known': () => textFor(configured('uci', 'failover.uci'), AAISP),
  server: () => textFor(configured('uci', 'server.uci'), AAISP),
  sections: () => textFor(configured('uci', 'firewall.uci'), { ...AAISP, ipv6: undefined }),
}

describe('firewallText', () => {
  for (const [name, textOf] of Object.entries(golden)) {
    it(`${name}.nft`, () => {
      const file = new URL(`../../fixtures/firewall/${name}.nft`, import.meta.url)
      const text = textOf()
      if (process.env.LIFELINE_GOLDEN === 'write') writeFileSync(file, text)
      assert.equal(text, readFileSync(file, 'utf8'))
    })
  }
})

const ACTIVES: readonly (ActiveRoute | undefined)[] = [
  undefined,
  { kind: 'hold', awaited: 'aaisp' },
  ...['fibre', 'aaisp', 'lte'].map((name) => ({ kind: 'path', name }) as const),
]

describe('the text for a configuration', () => {
  const config = configured('uci', 'failover.uci')
  const known = nextState(undefined, AAISP)

  it('is the same in both notations', () => {
    for (const name of ['failover', 'server'])
      assert.equal(textFor(configured('json', `${name}.json`)), textFor(configured('uci', `${name}.uci`)))
  })

  it('does not depend on the active path, nor on whether the session is up: a switch loads no filter', () => {
    for (const state of [known, nextState(known, undefined)]) {
      const texts = ACTIVES.map((active) =>
        scriptOf(desiredState(config, HOME, new Map([['aaisp', state]]), active).filters),
      )
      assert.equal(new Set(texts).size, 1)
    }
  })

  it('stays while the uplink, its address and its device are away', () => {
    const states = new Map([['aaisp', known]])
    const without: Facts = {
      ...HOME,
      links: HOME.links.filter(({ index }) => index !== 3),
      addresses: HOME.addresses.filter(({ link }) => link !== 3),
      routes: HOME.routes.filter(({ nexthops }) => nexthops[0]?.link !== 3),
    }
    assert.deepEqual(
      desiredState(config, without, states).filters,
      desiredState(config, HOME, states).filters,
    )
    // Of a tunnel that was never up the address is not known: that of the line has to be remembered.
    const seen = new PathAddresses()
    for (const facts of [HOME, without]) seen.seen(addressedPaths(config, facts, new Map()))
    const never = desiredState(config, without, new Map(), undefined, seen.sharing).filters
    assert.deepEqual(never, desiredState(config, HOME, new Map()).filters)
    assert.match(scriptOf(never) ?? '', /oifname "pppoe-aaisp" meta nfproto ipv4 snat ip to 203\.0\.113\.10/)
  })

  it('of an unshared address masquerades, and clamps by its own size', () => {
    const other = { ...AAISP, ipv4: { address: '198.18.0.7', peer: undefined } }
    const text = textFor(config, other)
    assert.match(text, /oifname "pppoe-aaisp" meta nfproto ipv4 masquerade/)
    assert.match(text, /oifname "l2tp-aaisp" meta nfproto ipv4 masquerade/)
    assert.match(text, /oifname "pppoe-aaisp" tcp flags .* set rt mtu/)
  })

  it('takes a configured address where it belongs, or everywhere if nobody is known to have it', () => {
    const [section] = config.firewalls
    assert.ok(section)
    const sources = (snat: string) =>
      textFor({ ...config, firewalls: [{ ...section, snat }] }, AAISP)
        .split('\n')
        .filter((line) => /snat ip to|masquerade/.test(line))
        .map((line) => line.trim().replace(' meta nfproto ipv4', ''))
    assert.deepEqual(sources('203.0.113.10'), [
      'oifname "pppoe-aaisp" snat ip to 203.0.113.10',
      'oifname "wan-4g" masquerade',
      'oifname "l2tp-aaisp" snat ip to 203.0.113.10',
    ])
    assert.equal(sources('192.0.2.77').filter((line) => line.includes('192.0.2.77')).length, 3)
    assert.deepEqual(sources('none'), [])
  })

  it('leaves uplinks alone that no section covers', () => {
    const text = textFor({ ...config, firewalls: [] }, AAISP)
    for (const line of text.split('\n').filter((one) => /"pppoe-aaisp"|"wan-4g"/.test(one)))
      assert.match(line, /mark|maxseg|iifname \{.*\} goto arriving/)
    assert.match(text, /iifname "l2tp-aaisp" goto input_aaisp/)
    assert.doesNotMatch(text, /snat|masquerade|postrouting priority srcnat/)
  })

  it('lets out what is for private networks only to whom the configuration names', () => {
    const uplinks = config.uplinks.map((one) => ({ ...one, dns: ['10.1.1.1', '9.9.9.9', '2001:db8::53'] }))
    const tunnels = config.tunnels.map((one) => ({ ...one, servers: [{ host: '172.31.0.1', port: 1701 }] }))
    assert.match(
      textFor({ ...config, uplinks, tunnels }),
      /\n\t\tip daddr \{ 10\.1\.1\.1, 172\.31\.0\.1 \} return\n/,
    )
    assert.doesNotMatch(textFor(config), /ip daddr .* return/)
  })

  it('covers no tunnel whose firewall is none', () => {
    const tunnels = config.tunnels.map((one) => ({ ...one, firewall: 'none' as const }))
    const filtering = textFor({ ...config, tunnels }, AAISP)
      .split('\n')
      .filter((line) => line.includes('l2tp-aaisp'))
    assert.ok(filtering.length > 0)
    for (const line of filtering) assert.doesNotMatch(line, /goto in_|goto through_|goto out_|masquerade/)
  })

  it('refuses IPv6 on a session that has none, unless nothing is known of it', () => {
    const refuses = (session?: TunnelSession) => /icmpv6 no-route/.test(textFor(config, session))
    assert.equal(refuses(), false)
    assert.equal(refuses(AAISP), false)
    assert.equal(refuses({ ...AAISP, ipv6: undefined }), true)
  })
})

describe('the filter of a tunnel that no section covers', () => {
  it('drops what reaches the end of every chain', () => {
    const chains = (golden.two?.() ?? '').split('\tchain ')
    for (const name of ['input_aaisp', 'forward_aaisp']) {
      const chain = chains.find((text) => text.startsWith(`${name} {`))
      assert.match(chain ?? '', /\n\t\tcounter drop\n\t\}\n/)
    }
    assert.ok(!chains.some((text) => text.includes('office') && text.includes('goto in')))
  })
})

describe('a script', () => {
  it('replaces the table as a whole, also where there is none', () => {
    assert.ok((golden.one?.() ?? '').startsWith(removeTable()))
    assert.equal(removeTable(), 'table inet lifeline\ndelete table inet lifeline\n')
  })

  it('lets no text out of its quotes', () => {
    assert.equal(quoted('a"; drop; "\\\n'), '"a; drop; "')
  })

  it('of guarded ports lets each LNS in on its uplink, and nobody else', () => {
    const wan4 = { device: 'wan-4g', localPort: 50123, server: '198.51.100.1' }
    const wan6 = { device: 'eth0', localPort: 50123, server: '2001:db8::1' }
    assert.equal(
      guardScript([wan4, wan6]),
      [
        'flush chain inet lifeline guard',
        'add rule inet lifeline guard iifname "wan-4g" ip saddr 198.51.100.1 udp dport 50123 accept',
        'add rule inet lifeline guard iifname "eth0" ip6 saddr 2001:db8::1 udp dport 50123 accept',
        'add rule inet lifeline guard udp dport 50123 counter drop',
        '',
      ].join('\n'),
    )
    assert.equal(guardScript([]), 'flush chain inet lifeline guard\n')
  })
})
