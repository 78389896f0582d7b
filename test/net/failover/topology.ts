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
import { DnsServer } from '../dns.ts'
import { Internet } from '../internet.ts'
import { connect, prepareHost, prepareRouter } from '../links.ts'
import { Lns } from '../lns.ts'
import { type Namespace, NamespaceGroup } from '../namespace.ts'
import { Radius, type RadiusUser } from '../radius.ts'
import { Router } from '../router.ts'
import { nextIndex } from '../uplink.ts'
import * as address from './addresses.ts'
import { type Distance, FAR, keepApart, NEAR } from './distance.ts'
import { Line } from './line.ts'

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

export interface Provider {
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
  /** A folder for files, removed with the network. */
  readonly folder: string
  close(): Promise<void>
}

/** The LNS's name, known to the resolvers. */
export const LNS_NAME = 'l2tp.example'
/** Behind that of a session, which has the kernel's default. */
const WORSE_METRIC = 5000

/** Builds it and starts its servers; ready in about 2 s. */
export async function buildProvider(options: ProviderOptions): Promise<Provider> {
  const group = new NamespaceGroup()
  try {
    return await build(group, options)
  } catch (error) {
    group.remove()
    throw error
  }
}

async function build(group: NamespaceGroup, options: ProviderOptions): Promise<Provider> {
  const names = ['router', 'bras', 'carrier', 'lns', 'internet', 'lan'] as const
  const [routerSpace, bras, carrier, lnsSpace, internetSpace, lan] = (await group.add(
    ...names,
  )) as SixNamespaces
  await prepareHost(lan)
  await Promise.all([routerSpace, bras, carrier, lnsSpace, internetSpace].map(prepareRouter))

  await connect(routerSpace, 'lan0', common.routerAtLan, lan, 'eth0', common.lan)
  await lan.ip(
    `route add default via ${common.routerAtLan.ipv4}`,
    `route add default via ${common.routerAtLan.ipv6}`,
  )
  await connectProvider(bras, lnsSpace, internetSpace)
  await connectCarrier(carrier, internetSpace, options.mapping ?? 30)
  const fibre = new Line(routerSpace, bras, fibreLine())
  const lte = new Line(routerSpace, carrier, lteLine())
  await fibre.create()
  await lte.create()
  if (options.fibre !== undefined) await keepApart(bras, 'cust0', 'core0', options.fibre)
  await keepApart(carrier, 'cell0', 'core0', options.lte ?? { delay: 25 })

  const radius = new Radius(lnsSpace, options.users)
  const lns = new Lns(lnsSpace, { tunnelSecret: options.tunnelSecret })
  const internet = new Internet(internetSpace)
  const dns = new DnsServer(internetSpace, { [LNS_NAME]: [common.lns.ipv4] }, Object.values(address.resolver))
  const router = new Router(routerSpace, [address.resolver.ipv4])
  await Promise.all([radius.start(), lns.start(), internet.start(), dns.start()])
  return {
    router,
    lan,
    fibre,
    lte,
    lns,
    radius,
    internet,
    dns,
    bras,
    carrier,
    folder: group.folder,
    async close() {
      await router.stopAll()
      group.remove()
    },
  }
}

type SixNamespaces = [Namespace, Namespace, Namespace, Namespace, Namespace, Namespace]

function fibreLine() {
  const { ipv4, prefix } = address.shared
  const device = 'pppoe-aaisp'
  return {
    device,
    far: 'cust0',
    mtu: 1492,
    pointToPoint: true,
    atRouter: [
      `addr add ${ipv4} peer ${address.bras.ipv4}/32 dev ${device}`,
      `route add default dev ${device} metric 10`,
      `route add ::/0 dev ${device} metric 10`,
    ],
    atProvider: [`route replace ${ipv4}/32 dev cust0`, `route replace ${prefix} dev cust0`],
  }
}

function lteLine() {
  const { router, gateway } = address.cell
  const device = 'wan-4g'
  return {
    device,
    far: 'cell0',
    mtu: 1500,
    pointToPoint: false,
    atRouter: [
      `addr add ${router}/24 dev ${device}`,
      `route add default via ${gateway} dev ${device} metric 20`,
    ],
    atProvider: [`addr replace ${gateway}/24 dev cell0`],
  }
}

/** bras ── lns ── internet. The routes of the line's address and prefix are behind those that l2tpns makes for a session. */
async function connectProvider(bras: Namespace, lns: Namespace, internet: Namespace): Promise<void> {
  await connect(bras, 'core0', address.bras, lns, 'isp0', common.lns)
  await connect(lns, 'net0', common.lnsAtInternet, internet, 'eth0', common.internet)
  await bras.ip(`route add default via ${common.lns.ipv4}`, `route add default via ${common.lns.ipv6}`)
  await lns.ip(
    `route add default via ${common.internet.ipv4}`,
    `route add default via ${common.internet.ipv6}`,
    `route add ${address.shared.ipv4}/32 via ${address.bras.ipv4} metric ${WORSE_METRIC}`,
    `route add ${address.shared.prefix} via ${address.bras.ipv6} metric ${WORSE_METRIC}`,
  )
  await internet.ip(
    `route add default via ${common.lnsAtInternet.ipv4}`,
    `route add default via ${common.lnsAtInternet.ipv6}`,
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
  const [index, far] = [nextIndex(), nextIndex()]
  await carrier.ip(
    `link add core0 index ${index} type veth peer name cell0 index ${far} netns ${internet.name}`,
  )
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
