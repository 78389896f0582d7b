import type { TunnelState } from '../status.ts'
import { SWITCH_EVENTS } from './events.ts'
import type { Component, Sensor } from './platforms.ts'
import { objectIdOf, type Topics } from './topics.ts'

/** What decides which entities there are. */
export interface DiscoveryView {
  readonly node: string
  readonly version: string
  readonly topics: Topics
  /** Seconds between two messages with statistics. */
  readonly statsInterval: number
  /** Names of commands that are obeyed. */
  readonly commands: readonly string[]
  readonly tunnels: readonly string[]
  readonly uplinks: readonly { readonly name: string; readonly budget: boolean; readonly probed: boolean }[]
  /** Names that the active path may bear, in order of preference. */
  readonly paths: readonly string[]
  /** A path can be chosen. */
  readonly failover: boolean
}

/** The entities by their ids, in the order in which they were thought out. */
export function entitiesOf(view: DiscoveryView): ReadonlyMap<string, Component> {
  const entities = new Entities(view)
  entities.whole()
  for (const name of view.tunnels) entities.tunnel(name)
  for (const { name, budget, probed } of view.uplinks) entities.uplink(name, budget, probed)
  entities.failover()
  return entities.all
}

/** What a component says that is not the same for all. */
type Own<C extends Component = Component> = C extends Component
  ? Omit<C, 'unique_id' | 'default_entity_id' | 'qos'>
  : never

const TUNNEL_STATES: readonly TunnelState[] = [
  'disabled',
  'waiting',
  'resolving',
  'dialling',
  'authenticating',
  'configuring',
  'up',
  'closing',
]

/** Where traffic takes no path at all. */
const NO_PATH = 'none'
/** Home Assistant refuses longer states (MAX_LENGTH_STATE_STATE). */
const STATE_LENGTH = 255

class Entities {
  readonly all = new Map<string, Component>()
  readonly #view: DiscoveryView
  readonly #node: string

  constructor(view: DiscoveryView) {
    this.#view = view
    this.#node = objectIdOf(view.node)
  }

  /** Those of the machine as a whole. */
  whole(): void {
    const topic = this.#view.topics.state
    this.#add({
      platform: 'binary_sensor',
      name: 'Internet',
      device_class: 'connectivity',
      ...read(topic, onOff("value_json.internet != 'down'")),
    })
    this.#add({
      platform: 'binary_sensor',
      name: 'On backup',
      icon: 'mdi:transit-detour',
      ...read(topic, onOff('value_json.on_backup')),
    })
    this.#add({
      platform: 'binary_sensor',
      name: 'Problem',
      device_class: 'problem',
      ...read(topic, onOff('value_json.problem')),
      ...attributes(topic, 'reason'),
    })
    this.#add({
      platform: 'sensor',
      name: 'Active path',
      icon: 'mdi:routes',
      device_class: 'enum',
      options: [NO_PATH, ...this.#view.paths.filter((path) => path !== NO_PATH)],
      ...read(topic, `{{ value_json.path or '${NO_PATH}' }}`),
      ...attributes(topic, 'since', 'ipv4', 'ipv6'),
    })
    this.#add({
      platform: 'sensor',
      name: 'Last switch',
      device_class: 'timestamp',
      ...read(topic, '{{ value_json.last_switch.at if value_json.last_switch else None }}'),
      json_attributes_topic: topic,
      json_attributes_template: '{{ (value_json.last_switch or {}) | tojson }}',
    })
    this.#add({
      platform: 'sensor',
      name: 'Switches',
      icon: 'mdi:swap-horizontal',
      state_class: 'total_increasing',
      ...read(topic, '{{ value_json.switches }}'),
    })
    this.#add({
      platform: 'sensor',
      name: 'Version',
      icon: 'mdi:tag-outline',
      entity_category: 'diagnostic',
      ...read(topic, '{{ value_json.version }}'),
    })
  }

  tunnel(name: string): void {
    const { topics, commands } = this.#view
    const state = topics.tunnelState(name)
    const stats = topics.tunnelStats(name)
    this.#connected(name, state)
    this.#add({
      platform: 'sensor',
      name: `${name} state`,
      icon: 'mdi:tunnel-outline',
      device_class: 'enum',
      options: TUNNEL_STATES,
      ...read(state, '{{ value_json.state }}'),
    })
    this.#add({
      platform: 'sensor',
      name: `${name} last disconnect cause`,
      icon: 'mdi:lan-disconnect',
      ...read(
        state,
        `{{ value_json.last_error.message[:${STATE_LENGTH}] if value_json.last_error else None }}`,
      ),
      ...attributes(state, 'last_error'),
    })
    this.#add({
      platform: 'sensor',
      name: `${name} connected since`,
      device_class: 'timestamp',
      ...read(state, '{{ value_json.connected_since }}'),
    })
    for (const [key, word] of [
      ['rx', 'receive'],
      ['tx', 'transmit'],
    ] as const) {
      this.#stats(`${name} ${word} rate`, stats, {
        ...RATE,
        value_template: scaled(`${key}_rate`),
      })
      this.#stats(`${name} ${word} volume`, stats, {
        ...VOLUME,
        value_template: scaled(`${key}_octets`),
      })
    }
    this.#roundTrip(name, stats)
    this.#stats(`${name} jitter`, stats, {
      ...SPAN,
      icon: 'mdi:pulse',
      value_template: '{{ value_json.jitter_ms }}',
    })
    for (const [key, label, icon] of DIAGNOSTICS) {
      this.#add({
        platform: 'sensor',
        name: `${name} ${label}`,
        icon,
        entity_category: 'diagnostic',
        ...read(state, `{{ value_json.${key} }}`),
      })
    }
    const tunnel = JSON.stringify({ tunnel: name })
    if (commands.includes('reconnect')) {
      this.#add({
        platform: 'button',
        name: `${name} reconnect`,
        device_class: 'restart',
        command_topic: topics.command('reconnect'),
        payload_press: tunnel,
      })
    }
    // A switch has one topic for both of its commands, so their names go into the payload.
    if (commands.includes('up') && commands.includes('down')) {
      this.#add({
        platform: 'switch',
        name: `${name} enabled`,
        icon: 'mdi:tunnel',
        ...read(state, onOff('value_json.enabled')),
        command_topic: topics.commands,
        payload_on: JSON.stringify({ command: 'up', tunnel: name }),
        payload_off: JSON.stringify({ command: 'down', tunnel: name }),
        state_on: 'ON',
        state_off: 'OFF',
      })
    }
  }

  uplink(name: string, budget: boolean, probed: boolean): void {
    const { topics } = this.#view
    const stats = topics.uplinkStats(name)
    this.#connected(name, topics.uplinkState(name))
    if (probed) this.#roundTrip(name, stats)
    if (budget) {
      this.#stats(`${name} volume this month`, stats, {
        ...VOLUME,
        value_template: scaled('month_octets'),
      })
    }
  }

  failover(): void {
    const { topics, commands, paths, failover } = this.#view
    this.#add({
      platform: 'event',
      name: 'Failover',
      icon: 'mdi:transit-connection-variant',
      state_topic: topics.event,
      event_types: SWITCH_EVENTS,
      value_template: `{{ value if value_json.event_type in ${JSON.stringify(SWITCH_EVENTS)} else '' }}`,
    })
    if (!failover) return
    if (commands.includes('drill')) {
      this.#add({
        platform: 'button',
        name: 'Failover drill',
        icon: 'mdi:fire-alert',
        command_topic: topics.command('drill'),
        payload_press: '{}',
      })
    }
    if (commands.includes('use')) {
      this.#add({
        platform: 'select',
        name: 'Path',
        icon: 'mdi:routes',
        options: ['auto', ...paths],
        ...read(topics.state, '{{ value_json.mode }}'),
        command_topic: topics.command('use'),
        command_template: '{{ {"path": value} | tojson }}',
      })
    }
  }

  #connected(name: string, topic: string): void {
    this.#add({
      platform: 'binary_sensor',
      name: `${name} connected`,
      device_class: 'connectivity',
      ...read(topic, onOff('value_json.connected')),
    })
  }

  #roundTrip(name: string, topic: string): void {
    this.#stats(`${name} round-trip time`, topic, {
      ...SPAN,
      icon: 'mdi:timer-outline',
      value_template: '{{ value_json.rtt_ms }}',
    })
    this.#stats(`${name} loss`, topic, {
      state_class: 'measurement',
      unit_of_measurement: '%',
      suggested_display_precision: 1,
      icon: 'mdi:package-variant-remove',
      value_template: '{{ value_json.loss }}',
    })
  }

  /** Sent once and not kept by the broker, so a value that is not renewed is worth nothing. */
  #stats(name: string, topic: string, sensor: Statistic): void {
    const expire_after = Math.ceil(3 * this.#view.statsInterval)
    this.#put({ platform: 'sensor', name, state_topic: topic, ...sensor, expire_after }, 0)
  }

  #add(component: Own): void {
    this.#put(component, 1)
  }

  /**
   * Ids follow from names as Home Assistant would make them, so that releases that do not know `default_entity_id` give
   * the same ones. Names of devices may differ in nothing but what is replaced.
   */
  #put(component: Own, qos: 0 | 1): void {
    const slug = slugOf(component.name)
    let id = slug
    for (let number = 2; this.all.has(id); number++) id = `${slug}_${number}`
    const default_entity_id = `${component.platform}.${slugOf(this.#node)}_${id}`
    this.all.set(id, { ...component, unique_id: `${this.#node}_${id}`, default_entity_id, qos } as Component)
  }
}

function slugOf(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, '_')
}

type Statistic = Pick<Sensor, 'value_template'> & Partial<Omit<Sensor, 'platform' | 'name' | 'expire_after'>>

const RATE = {
  device_class: 'data_rate',
  state_class: 'measurement',
  unit_of_measurement: 'Mbit/s',
  suggested_display_precision: 2,
} as const

const VOLUME = {
  device_class: 'data_size',
  state_class: 'total_increasing',
  unit_of_measurement: 'MB',
  suggested_display_precision: 0,
} as const

const SPAN = {
  device_class: 'duration',
  state_class: 'measurement',
  unit_of_measurement: 'ms',
  suggested_display_precision: 1,
} as const

/** Key of the payload, name, icon. */
const DIAGNOSTICS = [
  ['ipv4', 'IPv4 address', 'mdi:ip-outline'],
  ['ipv6_prefix', 'IPv6 prefix', 'mdi:ip-network-outline'],
  ['lns', 'LNS address', 'mdi:server-network-outline'],
  ['mtu', 'MTU', 'mdi:arrow-expand-horizontal'],
] as const

function read(topic: string, value_template: string) {
  return { state_topic: topic, value_template }
}

function onOff(condition: string): string {
  return `{{ 'ON' if ${condition} else 'OFF' }}`
}

/** bit/s as Mbit/s, and octets as MB: Home Assistant converts both to what its user wants. */
function scaled(key: string): string {
  return `{{ (value_json.${key} / 1000000) | round(3) if value_json.${key} is number else None }}`
}

/** Keys of the payload that are shown as attributes of the entity. */
function attributes(topic: string, ...keys: readonly string[]) {
  const members = keys.map((key) => `"${key}": value_json.${key}`)
  return { json_attributes_topic: topic, json_attributes_template: `{{ {${members.join(', ')}} | tojson }}` }
}
