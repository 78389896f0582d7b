/** Keeps what is known of hosts and networks that no address of a peer may take the place of. */

import type { Surroundings } from '../../core/config/fitness.ts'
import type { Config } from '../../core/config/types.ts'
import { ipFamily } from '../../core/ip/address.ts'
import type { Facts } from '../../core/system/facts.ts'
import { type Learnt, surroundingsOf } from '../../core/system/surroundings.ts'
import { type Uplink, uplinks } from '../../core/system/uplinks.ts'
import type { FactsWatcher } from '../kernel/facts.ts'
import type { SystemResolvers } from '../ports.ts'
import type { Names } from './names.ts'

/** Where it is known what is around a tunnel: the kernel's facts, the names looked up, the system's resolvers. */
export interface NeighbourhoodPorts {
  readonly watcher: Pick<FactsWatcher, 'facts'>
  readonly names: Names
  readonly systemResolvers: SystemResolvers
}

interface Snapshot {
  readonly config: Config
  readonly facts: Facts
  readonly revision: number
  readonly learnt: Learnt
  readonly surroundings: Surroundings
}

/** Looks anew when configuration, facts or names have changed. */
export class Neighbourhood {
  readonly #ports: NeighbourhoodPorts
  #last: Snapshot | undefined

  constructor(ports: NeighbourhoodPorts) {
    this.#ports = ports
  }

  learnt(config: Config): Learnt {
    return this.#look(config).learnt
  }

  surroundings(config: Config): Surroundings {
    return this.#look(config).surroundings
  }

  #look(config: Config): Snapshot {
    const { watcher, names } = this.#ports
    const { facts } = watcher
    const { revision } = names
    const last = this.#last
    if (last?.config === config && last.facts === facts && last.revision === revision) return last
    const learnt = { targets: targets(config, names), resolvers: this.#resolvers(config, facts) }
    this.#last = { config, facts, revision, learnt, surroundings: surroundingsOf(config, facts, learnt) }
    return this.#last
  }

  /** Whom an uplink's names are asked of: as configured, or as the system knows. */
  resolversOf(uplink: Uplink): readonly string[] {
    const { name, device, dns } = uplink
    if (dns.length > 0 || uplink.state !== 'up') return dns
    return this.#ports.systemResolvers.forLink({ name, device, ifindex: uplink.link.index })
  }

  #resolvers(config: Config, facts: Facts): Learnt['resolvers'] {
    return new Map(uplinks(config, facts).map((uplink) => [uplink.name, this.resolversOf(uplink)]))
  }
}

/** Where the tunnels that take part may be dialled. */
export function targets({ tunnels }: Config, names: Names): Learnt['targets'] {
  return new Map(
    tunnels
      .filter(({ enabled }) => enabled)
      .map(({ name, servers }) => [
        name,
        servers.flatMap(({ host }) => (ipFamily(host) === undefined ? names.known(host) : [host])),
      ]),
  )
}
