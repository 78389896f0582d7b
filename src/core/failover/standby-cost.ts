/** What paths that only stand by cost on a metered uplink, estimated before anything runs. */

import { carrierNames } from '../config/carriers.ts'
import { probeOf } from '../config/path-probe.ts'
import type { Config, ProbeTarget, TunnelConfig } from '../config/types.ts'
import { ipFamily } from '../ip/address.ts'
import { overheadOf } from '../ip/encapsulation.ts'
import { SPARING_INTERVAL } from './family-health.ts'
import { FAMILIES } from './probing.ts'

/** What one metered uplink carries in a month in which nothing fails. */
export interface StandbyCost {
  readonly uplink: string
  /** Both directions together. */
  readonly octets: number
  readonly parts: readonly StandbyPart[]
}

/** What one path sends and receives in a month for one reason; `octets` with all headers from IP on. */
export interface StandbyPart {
  readonly path: string
  readonly what: 'probes' | 'HELLOs' | 'LCP echoes' | 'tests'
  readonly octets: number
}

/** ms */
const DAY = 86_400_000
const MONTH = 30 * DAY
/** The LNS's own interval, where it sends LCP echoes at all: AAISP sends one each second. */
const PEER_ECHO_INTERVAL = 1000

// Octets of whole exchanges, request and answer, as packets of IPv6, whose header is the larger one; providers count IP.
const IP_UDP = 40 + 8
/** RFC 2661 section 3.1: 12 octets of header, and 8 of the Message Type AVP; a ZLB acknowledges. */
const HELLO = IP_UDP + 12 + 8 + (IP_UDP + 12)
/** Around each packet of a tunnel. */
const ENVELOPE = overheadOf(6, 'l2tp')
/** RFC 1661 section 5.8: 4 octets of header and the Magic-Number. */
const LCP_ECHO = 2 * (ENVELOPE + 8)
const PROBE: Readonly<Record<ProbeTarget['kind'], number>> = {
  icmp: 2 * (40 + 8 + 16),
  // SYN, its acknowledgement, ours, RST.
  tcp: 80 + 80 + 72 + 60,
  // The name servers of the root, all 13 of them.
  dns: IP_UDP + 17 + (IP_UDP + 228),
}
/** SCCRQ to IPCP and IPV6CP with MS-CHAPv2, the way down again, and the HELLOs and LCP echoes of a few seconds. */
const DIAL = 5000
/** Two resolvers are assumed beside the two anycast addresses of each family. */
const DEFAULT_KINDS: readonly (readonly ProbeTarget['kind'][])[] = [
  ['dns', 'dns', 'icmp', 'icmp'],
  ['icmp', 'icmp'],
]
/** Packets of a probe in both directions, for the envelopes inside a tunnel. */
const PROBE_PACKETS: Readonly<Record<ProbeTarget['kind'], number>> = { icmp: 2, tcp: 4, dns: 2 }

/**
 * The cost of standby on each metered uplink, in the order of the configuration. It is assumed that the first path
 * carries traffic all the time, that tunnels stay on the first of their uplinks, that `auto` is warm, that nobody else
 * uses the uplink, that the LNS sends LCP echoes each second, and that a test dials.
 */
export function standbyCosts(config: Config): StandbyCost[] {
  const [, ...standing] = config.failover?.paths ?? []
  return config.uplinks
    .filter(({ metered }) => metered)
    .map(({ name }) => {
      const parts = standing.flatMap((path) => partsOf(path, name, config)).filter(({ octets }) => octets > 0)
      return { uplink: name, octets: parts.reduce((sum, { octets }) => sum + octets, 0), parts }
    })
    .filter(({ octets }) => octets > 0)
}

function partsOf(path: string, uplink: string, config: Config): StandbyPart[] {
  if (path === uplink)
    return [{ path, what: 'probes', octets: probes(path, config, 0) }, tests(path, config, 0)]
  const tunnel = config.tunnels.find(({ name, enabled }) => name === path && enabled)
  if (tunnel === undefined || carrierNames(tunnel, config)?.[0] !== uplink) return []
  return [...tunnelParts(tunnel, config), tests(path, config, ENVELOPE)]
}

/** Option `standby_check`; a test probes all targets at once. That a session is up already is not counted on. */
function tests(path: string, config: Config, envelope: number): StandbyPart {
  const when = config.failover?.standbyCheck ?? 'off'
  const count = when === 'off' ? 0 : MONTH / (when.day === undefined ? DAY : 7 * DAY)
  const kinds = targetKinds(path, config).flat()
  const probed = kinds.reduce((sum, kind) => sum + probe(kind, envelope), 0)
  return { path, what: 'tests', octets: count * (probed + (envelope === 0 ? 0 : DIAL)) }
}

function tunnelParts(tunnel: TunnelConfig, config: Config): StandbyPart[] {
  const { name: path, standby, helloInterval, echoInterval } = tunnel
  if (standby === 'cold') return []
  const hellos: StandbyPart = { path, what: 'HELLOs', octets: (MONTH / helloInterval) * HELLO }
  if (standby !== 'hot') return [hellos]
  const echoes = (MONTH / echoInterval + MONTH / PEER_ECHO_INTERVAL) * LCP_ECHO
  return [
    hellos,
    { path, what: 'LCP echoes', octets: echoes },
    { path, what: 'probes', octets: probes(path, config, ENVELOPE) },
  ]
}

/** The targets of a family are probed in turn, so their mean counts; a path of both families is assumed. */
function probes(path: string, config: Config, envelope: number): number {
  const means = targetKinds(path, config).map(
    (kinds) => kinds.reduce((sum, kind) => sum + probe(kind, envelope), 0) / kinds.length,
  )
  return (MONTH / SPARING_INTERVAL) * means.reduce((sum, mean) => sum + mean, 0)
}

/** What is probed over a path, by family. */
function targetKinds(path: string, config: Config): readonly (readonly ProbeTarget['kind'][])[] {
  const { targets } = probeOf(config, path)
  if (targets.length === 0) return DEFAULT_KINDS
  const named = FAMILIES.map((family) =>
    targets.filter(({ address }) => ipFamily(address) === family).map(({ kind }) => kind),
  )
  return named.filter(({ length }) => length > 0)
}

function probe(kind: ProbeTarget['kind'], envelope: number): number {
  return PROBE[kind] + PROBE_PACKETS[kind] * envelope
}

/** `standing by costs about 28.9 MB a month: HELLOs of aaisp 13.3 MB, probes of lte 15.7 MB` */
export function formatStandbyCost({ octets, parts }: StandbyCost): string {
  const list = parts.map(({ path, what, octets: part }) => `${what} of ${path} ${megabytes(part)}`)
  return `standing by costs about ${megabytes(octets)} a month: ${list.join(', ')}`
}

function megabytes(octets: number): string {
  return `${(octets / 1e6).toFixed(octets < 100e6 ? 1 : 0)} MB`
}
