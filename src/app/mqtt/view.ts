import type { Config, MqttConfig } from '../../core/config/types.ts'
import type { DiscoveryView } from '../../core/homeassistant/entities.ts'
import {
  statePayload,
  tunnelStatePayload,
  uplinkStatePayload,
  uplinkStatsPayload,
} from '../../core/homeassistant/payloads.ts'
import { defaultBase, Topics } from '../../core/homeassistant/topics.ts'
import { formatPrefix } from '../../core/ip/address.ts'
import type { Status } from '../../core/status.ts'

export function topicsFor(broker: MqttConfig, node: string): Topics {
  return new Topics(broker.baseTopic ?? defaultBase(node))
}

/** Entities belong to what is configured; uplinks learnt from the system come and go, and are paths at most. */
export function discoveryView(
  broker: MqttConfig,
  node: string,
  config: Config,
  status: Status,
): DiscoveryView {
  const names = [...Object.keys(status.tunnel), ...Object.keys(status.uplink)]
  return {
    node,
    version: status.version,
    topics: topicsFor(broker, node),
    statsInterval: broker.statsInterval / 1000,
    commands: broker.commands,
    tunnels: config.tunnels.map(({ name }) => name),
    uplinks: config.uplinks.map(({ name, metered, monthlyBudget }) => ({
      name,
      budget: metered || monthlyBudget !== undefined,
      probed: config.failover?.paths.includes(name) ?? false,
    })),
    paths: config.failover?.paths ?? names,
    failover: config.failover !== undefined,
  }
}

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

/** The statistics of uplinks that have any: those that are probed as paths, and those with a budget. */
export function uplinkStatsOf(topics: Topics, status: Status, at: string): ReadonlyMap<string, string> {
  const stats = new Map<string, string>()
  for (const [name, uplink] of Object.entries(status.uplink)) {
    if (status.failover?.path[name] === undefined && uplink.budget === null) continue
    const payload = uplinkStatsPayload(name, uplink, status, at)
    stats.set(topics.uplinkStats(name), JSON.stringify(payload))
  }
  return stats
}
