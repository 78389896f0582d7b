/** What is in effect where nothing is said: typed from the description of the options, not taken from the schema. */
import type {
  Config,
  FailoverConfig,
  LifelineConfig,
  ProbeConfig,
  TunnelConfig,
  UplinkConfig,
} from '../../../src/core/config/types.ts'
import { seconds } from '../../../src/core/time.ts'

export const LIFELINE: LifelineConfig = {
  node: undefined,
  logLevel: 'info',
  stateDir: '/var/lib/lifeline',
  markMask: 0x0f000000,
  rulePriority: 31000,
  tableBase: 17010,
}

export const UPLINK: Omit<UplinkConfig, 'name' | 'device'> = {
  gateway: undefined,
  gateway6: undefined,
  source: undefined,
  dns: [],
  metered: false,
  monthlyBudget: undefined,
  budgetCutoff: false,
  probe: {},
}

export const TUNNEL: Omit<TunnelConfig, 'name' | 'servers' | 'username' | 'password' | 'device'> = {
  tunnelSecret: undefined,
  uplinks: [],
  auth: ['chap', 'mschapv2'],
  mtu: 'auto',
  ipv6: true,
  ipaddrs: [],
  ip6addrs: [],
  ip6prefixes: [],
  defaultroute: true,
  ip4table: undefined,
  ip6table: undefined,
  peerdns: false,
  helloInterval: seconds(25),
  echoInterval: seconds(1),
  echoFailures: 10,
  localPort: 0,
  firewall: 'default',
  standby: 'auto',
  backsUp: undefined,
  probe: {},
  enabled: true,
}

/** Without any target of its own. */
export const PROBE: ProbeConfig = {
  targets: [],
  interval: seconds(1),
  timeout: 'auto',
  down: 2,
  up: 5,
  require: 'ipv4',
}

export const FAILOVER: Omit<FailoverConfig, 'paths'> = {
  name: 'failover',
  mode: 'auto',
  dialGrace: seconds(5),
  failbackDelay: seconds(10),
  standbyCheck: 'off',
  probe: PROBE,
}

/** A configuration without any section. */
export const NOTHING: Config = {
  lifeline: LIFELINE,
  uplinks: [],
  tunnels: [],
  failover: undefined,
  firewalls: [],
  redirects: [],
  mqtt: [],
}
