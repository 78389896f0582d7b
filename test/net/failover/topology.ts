/**
 * The small internet of failover. The provider of the fibre line also runs an LNS that is reached over both ways; while a
 * session is up there, the line's address and prefix are routed into it, and to the line otherwise:
 *
 *                     ┌─ pppoe-aaisp ── bras ─── lns ─────┐
 *   lan ─── router ───┤   203.0.113.10   l2tpns, RADIUS   internet
 *   192.168.1.2       └─ wan-4g ── carrier ───────────────┘
 *   2001:db8:2::2        100.64.1.2  NAT, 25 ms each way
 *
 * As with PPPoE the fibre has no address but the shared one, and an MTU of 1492. Nothing outside the namespaces is touched.
 */
import * as common from '../addresses.ts'
import { type Assembled, assemble } from '../assembly.ts'
import { DnsServer } from '../dns.ts'
import { Internet } from '../internet.ts'
import { Line, type LineOptions } from '../line.ts'
import { connect, join, prepareHost, prepareRouter, sendBy } from '../links.ts'
import { Lns } from '../lns.ts'
import type { Namespace } from '../namespace.ts'
import { Radius, type RadiusUser } from '../radius.ts'
import { Router } from '../router.ts'
import * as address from './addresses.ts'
import { type Distance, FAR, keepApart, NEAR } from './distance.ts'

export interface ProviderOptions {
  readonly users: readonly RadiusUser[]
  readonly tunnelSecret?: string
  /** Between router and provider over fibre; a veth pair alone if left out. */
  readonly fibre?: Distance
  /** Between router and internet over 4G; 25 ms each way if left out. */
  readonly lte?: Distance
  /** How long the carrier's NAT remembers a quiet UDP mapping, in s; 30 if left out. */
  readonly mapping?: number
}

export interface Provider extends Assembled {
  readonly router: Router
  readonly lan: Namespace
  readonly fibre: Line
  readonly lte: Line
  readonly lns: Lns
  readonly radius: Radius
  readonly internet: Internet
  readonly dns: DnsServer
  readonly bras: Namespace
  readonly carrier: Namespace
}

/** The LNS's name, known to the resolvers. */
export const LNS_NAME = 'l2tp.example'
/** Behind that of a session, which has the kernel's default. */
const WORSE_METRIC = 5000

/** Builds it and starts its servers; ready in about 2 s. */
export function buildProvider(options: ProviderOptions): Promise<Provider> {
  return assemble(['router', 'bras', 'carrier', 'lns', 'internet', 'lan'], async (hosts, atEnd) => {
    const { bras, carrier, lan } = hosts
    await prepareHost(lan)
    await Promise.all([hosts.router, bras, carrier, hosts.lns, hosts.internet].map(prepareRouter))

    await connect(hosts.router, 'lan0', common.routerAtLan, lan, 'eth0', common.lan)
    await sendBy(lan, common.routerAtLan)
    await connectProvider(bras, hosts.lns, hosts.internet)
    await connectCarrier(carrier, hosts.internet, options.mapping ?? 30)
    const fibre = new Line(hosts.router, bras, fibreLine())
    const lte = new Line(hosts.router, carrier, lteLine())
    await fibre.create()
    await lte.create()
    if (options.fibre !== undefined) await keepApart(bras, 'cust0', 'core0', options.fibre)
    await keepApart(carrier, 'cell0', 'core0', options.lte ?? { delay: 25 })

    const radius = new Radius(hosts.lns, options.users)
    const lns = new Lns(hosts.lns, { tunnelSecret: options.tunnelSecret })
    const internet = new Internet(hosts.internet)
    const { resolver } = address
    const dns = new DnsServer(hosts.internet, { [LNS_NAME]: [common.lns.ipv4] }, Object.values(resolver))
    const router = new Router(hosts.router, [resolver.ipv4])
    atEnd(() => router.stopAll())
    await Promise.all([radius.start(), lns.start(), internet.start(), dns.start()])
    return { router, lan, fibre, lte, lns, radius, internet, dns, bras, carrier }
  })
}

function fibreLine(): LineOptions {
  const { ipv4, prefix } = address.shared
  return {
    device: 'pppoe-aaisp',
    far: 'cust0',
    mtu: 1492,
    pointToPoint: true,
    atRouter: (device) => [
      `link set ${device} up`,
      `addr replace ${ipv4} peer ${address.bras.ipv4}/32 dev ${device}`,
      `route replace default dev ${device} metric 10`,
      `route replace ::/0 dev ${device} metric 10`,
    ],
    atProvider: () => [`route replace ${ipv4}/32 dev cust0`, `route replace ${prefix} dev cust0`],
  }
}

function lteLine(): LineOptions {
  const { router, gateway } = address.cell
  return {
    device: 'wan-4g',
    far: 'cell0',
    mtu: 1500,
    atRouter: (device) => [
      `link set ${device} up`,
      `addr replace ${router}/24 dev ${device}`,
      `route replace default via ${gateway} dev ${device} metric 20`,
    ],
    atProvider: () => [`addr replace ${gateway}/24 dev cell0`],
  }
}

/** bras ── lns ── internet. The routes of the line's address and prefix are behind those that l2tpns makes for a session. */
async function connectProvider(bras: Namespace, lns: Namespace, internet: Namespace): Promise<void> {
  await connect(bras, 'core0', address.bras, lns, 'isp0', common.lns)
  await connect(lns, 'net0', common.lnsAtInternet, internet, 'eth0', common.internet)
  await sendBy(bras, common.lns)
  await sendBy(lns, common.internet)
  await sendBy(internet, common.lnsAtInternet)
  await lns.ip(
    `route add ${address.shared.ipv4}/32 via ${address.bras.ipv4} metric ${WORSE_METRIC}`,
    `route add ${address.shared.prefix} via ${address.bras.ipv6} metric ${WORSE_METRIC}`,
  )
  await internet.ip(
    ...[...address.anycast, address.resolver].flatMap(({ ipv4, ipv6 }) => [
      `addr add ${ipv4}/32 dev lo`,
      `addr add ${ipv6}/128 dev lo nodad`,
    ]),
  )
}

/** carrier ── internet: without IPv6, all its customers behind one address, who cannot be reached from outside. */
async function connectCarrier(carrier: Namespace, internet: Namespace, mapping: number): Promise<void> {
  const { carrier: ours } = address.cell
  const theirs = address.internetAtCarrier
  await join(carrier, 'core0', internet, 'cell0')
  await carrier.ip(`addr add ${ours}/30 dev core0`, 'link set core0 up', `route add default via ${theirs}`)
  await internet.ip(`addr add ${theirs}/30 dev cell0`, 'link set cell0 up')
  // Packets pass twice, before and behind the relay; connections are tracked on the side of the internet.
  await carrier.nft(`
    table ip carrier {
      chain before {
        type filter hook prerouting priority raw;
        iifname { "cell0", "${NEAR}" } notrack
      }
      chain nat {
        type nat hook postrouting priority srcnat;
        iifname "${FAR}" oifname "core0" masquerade random
      }
      chain uninvited {
        type filter hook input priority filter;
        iifname "core0" drop
      }
    }`)
  await carrier.sysctl(
    `net.netfilter.nf_conntrack_udp_timeout=${mapping}`,
    `net.netfilter.nf_conntrack_udp_timeout_stream=${mapping}`,
  )
}
