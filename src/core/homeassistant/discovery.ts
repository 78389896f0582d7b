import { type DiscoveryView, entitiesOf } from './entities.ts'
import type { Component } from './platforms.ts'
import { objectIdOf } from './topics.ts'

/** The one retained message that announces the device with all of its entities. */
export interface Discovery {
  readonly device: {
    readonly identifiers: readonly string[]
    readonly name: string
    readonly manufacturer: string
    readonly model: string
    readonly sw_version: string
    /** By these Home Assistant knows that other integrations speak of the same machine. */
    readonly connections?: readonly (readonly [type: 'mac', address: string])[]
    readonly configuration_url?: string
  }
  readonly origin: { readonly name: string; readonly sw_version: string; readonly support_url?: string }
  readonly availability_topic: string
  /** By id; what is only a platform is removed. */
  readonly components: Readonly<Record<string, Component | Removed>>
}

/** What takes the place of an entity that is no more. */
export interface Removed {
  readonly platform: Component['platform']
}

/** Ids and platforms of entities that were announced once. */
export type Announced = Readonly<Record<string, Component['platform']>>

/** `before` are entities that may still be known: those that are no more are removed. */
export function discoveryOf(view: DiscoveryView, before: Announced): Discovery {
  const entities = entitiesOf(view)
  const { node, version, topics, mac, page, homepage } = view
  const gone = Object.entries(before).filter(([id]) => !entities.has(id))
  return {
    device: {
      identifiers: [objectIdOf(node)],
      name: `lifeline (${node})`,
      manufacturer: 'lifeline',
      model: 'L2TP tunnels and failover',
      sw_version: version,
      ...(mac === undefined ? {} : { connections: [['mac', mac]] as const }),
      ...(page === undefined ? {} : { configuration_url: page }),
    },
    origin: {
      name: 'lifeline',
      sw_version: version,
      ...(homepage === undefined ? {} : { support_url: homepage }),
    },
    availability_topic: topics.status,
    components: Object.fromEntries([
      ...entities,
      ...gone.map(([id, platform]): [string, Removed] => [id, { platform }]),
    ]),
  }
}

/** What has been announced once this message is out. */
export function announcedBy({ components }: Discovery): Announced {
  return Object.fromEntries(Object.entries(components).map(([id, { platform }]) => [id, platform]))
}
