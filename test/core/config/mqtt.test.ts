import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changedBrokers } from '../../../src/core/config/changes.ts'
import { printEffective } from '../../../src/core/config/print.ts'
import { fixture, mustRead } from './reading.ts'

const HOME = {
  name: 'home',
  url: { tls: true, host: 'ha.lan', port: 8884 },
  username: 'router',
  password: 'wonderland',
  caFile: '/etc/lifeline/ca.pem',
  certFile: '/etc/lifeline/cert.pem',
  keyFile: '/etc/lifeline/key.pem',
  serverName: 'broker.example',
  acceptAnyCertificate: false,
  clientId: 'router',
  baseTopic: 'house/lifeline',
  discovery: false,
  discoveryPrefix: 'ha',
  statsInterval: 60_000,
  commands: ['reconnect', 'down'],
  protocol: '3.1.1',
  enabled: true,
}

const CLOUD = {
  name: 'cloud',
  url: { tls: false, host: '2001:db8::1', port: 1883 },
  username: undefined,
  password: undefined,
  caFile: undefined,
  certFile: undefined,
  keyFile: undefined,
  serverName: undefined,
  acceptAnyCertificate: false,
  clientId: undefined,
  baseTopic: undefined,
  discovery: true,
  discoveryPrefix: 'homeassistant',
  statsInterval: 30_000,
  commands: [],
  protocol: '5',
  enabled: false,
}

for (const notation of ['uci', 'json'] as const) {
  test(`brokers in ${notation}`, () => {
    const { config } = mustRead(notation, fixture(`mqtt.${notation}`))
    const brokers = config.mqtt.map((broker) => ({ ...broker, password: broker.password?.reveal() }))
    assert.deepEqual(brokers, [HOME, CLOUD])
  })

  test(`what \`check\` prints of brokers in ${notation} reads back, and hides the password`, () => {
    const { config, effective } = mustRead(notation, fixture(`mqtt.${notation}`))
    const printed = printEffective(effective, notation)
    assert.doesNotMatch(printed, /wonderland/)
    const again = mustRead(notation, printed)
    assert.deepEqual(changedBrokers(config, again.config), [])
    assert.equal(printEffective(again.effective, notation), printed)
  })
}

test('a broker that came, went, or has another password changed', () => {
  const broker = { url: 'mqtt://ha.lan', username: 'a', password: 'x' }
  const old = mustRead(
    'json',
    JSON.stringify({ mqtt: { same: broker, gone: { ...broker, client_id: 'g' } } }),
  )
  const next = mustRead(
    'json',
    JSON.stringify({ mqtt: { same: { ...broker, password: 'y' }, fresh: { ...broker, client_id: 'f' } } }),
  )
  assert.deepEqual(changedBrokers(old.config, next.config), ['same', 'gone', 'fresh'])
  assert.deepEqual(changedBrokers(old.config, old.config), [])
})
