import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { planAtStart } from '../../src/app/plan.ts'
import { type Nft, SystemError } from '../../src/app/ports.ts'
import { type Facts, NO_FACTS } from '../../src/core/system/facts.ts'
import { mustRead } from '../core/config/reading.ts'
import { linkOf } from '../core/system/samples.ts'

const SERVER: unknown = JSON.parse(readFileSync('test/fixtures/doctor/server.json', 'utf8'))

const TEXT = `
config tunnel 'aaisp'
  list server '192.0.2.1'
  option username 'a'
  option password 'b'
config firewall 'internet'
  list allow '443,8443/tcp'
`

function plan(list: Nft['list'], facts: Facts = NO_FACTS) {
  const { config } = mustRead('uci', TEXT)
  const ready = { config, warnings: ['from the configuration'] }
  const nft: Nft = { load: async () => {}, check: async () => {}, list }
  return planAtStart(ready, facts, { nft, sysctls: { read: () => undefined, write: () => {} } })
}

test('a plan warns of foreign chains that drop what is allowed, after what the configuration is warned of', async () => {
  const { warnings, changes, nft } = await plan(async () => SERVER)
  assert.deepEqual(warnings, [
    'from the configuration',
    "the chain inet guard input drops what comes in over aaisp and is allowed (443,8443/tcp): allow there too what the section firewall 'internet' allows: an accept in one table is no accept in another",
  ])
  assert.ok(changes.length > 0)
  assert.match(nft, /^table inet lifeline/)
})

test('a plan beside rules of their own says what they drop, what cannot be judged, and what lifeline denies itself', async () => {
  const rules: unknown = JSON.parse(readFileSync('test/fixtures/doctor/router.json', 'utf8'))
  const { config } = mustRead('uci', TEXT.slice(0, TEXT.indexOf('config firewall')))
  const nft: Nft = { load: async () => {}, check: async () => {}, list: async () => rules }
  const sysctls = { read: () => undefined, write: () => {} }
  const { warnings } = await planAtStart({ config, warnings: [] }, NO_FACTS, { nft, sysctls })
  assert.equal(warnings.length, 2)
  assert.match(
    warnings[0] ?? '',
    /^the chain inet firewall forward drops what the network behind this machine sends/,
  )
  assert.match(
    warnings[1] ?? '',
    /lifeline denies by default.*list allow.*option firewall 'none' in the tunnel$/,
  )
})

test('no foreign chain, no warning; rules that cannot be read are said to be so', async () => {
  assert.deepEqual((await plan(async () => ({ nftables: [] }))).warnings, ['from the configuration'])
  const refused = await plan(async () => {
    throw new SystemError('EPERM', 'not for you')
  })
  assert.deepEqual(refused.warnings, [
    'from the configuration',
    'the rules of others cannot be read: not for you',
  ])
})

test("a tunnel whose device is somebody else's is left out, with a warning", async () => {
  const facts = { ...NO_FACTS, links: [linkOf(2, 'l2tp-aaisp', { kind: 'veth' })] }
  const { warnings, changes, nft } = await plan(async () => ({ nftables: [] }), facts)
  assert.deepEqual(warnings, [
    'from the configuration',
    'tunnel aaisp is left out, as l2tp-aaisp is a device of another kind: choose another name with option device',
  ])
  assert.doesNotMatch(`${changes}${nft}`, /l2tp-aaisp/)
})

test('without any tunnel our nft table is removed where there is one, and only there', async () => {
  const { config } = mustRead('json', '{}')
  const changes = async (list: Nft['list']) => {
    const nft: Nft = { load: async () => {}, check: async () => {}, list }
    const sysctls = { read: () => undefined, write: () => {} }
    return (await planAtStart({ config, warnings: [] }, NO_FACTS, { nft, sysctls })).changes
  }
  const removal = ['remove nft table inet lifeline']
  assert.deepEqual(await changes(async () => ({ nftables: [] })), [])
  const tables = (family: string) => ({ nftables: [{ table: { family, name: 'lifeline', handle: 1 } }] })
  assert.deepEqual(await changes(async () => tables('ip')), [])
  assert.deepEqual(await changes(async () => tables('inet')), removal)
  // Where that cannot be known it is assumed.
  const refused = async () => {
    throw new SystemError('EPERM', 'not for you')
  }
  assert.deepEqual(await changes(refused), removal)
})
