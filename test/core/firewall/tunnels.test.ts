import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { quoted, removeTable } from '../../../src/core/firewall/ruleset.ts'
import { type FirewallTunnel, firewallText } from '../../../src/core/firewall/tunnels.ts'

/** The golden files; test/net/kernel loads each into a real kernel. LIFELINE_GOLDEN=write makes them anew, to be read. */
const golden: Record<string, readonly FirewallTunnel[]> = {
  one: [{ name: 'aaisp', device: 'l2tp-aaisp', mtu: 1462, firewall: 'default' }],
  two: [
    { name: 'aaisp', device: 'l2tp-aaisp', mtu: 1462, firewall: 'default' },
    { name: 'office_2', device: 'tun-office', mtu: 1280, firewall: 'none' },
  ],
  unfiltered: [{ name: 'lab', device: 'lab0', mtu: 1500, firewall: 'none' }],
}

describe('firewallText', () => {
  for (const [name, tunnels] of Object.entries(golden)) {
    it(`${name}.nft`, () => {
      const file = new URL(`../../fixtures/firewall/${name}.nft`, import.meta.url)
      const text = firewallText(tunnels)
      if (process.env.LIFELINE_GOLDEN === 'write') writeFileSync(file, text)
      assert.equal(text, readFileSync(file, 'utf8'))
    })
  }

  it('replaces the table in one script that also works where there is none', () => {
    assert.ok(firewallText(golden.one ?? []).startsWith(removeTable()))
    assert.equal(removeTable(), 'table inet lifeline\ndelete table inet lifeline\n')
  })

  it('drops what reaches the end of every chain of a filtered tunnel', () => {
    const chains = firewallText(golden.two ?? []).split('\tchain ')
    for (const name of ['input_aaisp', 'forward_aaisp']) {
      const chain = chains.find((text) => text.startsWith(`${name} {`))
      assert.match(chain ?? '', /\n\t\tcounter drop\n\t\}\n/)
    }
    assert.ok(!chains.some((text) => text.includes('office') && text.includes('goto')))
  })

  it('lets no text out of its quotes', () => {
    assert.equal(quoted('a"; drop; "\\\n'), '"a; drop; "')
  })
})
