import type { ServerName } from '../client/round.ts'
import type { Prefix } from '../ip/address.ts'
import type { AuthMethod } from '../ppp/auth-option.ts'
import type { Secret } from '../secret.ts'
import type { Millis } from '../time.ts'

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

/** What of the log is shown: lines of this level and of those after it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** `config lifeline 'main'` */
export interface LifelineConfig {
  /** Name of this machine in status and MQTT; undefined means the host name. */
  readonly node: string | undefined
  readonly logLevel: LogLevel
  readonly stateDir: string
  /** The bits of the packet mark that are ours, contiguous or not; never zero. */
  readonly markMask: number
  /** Priority of our first routing rule; ours lie in [rulePriority, rulePriority + 100). */
  readonly rulePriority: number
  /** Number of our first routing table; ours lie in [tableBase, tableBase + 100). */
  readonly tableBase: number
}

/** How the device of an uplink is found. Which one that is, and whether there is one, the system tells. */
export interface DeviceBy {
  readonly by: 'name'
  readonly name: string
}

/** `config uplink 'NAME'`: a physical way out. */
export interface UplinkConfig {
  readonly name: string
  readonly device: DeviceBy
  /** Literal addresses; undefined means learnt from the system. */
  readonly gateway: string | undefined
  readonly gateway6: string | undefined
  readonly source: string | undefined
  /** Literal resolver addresses; empty means learnt from the system. */
  readonly dns: readonly string[]
  /** Its volume costs money: it is probed sparingly while it stands by. */
  readonly metered: boolean
  /** Octets in both directions that a calendar month may hold. */
  readonly monthlyBudget: number | undefined
  /** Not used any more in a month whose budget is spent. */
  readonly budgetCutoff: boolean
  readonly probe: ProbeOverrides
}

/** `config tunnel 'NAME'`: an L2TP tunnel with one PPP session. */
export interface TunnelConfig {
  readonly name: string
  /** Port 1701 unless given as `host:port` or `[v6]:port`. */
  readonly servers: readonly ServerName[]
  readonly username: string
  readonly password: Secret
  readonly tunnelSecret: Secret | undefined
  readonly device: string
  /** Names of uplinks in order of preference; empty means the device of main's default route. */
  readonly uplinks: readonly string[]
  /** What we are willing to be asked for; never empty. */
  readonly auth: readonly AuthMethod[]
  /** Octets of an inner packet, or derived from the underlay. */
  readonly mtu: 'auto' | number
  readonly ipv6: boolean
  readonly ipaddrs: readonly Prefix[]
  readonly ip6addrs: readonly Prefix[]
  readonly ip6prefixes: readonly Prefix[]
  readonly defaultroute: boolean
  /** Routing table numbers; undefined means allotted from `tableBase`. */
  readonly ip4table: number | undefined
  readonly ip6table: number | undefined
  readonly peerdns: boolean
  readonly helloInterval: Millis
  readonly echoInterval: Millis
  /** Echo intervals in which nothing at all arrived before the session counts as dead. */
  readonly echoFailures: number
  /** Fixed UDP source port; 0 means a fresh one for each attempt. */
  readonly localPort: number
  readonly firewall: 'default' | 'none'
  readonly standby: Standby
  /** Name of the uplink whose public address the session takes over; undefined: found by itself. */
  readonly backsUp: string | undefined
  readonly probe: ProbeOverrides
  readonly enabled: boolean
}

/**
 * What a tunnel keeps while it is not the active path: nothing, the control connection, or the session as well. `auto`
 * is warm, and cold where that does not work or costs too much.
 */
export type Standby = 'cold' | 'warm' | 'hot' | 'auto'

/** `config failover 'NAME'`: which paths lead to the internet. */
export interface FailoverConfig {
  readonly name: string
  /** Names of uplinks and tunnels in order of preference; never empty. */
  readonly paths: readonly string[]
  /** `auto`, or the name of the path that is used whatever its health. */
  readonly mode: string
  /** How long a less preferred path is not used while a more preferred tunnel is being dialled. */
  readonly dialGrace: Millis
  /** How long a more preferred path has to be up before it is used again. */
  readonly failbackDelay: Millis
  /** When the paths that stand by are tested. */
  readonly standbyCheck: 'off' | CheckTime
  readonly probe: ProbeConfig
}

/** A time of day, in the local time of the machine; without a day: on all days. */
export interface CheckTime {
  readonly day: 'sun' | 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | undefined
  /** 0..23 */
  readonly hour: number
  /** 0..59 */
  readonly minute: number
}

/** How a path is probed. */
export interface ProbeConfig {
  /** Empty: the resolvers of the path and two well-known anycast addresses. */
  readonly targets: readonly ProbeTarget[]
  readonly interval: Millis
  /** `auto`: from the round-trip times seen, within 0.2 s and the interval. */
  readonly timeout: 'auto' | Millis
  /** Rounds in a row without any answer that make a path `down`. */
  readonly down: number
  /** Answered rounds in a row that make it `up` again. */
  readonly up: number
  readonly require: Require
}

/** The address families that have to work for a path to be well; `any`: one of them is enough. */
export type Require = 'ipv4' | 'ipv6' | 'both' | 'any'

/** What a path has different from the probing that `failover` describes. */
export type ProbeOverrides = Partial<ProbeConfig>

/** Whom to probe, by a literal address. */
export type ProbeTarget =
  | { readonly kind: 'icmp'; readonly address: string }
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | { readonly kind: 'dns'; readonly address: string; readonly port: number }

/** Where an MQTT broker listens. */
export interface BrokerUrl {
  readonly tls: boolean
  readonly host: string
  readonly port: number
}

/** `config mqtt 'NAME'`: a broker to which the state of things is published. */
export interface MqttConfig {
  readonly name: string
  readonly url: BrokerUrl
  readonly username: string | undefined
  readonly password: Secret | undefined
  /** PEM files, read anew for each connection; without `caFile` the system's authorities are trusted. */
  readonly caFile: string | undefined
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
  /** The name that the broker's certificate must bear; undefined means the host of the URL. */
  readonly serverName: string | undefined
  /** Whoever answers is taken for the broker. */
  readonly acceptAnyCertificate: boolean
  /** Undefined means `lifeline-NODE-MARK`, with six digits that follow from the hardware. */
  readonly clientId: string | undefined
  /** Undefined means `lifeline/NODE`. */
  readonly baseTopic: string | undefined
  /** Whether Home Assistant is told of its entities. */
  readonly discovery: boolean
  readonly discoveryPrefix: string
  readonly statsInterval: Millis
  /** Names of commands that are obeyed; empty means none. */
  readonly commands: readonly string[]
  readonly protocol: '3.1.1' | '5'
  readonly enabled: boolean
}

/** `config firewall 'NAME'`: what may pass between the internet, this machine and the LAN. */
export interface FirewallConfig {
  readonly name: string
  /** Names of uplinks and tunnels; empty means every tunnel whose `firewall` is not none, and every uplink in `failover`. */
  readonly paths: readonly string[]
  /** What this machine itself takes from the internet. */
  readonly allow: readonly AllowRule[]
  /** What hosts of the LAN with public addresses take from the internet. */
  readonly allowForward: readonly ForwardRule[]
  /** Devices from which the internet may be used. */
  readonly lan: readonly string[]
  /** What becomes of the rest. */
  readonly policy: 'drop' | 'reject'
  /** The IPv4 address that the LAN shows: `auto` chooses it by path, `none` leaves addresses as they are. */
  readonly snat: string
}

/** The transport protocols that have ports, of those that rules can name. */
export type PortProtocol = 'tcp' | 'udp' | 'sctp'
/** Named as nftables does. */
export type AllowedProtocol = PortProtocol | 'esp' | 'ah' | 'gre'

/** Both ends included, 1 to 65535. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/** What may come in to this machine. */
export interface AllowRule {
  readonly protocols: readonly AllowedProtocol[]
  /** Ascending, apart from one another; empty only for protocols without ports. */
  readonly ports: readonly PortRange[]
  /** Networks of either family; empty means anyone. */
  readonly sources: readonly Prefix[]
}

/** What may come in to hosts behind this machine. */
export interface ForwardRule extends AllowRule {
  /** The host, or network, of the LAN. */
  readonly destination: Prefix
}

/** `config redirect`: a port of ours that leads to a host of the LAN, in the words of OpenWrt's firewall. */
export interface RedirectConfig {
  readonly name: string
  readonly protocols: readonly PortProtocol[]
  readonly srcDport: PortRange
  /** Networks; empty means anyone. */
  readonly srcIps: readonly Prefix[]
  /** IPv4. */
  readonly destIp: string
  /** One port for all of them, or a range as long as `srcDport`. */
  readonly destPort: PortRange
  readonly enabled: boolean
}
