import type { Config, MqttConfig } from '../../core/config/types.ts'
import type { DiscoveryView } from '../../core/homeassistant/entities.ts'
import { statePayload, tunnelStatePayload, uplinkStatePayload } from '../../core/homeassistant/payloads.ts'
import { defaultBase, Topics } from '../../core/homeassistant/topics.ts'
import { formatPrefix } from '../../core/ip/address.ts'
import type { Status } from '../../core/status/status.ts'
import type { Machine } from '../ports.ts'

/** The topics below `base_topic`, or below the default one of this node. */
export function topicsFor(broker: MqttConfig, node: string): Topics {
  return new Topics(broker.baseTopic ?? defaultBase(node))
}

/** What is said of the machine, and of lifeline. */
export interface Origin {
  readonly machine: Machine
  /** Of the project; undefined where it has none. */
  readonly homepage: string | undefined
}

/**
 * Entities belong to what is configured; uplinks learnt from the system come and go. `kept` are paths that a state which
 * the broker still has may name.
 */
export function discoveryView(
  broker: MqttConfig,
  node: string,
  config: Config,
  status: Status,
  { machine, homepage }: Origin,
  kept: ReadonlySet<string> = new Set(),
): DiscoveryView {
  const { failover } = config
  const inside = config.firewalls.flatMap(({ lan }) => lan)
  const shown = [status.internet.path, status.failover?.mode].filter((name) => typeof name === 'string')
  return {
    node,
    version: status.version,
    topics: topicsFor(broker, node),
    statsInterval: broker.statsInterval / 1000,
    commands: broker.commands,
    ...machine.identity(inside.length > 0 ? inside : USUAL_LAN),
    homepage,
    tunnels: config.tunnels.map(({ name }) => name),
    uplinks: config.uplinks.map(({ name, metered, monthlyBudget }) => ({
      name,
      budget: monthlyBudget !== undefined ? 'limited' : metered ? 'counted' : 'none',
      probed: failover?.paths.includes(name) ?? false,
    })),
    paths: failover && [...new Set([...failover.paths, ...shown, ...kept])].filter((name) => name !== AUTO),
  }
}

/** OpenWrt's name for it. */
const USUAL_LAN = ['br-lan']
/** The mode in which no path is pinned. */
const AUTO = 'auto'

/** The retained states by their topics. */
export function statesOf(
  topics: Topics,
  config: Config,
  status: Status,
  switches: number,
): ReadonlyMap<string, string> {
  const prefixes = new Map(config.tunnels.map(({ name, ip6prefixes: [first] }) => [name, first]))
  const states = new Map([[topics.state, JSON.stringify(statePayload(status, switches))]])
  for (const [name, tunnel] of Object.entries(status.tunnel)) {
    const prefix = prefixes.get(name)
    const payload = tunnelStatePayload(name, tunnel, status, prefix && formatPrefix(prefix))
    states.set(topics.tunnelState(name), JSON.stringify(payload))
  }
  for (const [name, uplink] of Object.entries(status.uplink))
    states.set(topics.uplinkState(name), JSON.stringify(uplinkStatePayload(name, uplink, status)))
  return states
}
