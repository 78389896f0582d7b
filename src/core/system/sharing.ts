/** The addresses of the paths of `failover` by configuration, facts and sessions, and the path that carries each now. */
import type { Config } from '../config/types.ts'
import { type AddressedPath, Sharing } from '../failover/sharing.ts'
import type { ActiveRoute } from '../failover/types.ts'
import type { Family } from '../ip/address.ts'
import type { Facts } from './facts.ts'
import type { TunnelState } from './session.ts'
import { type Learnt, NOTHING_KNOWN } from './surroundings.ts'
import { ipv4Of, type Tunnel, usable } from './tunnel.ts'
import { tunnelsOf } from './tunnels.ts'
import type { UplinkPath } from './uplink-path.ts'
import { uplinks } from './uplinks.ts'

/** The paths of `failover` in their order with what they bear now, a tunnel also what it bore last; without one, none. */
export function addressedPaths(
  config: Config,
  facts: Facts,
  states: ReadonlyMap<string, TunnelState>,
  learnt: Learnt = NOTHING_KNOWN,
): AddressedPath[] {
  if (config.failover === undefined) return []
  const tunnels = tunnelsOf(config, facts, states, learnt)
  const lines = uplinks(config, facts)
  return config.failover.paths.flatMap((name): AddressedPath[] => {
    const tunnel = tunnels.find((each) => each.config.name === name)
    if (tunnel !== undefined)
      return [{ name, kind: 'tunnel', backsUp: tunnel.config.backsUp, addresses: ipv4Of(tunnel) }]
    const line = lines.find((each) => each.name === name)
    if (line === undefined) return []
    const addresses = line.addresses.filter((address) => !address.includes(':'))
    return [{ name, kind: 'uplink', backsUp: undefined, addresses }]
  })
}

/** Where nobody has seen these paths before: `lifeline plan` before a start, and checks of a new configuration. */
export function sharingNow(
  config: Config,
  facts: Facts,
  states: ReadonlyMap<string, TunnelState>,
  learnt: Learnt = NOTHING_KNOWN,
): Sharing {
  return new Sharing(addressedPaths(config, facts, states, learnt))
}

/** One of the paths of `failover`, as far as it matters where packets go. */
interface Carrier {
  readonly name: string
  readonly kind: 'tunnel' | 'uplink'
  /** Packets can leave over it. */
  readonly ready: boolean
  readonly tables: Readonly<Record<Family, number>>
}

/** Which of the paths that share an address carries it now. */
export class SharedWays {
  readonly #sharing: Sharing
  readonly #paths: readonly Carrier[]
  readonly #active: string | undefined

  constructor(
    { failover }: Config,
    sharing: Sharing,
    tunnels: readonly Tunnel[],
    lines: readonly UplinkPath[],
    active: ActiveRoute | undefined,
  ) {
    this.#sharing = sharing
    this.#active = leader(active)
    this.#paths = (failover?.paths ?? []).flatMap((name): Carrier[] => {
      const tunnel = tunnels.find(({ config }) => config.name === name)
      if (tunnel !== undefined) return [ofTunnel(tunnel)]
      const line = lines.find((each) => each.name === name)
      return line === undefined ? [] : [ofUplink(line)]
    })
  }

  /** All names with the same address as this one, itself among them. */
  partners(name: string): readonly string[] {
    return this.#sharing.partners(name)
  }

  /** The path that packets from the address of this one take: the active one, else the one that the provider uses. */
  carrier(name: string): Carrier | undefined {
    const partners = new Set(this.partners(name))
    const paths = this.#paths.filter((path) => partners.has(path.name))
    return (
      paths.find((path) => path.name === this.#active) ??
      paths.find(({ kind, ready }) => kind === 'tunnel' && ready) ??
      paths.find(({ ready }) => ready) ??
      paths.find((path) => path.name === name)
    )
  }

  /** Whether the path, or one that shares its address, is where the traffic goes. */
  leads(name: string): boolean {
    return this.#active !== undefined && this.partners(name).includes(this.#active)
  }
}

/** The path that the table of the active path leads to; while traffic is held, the one that is awaited. */
export function leader(active: ActiveRoute | undefined): string | undefined {
  if (active?.kind === 'path') return active.name
  return active?.kind === 'hold' ? active.awaited : undefined
}

function ofTunnel(tunnel: Tunnel): Carrier {
  const { config, tables } = tunnel
  return {
    name: config.name,
    kind: 'tunnel',
    ready: usable(tunnel),
    tables: { 4: tables[4].own, 6: tables[6].own },
  }
}

function ofUplink({ name, routes, table }: UplinkPath): Carrier {
  return { name, kind: 'uplink', ready: routes.length > 0, tables: { 4: table, 6: table } }
}
