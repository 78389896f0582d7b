import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { announcedBy, type Discovery, discoveryOf } from '../../../src/core/homeassistant/discovery.ts'
import type { DiscoveryView } from '../../../src/core/homeassistant/entities.ts'
import { discoveryTopic, objectIdOf, Topics } from '../../../src/core/homeassistant/topics.ts'
import {
  DEVICE_KEYS,
  DISCOVERY_TOPIC,
  ENTITY_ID,
  ORIGIN_KEYS,
  PLATFORMS,
  READ_ONLY_CATEGORIES,
  ROOT,
  SENSOR_CLASSES,
  STATE_CLASSES,
} from './documented.ts'
import { samplePayloads } from './samples.ts'

const SMALL: DiscoveryView = {
  node: 'router',
  version: '0.1.0',
  topics: new Topics('lifeline/router'),
  statsInterval: 30,
  commands: [],
  tunnels: ['aaisp'],
  uplinks: [],
  paths: undefined,
}

const LARGE: DiscoveryView = {
  ...SMALL,
  node: 'Router-1.lan',
  topics: new Topics('house/lifeline'),
  statsInterval: 2.5,
  commands: ['up', 'down', 'reconnect', 'use', 'drill'],
  tunnels: ['aaisp', 'other'],
  uplinks: [
    { name: 'fibre', budget: 'none', probed: true },
    { name: 'lte', budget: 'limited', probed: true },
  ],
  mac: '02:00:5e:00:53:01',
  page: 'http://192.168.1.1/',
  homepage: 'https://lifeline.example/',
  paths: ['fibre', 'aaisp', 'lte'],
}

type Json = Readonly<Record<string, unknown>>

const CASES = {
  small: discoveryOf(SMALL, {}),
  large: discoveryOf(LARGE, { gone_connected: 'binary_sensor', gone_reconnect: 'button' }),
}

for (const [name, discovery] of Object.entries(CASES)) {
  describe(`the ${name} device`, () => {
    test('is announced as in the golden file', () => {
      const golden = `test/fixtures/homeassistant/discovery-${name}.json`
      const text = `${JSON.stringify(discovery, null, 2)}\n`
      // After a wanted change: LIFELINE_GOLDEN=write, and read the difference.
      if (process.env.LIFELINE_GOLDEN === 'write') writeFileSync(golden, text)
      assert.equal(text, readFileSync(golden, 'utf8'))
    })

    test('keeps to what Home Assistant documents', () => checkDocumented(discovery))

    test('reads only keys that the payloads have', () => checkTemplates(discovery))
  })
}

test('any names make a message that Home Assistant takes', () => {
  const name = fc.stringMatching(/^[a-z0-9_]{1,12}$/)
  const device = fc.stringMatching(/^[A-Za-z0-9._@+-]{1,15}$/)
  const view = fc
    .record({
      node: fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/).filter((text) => /[A-Za-z0-9]$/.test(text)),
      names: fc.uniqueArray(name, { minLength: 2, maxLength: 6 }),
      learnt: fc.uniqueArray(device, { maxLength: 2 }),
    })
    .map(({ node, names, learnt }): DiscoveryView => {
      const [tunnels, uplinks] = [names.slice(0, 2), names.slice(2)]
      return {
        ...LARGE,
        node,
        tunnels,
        uplinks: uplinks.map((uplink) => ({ name: uplink, budget: 'limited' as const, probed: true })),
        paths: [...names, ...learnt.filter((path) => !names.includes(path))],
      }
    })
  fc.assert(
    fc.property(view, (view) => {
      const discovery = discoveryOf(view, {})
      checkDocumented(discovery)
      // Nobody warns of a budget where there is no uplink to have one.
      const [whole, perTunnel, perUplink] = [view.uplinks.length > 0 ? 15 : 14, 18, 11]
      assert.equal(
        Object.keys(discovery.components).length,
        whole + 2 * perTunnel + perUplink * view.uplinks.length,
        'an id was used twice',
      )
      assert.match(discoveryTopic('homeassistant', objectIdOf(view.node)).slice(14), DISCOVERY_TOPIC)
    }),
    { numRuns: 300 },
  )
})

test('what is no more is announced as a platform alone, and only that', () => {
  const before = announcedBy(discoveryOf(LARGE, {}))
  const { components } = discoveryOf({ ...LARGE, tunnels: ['aaisp'], commands: [] }, before)
  for (const id of [
    'other_works',
    'other_state',
    'other_reconnect',
    'path',
    'failover_drill',
    'aaisp_enabled',
  ])
    assert.deepEqual(components[id], { platform: before[id] })
  assert.ok('unique_id' in (components.aaisp_works ?? {}))
  const again = announcedBy(discoveryOf(LARGE, announcedBy({ ...CASES.large, components })))
  assert.deepEqual(Object.keys(again).sort(), Object.keys(before).sort())
})

test('without commands nothing can be commanded', () => {
  const platforms = Object.values(CASES.small.components).map(({ platform }) => platform)
  assert.deepEqual([...new Set(platforms)].sort(), ['binary_sensor', 'event', 'sensor'])
})

function checkDocumented(discovery: Discovery): void {
  checkKeys(discovery, ROOT.required, ROOT.allowed, 'the message')
  checkKeys(discovery.device, ['identifiers', 'name'], DEVICE_KEYS, 'the device')
  checkKeys(discovery.origin, ['name'], ORIGIN_KEYS, 'the origin')
  const uniqueIds = new Set<unknown>()
  for (const [id, component] of componentsOf(discovery)) {
    const { platform } = component
    if (Object.keys(component).length === 1) continue
    const documented = PLATFORMS[String(platform)]
    assert.ok(documented, `${id}: there is no platform ${String(platform)}`)
    checkKeys(component, ['unique_id', ...documented.required], documented.allowed, id)
    assert.ok(!uniqueIds.has(component.unique_id), `${id}: its unique_id is taken`)
    uniqueIds.add(component.unique_id)
    const entityId = String(component.default_entity_id)
    assert.match(entityId, ENTITY_ID)
    assert.ok(entityId.startsWith(`${String(platform)}.`), entityId)
    assert.ok([0, 1, 2].includes(Number(component.qos)))
    if (component.device_class !== undefined)
      assert.ok(documented.deviceClasses.includes(String(component.device_class)), id)
    if (component.entity_category !== undefined)
      assert.ok(READ_ONLY_CATEGORIES.includes(String(component.entity_category)), id)
    if (component.icon !== undefined) assert.match(String(component.icon), /^mdi:[a-z0-9-]+$/)
    if (platform === 'sensor') checkSensor(id, component)
    if (platform === 'select' || platform === 'event') checkNames(id, component)
    for (const key of ['state_topic', 'command_topic', 'json_attributes_topic'])
      assert.doesNotMatch(String(component[key] ?? ''), /[+#]|\/\//)
  }
}

function componentsOf({ components }: Discovery): [string, Json][] {
  return Object.entries(components).map(([id, component]) => [id, { ...component }])
}

function checkSensor(id: string, sensor: Json): void {
  const { device_class, state_class, unit_of_measurement: unit, options, expire_after } = sensor
  if (options !== undefined) assert.equal(device_class, 'enum', `${id}: options are for enums`)
  if (device_class === 'enum') checkNames(id, sensor)
  if (state_class !== undefined) assert.ok(STATE_CLASSES.includes(String(state_class)), id)
  const fitting = SENSOR_CLASSES[String(device_class)]
  if (fitting) {
    const { units, stateClasses } = fitting
    assert.deepEqual(unit === undefined, units.length === 0, `${id}: unit`)
    if (unit !== undefined) assert.ok(units.includes(String(unit)), `${id}: ${String(unit)}`)
    assert.deepEqual(state_class === undefined, stateClasses.length === 0, `${id}: state class`)
    if (state_class !== undefined) assert.ok(stateClasses.includes(String(state_class)), id)
  }
  // Expiry belongs to what is sent at an interval, and to nothing else.
  assert.equal(expire_after !== undefined, /\/stats$/.test(String(sensor.state_topic)), `${id}: expire_after`)
  if (expire_after !== undefined) assert.ok(Number.isInteger(expire_after) && Number(expire_after) > 0)
}

function checkNames(id: string, { options, event_types }: Json): void {
  const names = options ?? event_types
  assert.ok(Array.isArray(names) && names.length > 0, `${id}: nothing to choose from`)
  assert.equal(new Set(names).size, names.length, `${id}: a name stands there twice`)
}

function checkKeys(
  value: object,
  required: readonly string[],
  allowed: readonly string[],
  what: string,
): void {
  for (const key of required) assert.ok(Object.hasOwn(value, key), `${what} lacks ${key}`)
  for (const key of Object.keys(value)) assert.ok(allowed.includes(key), `${what} may not have ${key}`)
}

function checkTemplates(discovery: Discovery): void {
  const payloads = samplePayloads()
  let seen = 0
  for (const [id, component] of componentsOf(discovery))
    for (const [template, topic] of [
      [component.value_template, component.state_topic],
      [component.json_attributes_template, component.json_attributes_topic],
    ]) {
      const kind = String(topic)
        .replace(/^(house\/lifeline|lifeline\/router)\//, '')
        .replace(/\/[^/]+\//, '/')
      for (const [, path = ''] of String(template ?? '').matchAll(/value_json\.([a-z0-9_.]+)/g)) {
        let value: unknown = payloads[kind]
        for (const key of path.split('.')) {
          assert.ok(
            typeof value === 'object' && value !== null && key in value,
            `${id}: ${kind} has no ${path}`,
          )
          value = (value as Json)[key]
        }
        seen += 1
      }
    }
  assert.ok(seen > 30)
}
