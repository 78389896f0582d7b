/** The pages about MQTT and Home Assistant say what is so. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { COMMANDS } from '../../../src/core/commands.ts'
import { discoveryOf } from '../../../src/core/homeassistant/discovery.ts'
import { BUDGET_EVENTS, SWITCH_EVENTS, TUNNEL_EVENTS } from '../../../src/core/homeassistant/events.ts'
import { Topics } from '../../../src/core/homeassistant/topics.ts'
import { samplePayloads } from './samples.ts'

const MQTT = readFileSync('docs/mqtt.md', 'utf8')
const PAGE = readFileSync('docs/home-assistant.md', 'utf8')

/** The words in backticks in the first column of the table that follows `heading`. */
function firstColumn(page: string, heading: string): string[] {
  const [, rest = ''] = page.split(`${heading}\n`)
  const [table = ''] = /^\|[\s\S]*?\n(?!\|)/m.exec(rest) ?? []
  const rows = table
    .split('\n')
    .slice(2)
    .map((row) => row.split('|')[1] ?? '')
  return rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word))
}

test('every key of every payload is documented, and no other', () => {
  const payloads = samplePayloads()
  for (const [kind, heading] of [
    ['state', '`<base>/state`:'],
    ['tunnel/state', '`<base>/tunnel/<name>/state`:'],
    ['uplink/state', '`<base>/uplink/<name>/state`:'],
    ['tunnel/stats', '`<base>/tunnel/<name>/stats`:'],
    ['uplink/stats', '`<base>/uplink/<name>/stats`:'],
  ] as const)
    assert.deepEqual(firstColumn(MQTT, heading), Object.keys(Object(payloads[kind])), kind)
})

test('the topics are those that the program uses', () => {
  const topics = new Topics('<base>')
  const documented = firstColumn(MQTT, '## Topics')
  for (const topic of [
    topics.status,
    topics.state,
    topics.event,
    topics.commands,
    topics.command('<command>'),
    topics.tunnelState('x').replace('/x/', '/<name>/'),
    topics.tunnelStats('x').replace('/x/', '/<name>/'),
    topics.uplinkState('x').replace('/x/', '/<name>/'),
    topics.uplinkStats('x').replace('/x/', '/<name>/'),
  ])
    assert.ok(documented.includes(topic), topic)
})

test('the commands are named', () => {
  for (const { name, surfaces } of COMMANDS)
    if (surfaces.some((surface) => surface === 'mqtt')) assert.ok(MQTT.includes(`\`${name}\``), name)
})

test('the entities that the page and its YAML name exist', () => {
  const { components } = discoveryOf(
    {
      node: 'router',
      version: '0.1.0',
      topics: new Topics('lifeline/router'),
      statsInterval: 30,
      commands: ['up', 'down', 'reconnect', 'use', 'drill'],
      tunnels: ['aaisp'],
      uplinks: [
        { name: 'fibre', budget: 'none', probed: true },
        { name: 'lte', budget: 'limited', probed: true },
      ],
      paths: ['fibre', 'aaisp', 'lte'],
    },
    {},
  )
  const ids = new Set(
    Object.values(components).map((one) => ('default_entity_id' in one ? one.default_entity_id : '')),
  )
  const named = [
    ...PAGE.matchAll(/\b(?:binary_sensor|sensor|event|button|switch|select)\.lifeline_[a-z0-9_]+/g),
  ]
  assert.ok(named.length > 40)
  for (const [id] of named) assert.ok(ids.has(id), id)
  for (const kind of ids) {
    // Of each group the page names one, and says which others there are.
    const [, suffix = ''] = /(_(?:upload|uploaded|loss|external_ipv6|ipv6_prefix|lns|mtu))$/.exec(kind) ?? []
    const shown =
      PAGE.includes(kind) || PAGE.includes(`\`${suffix || 'none'}\``) || /_(fibre|lte|aaisp)_/.test(kind)
    assert.ok(shown, `${kind} is not on the page`)
  }
  for (const type of [...SWITCH_EVENTS, ...TUNNEL_EVENTS, ...BUDGET_EVENTS])
    assert.ok(PAGE.includes(`\`${type}\``))
})

test('the blueprint offers the types of event that there are, and by default tells what is wrong', () => {
  const blueprint = readFileSync('docs/blueprints/lifeline_notifications.yaml', 'utf8')
  const listed = (key: string) => {
    const [, rest = ''] = blueprint.split(`${key}:\n`)
    const [items = ''] = /^(?: +- [a-z_]+\n)+/.exec(rest) ?? []
    return [...items.matchAll(/- ([a-z_]+)/g)].map(([, item = '']) => item)
  }
  const types = [...SWITCH_EVENTS, ...TUNNEL_EVENTS, ...BUDGET_EVENTS]
  assert.deepEqual(listed('options').sort(), types.sort())
  assert.deepEqual(listed('default'), [
    'failover',
    'failback',
    'failback_failed',
    'tunnel_down',
    'budget_warning',
  ])
  // From the release on that the page promises, and with nothing that only later ones know.
  assert.match(blueprint, /min_version: "2024\.12\.0"/)
  assert.ok(PAGE.includes('works with Home Assistant 2024.12'))
  for (const key of [
    'domain: automation',
    'triggers:',
    'conditions:',
    'actions: !input actions',
    '!input events',
  ])
    assert.ok(blueprint.includes(key), key)
  assert.doesNotMatch(PAGE, /^type: logbook\n(?:.*\n)*?target:/m, 'a target of the logbook card came later')
})
