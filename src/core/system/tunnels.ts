/** The tunnels that take part, as configuration, facts and sessions have them. */
import type { Config } from '../config/types.ts'
import { isForeign } from './device.ts'
import type { Facts } from './facts.ts'
import { fitState } from './fitting.ts'
import type { TunnelState } from './session.ts'
import { type Learnt, surroundingsOf } from './surroundings.ts'
import { describeTunnel, type Tunnel } from './tunnel.ts'

/** Those that are enabled and whose device is not somebody else's, with what fits of their sessions. */
export function tunnelsOf(
  config: Config,
  facts: Facts,
  states: ReadonlyMap<string, TunnelState>,
  learnt: Learnt,
): Tunnel[] {
  const around = surroundingsOf(config, facts, dialled(learnt, states))
  return config.tunnels
    .map((tunnel, position) => {
      const state = states.get(tunnel.name)
      return describeTunnel(config, facts, tunnel, position, state && fitState(state, tunnel, around))
    })
    .filter(({ config: wanted }) => wanted.enabled && !isForeign(wanted, facts))
}

/** With the LNSes that sessions came from, whatever names say by now. */
function dialled({ targets, resolvers }: Learnt, states: ReadonlyMap<string, TunnelState>): Learnt {
  const all = [...states].map(([name, { session, held }]): [string, string[]] => [
    name,
    [session, held].flatMap((one) => (one === undefined ? [] : [one.underlay.server])),
  ])
  for (const [name, servers] of all) servers.push(...(targets.get(name) ?? []))
  const others = [...targets].filter(([name]) => !states.has(name))
  return { targets: new Map([...all, ...others]), resolvers }
}
