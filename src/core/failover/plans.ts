import { carrierNames } from '../config/carriers.ts'
import type { Config, FailoverConfig } from '../config/types.ts'
import type { PathPlan } from './types.ts'

/** The paths of `failover` in order of preference. */
export function pathPlans(config: Config, { paths }: FailoverConfig): readonly PathPlan[] {
  return paths.flatMap((name): PathPlan[] => {
    const uplink = config.uplinks.find((each) => each.name === name)
    if (uplink) {
      return [{ name, kind: 'uplink', standby: 'hot', backsUp: undefined, metered: uplink.metered }]
    }
    const tunnel = config.tunnels.find((each) => each.name === name)
    if (!tunnel) return []
    const [carrier] = carrierNames(tunnel, config) ?? []
    const metered = config.uplinks.some((each) => each.name === carrier && each.metered)
    return [{ name, kind: 'tunnel', standby: tunnel.standby, backsUp: tunnel.backsUp, metered }]
  })
}
