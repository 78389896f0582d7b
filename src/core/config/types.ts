/** The configuration as all others see it. */
import type { FailoverConfig } from './failover.ts'
import type { FirewallConfig } from './firewall.ts'
import type { LifelineConfig } from './lifeline.ts'
import type { MqttConfig } from './mqtt.ts'
import type { RedirectConfig } from './redirect.ts'
import type { TunnelConfig } from './tunnel.ts'
import type { UplinkConfig } from './uplink.ts'

export type { CheckTime } from './check-time.ts'
export type { FailoverConfig } from './failover.ts'
export type { FirewallConfig } from './firewall.ts'
export type { AllowedProtocol, AllowRule, ForwardRule, PortProtocol, PortRange } from './firewall-kinds.ts'
export type { LifelineConfig } from './lifeline.ts'
export type { MqttConfig } from './mqtt.ts'
export type { BrokerUrl } from './mqtt-kinds.ts'
export type { ProbeConfig, ProbeOverrides, ProbeTarget, Require } from './probe.ts'
export type { RedirectConfig } from './redirect.ts'
export type { TunnelConfig } from './tunnel.ts'
export type { DeviceBy, UplinkConfig } from './uplink.ts'

/** What of the log is shown: lines of this level and of those after it. */
export type LogLevel = LifelineConfig['logLevel']

/**
 * What a tunnel keeps while it is not the active path: nothing, the control connection, or the session as well. `auto`
 * is warm, and cold where that does not work or costs too much.
 */
export type Standby = TunnelConfig['standby']

/** The whole configuration after validation: frozen, every default filled in. Sections keep the order of the file. */
export interface Config {
  readonly lifeline: LifelineConfig
  readonly uplinks: readonly UplinkConfig[]
  readonly tunnels: readonly TunnelConfig[]
  /** The brokers that are told. */
  readonly mqtt: readonly MqttConfig[]
  /** Undefined: tunnels with `defaultroute` are the paths, in the order of the file, then main's default route. */
  readonly failover: FailoverConfig | undefined
  readonly firewalls: readonly FirewallConfig[]
  readonly redirects: readonly RedirectConfig[]
}
