import type { TunnelState } from '../status/status.ts'
import { BUDGET_EVENTS, SWITCH_EVENTS, TUNNEL_EVENTS } from './events.ts'
import type { Component, Sensor } from './platforms.ts'
import {
  attributes,
  DIAGNOSTICS,
  GIGA,
  known,
  MEGA,
  onOff,
  RATE,
  read,
  SPAN,
  scaled,
  VOLUME,
} from './templates.ts'
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
  /** The hardware address of the machine, and where it can be configured in a browser. */
  readonly mac?: string | undefined
  readonly page?: string | undefined
  /** Where there is help. */
  readonly homepage?: string | undefined
  readonly tunnels: readonly string[]
  readonly uplinks: readonly ViewedUplink[]
  /** Names that the active path may bear, in order of preference; undefined where there is no list of them. */
  readonly paths: readonly string[] | undefined
}

/** An uplink, as far as its entities follow from it. */
export interface ViewedUplink {
  readonly name: string
  /** It is a path of `failover`, so somebody looks whether it works. */
  readonly probed: boolean
  /** Its volume is counted, up to a limit or without one. */
  readonly budget: 'none' | 'counted' | 'limited'
}

/** The entities by their ids, in the order in which they were thought out. */
export function entitiesOf(view: DiscoveryView): ReadonlyMap<string, Component> {
  const entities = new Entities(view)
  entities.whole()
  for (const name of view.tunnels) entities.tunnel(name)
  for (const uplink of view.uplinks) entities.uplink(uplink)
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
    if (this.#view.paths)
      this.#add({
        platform: 'binary_sensor',
        name: 'Backup ready',
        icon: 'mdi:shield-check-outline',
        ...read(topic, known('value_json.backup_ready')),
        ...attributes(topic, 'backup'),
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
      // Of an enum Home Assistant refuses what is not on its list, and without `failover` there is none.
      ...(this.#view.paths && {
        device_class: 'enum' as const,
        options: [NO_PATH, ...this.#view.paths.filter((path) => path !== NO_PATH)],
      }),
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
      entity_category: 'diagnostic',
      state_class: 'total_increasing',
      ...read(topic, '{{ value_json.switches }}'),
    })
    for (const [key, name] of [
      ['external_ipv4', 'External IPv4'],
      ['external_ipv6', 'External IPv6'],
    ] as const)
      this.#add({
        platform: 'sensor',
        name,
        icon: 'mdi:earth',
        ...read(topic, `{{ value_json.${key} }}`),
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
    this.#works(name, state)
    this.#link(`${name} session`, state, 'mdi:tunnel-outline')
    this.#add({
      platform: 'sensor',
      name: `${name} state`,
      icon: 'mdi:tunnel-outline',
      entity_category: 'diagnostic',
      device_class: 'enum',
      options: TUNNEL_STATES,
      ...read(state, '{{ value_json.state }}'),
    })
    this.#add({
      platform: 'sensor',
      name: `${name} last error`,
      icon: 'mdi:lan-disconnect',
      ...read(
        state,
        `{{ value_json.last_error.message[:${STATE_LENGTH}] if value_json.last_error else None }}`,
      ),
      ...attributes(state, 'last_error'),
    })
    this.#add({
      platform: 'sensor',
      name: `${name} up since`,
      device_class: 'timestamp',
      ...read(state, '{{ value_json.connected_since }}'),
    })
    this.#traffic(name, stats)
    this.#roundTrip(name, stats)
    this.#stats(`${name} jitter`, stats, {
      ...SPAN,
      icon: 'mdi:pulse',
      enabled_by_default: false,
      value_template: '{{ value_json.jitter_ms }}',
    })
    for (const [key, label, icon, enabled] of DIAGNOSTICS) {
      this.#add({
        platform: 'sensor',
        name: `${name} ${label}`,
        icon,
        entity_category: 'diagnostic',
        ...(enabled ? {} : { enabled_by_default: false }),
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

  uplink({ name, budget, probed }: ViewedUplink): void {
    const { topics } = this.#view
    const state = topics.uplinkState(name)
    const stats = topics.uplinkStats(name)
    if (probed) this.#works(name, state)
    this.#link(`${name} link`, state, 'mdi:ethernet')
    this.#traffic(name, stats)
    if (probed) this.#roundTrip(name, stats)
    if (budget === 'none') return
    this.#stats(`${name} this month`, stats, { ...VOLUME, value_template: scaled('month_octets', GIGA) })
    if (budget === 'counted') return
    this.#stats(`${name} budget`, stats, {
      ...VOLUME,
      state_class: 'measurement',
      entity_category: 'diagnostic',
      value_template: scaled('month_limit', GIGA),
    })
    this.#stats(`${name} budget used`, stats, {
      state_class: 'measurement',
      unit_of_measurement: '%',
      suggested_display_precision: 0,
      icon: 'mdi:gauge',
      value_template: '{{ value_json.month_percent }}',
    })
  }

  failover(): void {
    const { topics, commands, paths, uplinks } = this.#view
    this.#event('Failover', 'mdi:transit-connection-variant', SWITCH_EVENTS)
    this.#event('Tunnel', 'mdi:tunnel', TUNNEL_EVENTS)
    if (uplinks.some(({ budget }) => budget === 'limited')) this.#event('Budget', 'mdi:gauge', BUDGET_EVENTS)
    if (!paths) return
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

  #event(name: string, icon: string, types: readonly string[]): void {
    this.#add({
      platform: 'event',
      name,
      icon,
      state_topic: this.#view.topics.event,
      event_types: types,
      value_template: `{{ value if value_json.event_type in ${JSON.stringify(types)} else '' }}`,
    })
  }

  /** Whether traffic gets through, which is what people mean by connected. */
  #works(name: string, topic: string): void {
    this.#add({
      platform: 'binary_sensor',
      name: `${name} works`,
      device_class: 'connectivity',
      ...read(topic, known('value_json.works')),
    })
  }

  /** Link and address, or a session. Of no class: it would say `Connected` of a line that is dead further on. */
  #link(name: string, topic: string, icon: string): void {
    this.#add({
      platform: 'binary_sensor',
      name,
      icon,
      entity_category: 'diagnostic',
      ...read(topic, onOff('value_json.connected')),
    })
  }

  #traffic(name: string, stats: string): void {
    for (const [key, rate, volume] of [
      ['rx', 'download', 'downloaded'],
      ['tx', 'upload', 'uploaded'],
    ] as const) {
      this.#stats(`${name} ${rate}`, stats, { ...RATE, value_template: scaled(`${key}_rate`, MEGA) })
      this.#stats(`${name} ${volume}`, stats, { ...VOLUME, value_template: scaled(`${key}_octets`, GIGA) })
    }
  }

  #roundTrip(name: string, topic: string): void {
    this.#stats(`${name} RTT`, topic, {
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
