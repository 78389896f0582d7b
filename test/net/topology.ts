/**
 * The small internet in which tests and the lab run, each host a network namespace of its own:
 *
 *   lan ────────── router ══wan0══ isp ────────── lns ────────── internet
 *   192.168.1.2    lifeline ══wan1══╝  192.0.2.0/24  l2tpns     198.51.100.2
 *                  100.64.N.2      100.64.N.1        FreeRADIUS  2001:db8:feed::2
 *
 * The isp also routes to the internet by itself, unless told otherwise. Nothing outside the namespaces is touched.
 */
import * as address from './addresses.ts'
import { type DnsRecords, DnsServer } from './dns.ts'
import { Internet } from './internet.ts'
import { connect, prepareHost, prepareRouter } from './links.ts'
import { Lns } from './lns.ts'
import { type Namespace, NamespaceGroup } from './namespace.ts'
import { Radius, type RadiusUser } from './radius.ts'
import { Router } from './router.ts'
import { nextIndex, pathTable, Uplink } from './uplink.ts'

export interface NetworkOptions {
  readonly users?: readonly RadiusUser[]
  /** How many uplinks the router has; the first is preferred by its main table. */
  readonly uplinks?: 1 | 2
  /** The tunnel secret of the LNS; none if left out. */
  readonly tunnelSecret?: string
  /** What the LNS asks for, in its order of preference. */
  readonly auth?: readonly ('chap' | 'pap')[] | undefined
  /** Seconds of silence after which the LNS gives a session up. */
  readonly idleTimeout?: number | undefined
  /** IPv6 between router and LNS too. */
  readonly ipv6Underlay?: boolean
  /** Whether the internet is reached without a tunnel too; true by default. */
  readonly openInternet?: boolean
  /** Names that the isp's resolver knows, which the router then uses; without them there is no resolver. */
  readonly names?: DnsRecords
  /** Octets that the uplinks carry; 1500 by default. */
  readonly uplinkMtu?: number
  /** Octets that the link between isp and LNS carries; 1500 by default. */
  readonly lnsMtu?: number
}

export interface Network {
  readonly router: Router
  readonly isp: Namespace
  readonly lns: Lns
  readonly radius: Radius
  readonly internet: Internet
  readonly lan: Namespace
  readonly uplinks: readonly [Uplink, ...Uplink[]]
  readonly dns: DnsServer | undefined
  /** A folder for files, removed with the network. */
  readonly folder: string
  /** Ends all processes and removes all namespaces. */
  close(): Promise<void>
}

/** Builds the network and starts its servers; ready in about 1.5 s. */
export async function buildNetwork(options: NetworkOptions = {}): Promise<Network> {
  const group = new NamespaceGroup()
  try {
    return await build(group, options)
  } catch (error) {
    group.remove()
    throw error
  }
}

async function build(group: NamespaceGroup, options: NetworkOptions): Promise<Network> {
  const names = ['router', 'isp', 'lns', 'internet', 'lan'] as const
  const [routerSpace, isp, lnsSpace, internetSpace, lan] = (await group.add(...names)) as FiveNamespaces
  await Promise.all([internetSpace, lan].map(prepareHost))
  await Promise.all([routerSpace, isp, lnsSpace].map(prepareRouter))

  const ipv6 = options.ipv6Underlay ?? false
  const count = options.uplinks ?? 1
  await isp.nft(pathTable(count))
  const uplinks = Array.from(
    { length: count },
    (_, number) => new Uplink(number, routerSpace, isp, { mtu: options.uplinkMtu ?? 1500, ipv6 }),
  ) as [Uplink, ...Uplink[]]
  for (const uplink of uplinks) await uplink.create()
  await connectIspToLns(isp, lnsSpace, options)
  await connectLnsToInternet(lnsSpace, internetSpace)
  await connectLan(routerSpace, lan)

  const radius = new Radius(lnsSpace, options.users ?? [])
  const { tunnelSecret, auth, idleTimeout } = options
  const lns = new Lns(lnsSpace, { tunnelSecret, auth, idleTimeout, ipv6 })
  const internet = new Internet(internetSpace)
  const dns = options.names === undefined ? undefined : new DnsServer(isp, options.names)
  const router = new Router(routerSpace, dns === undefined ? [] : [uplinks[0].gateway.ipv4])
  await Promise.all([radius.start(), lns.start(), internet.start(), dns?.start()])

  return {
    router,
    isp,
    lns,
    radius,
    internet,
    lan,
    uplinks,
    dns,
    folder: group.folder,
    async close() {
      await router.stopAll()
      group.remove()
    },
  }
}

type FiveNamespaces = [Namespace, Namespace, Namespace, Namespace, Namespace]

async function connectIspToLns(isp: Namespace, lns: Namespace, options: NetworkOptions): Promise<void> {
  const mtu = options.lnsMtu ?? 1500
  const end = `index ${nextIndex()} mtu ${mtu}`
  const farEnd = `index ${nextIndex()} mtu ${mtu}`
  await isp.ip(`link add core0 ${end} type veth peer name isp0 ${farEnd} netns ${lns.name}`)
  await isp.ip(
    `addr add ${address.ispAtLns.ipv4}/24 dev core0`,
    `addr add ${address.ispAtLns.ipv6}/64 dev core0 nodad`,
    'link set core0 up',
    ...(options.openInternet === false
      ? []
      : [
          `route add 198.51.100.0/24 via ${address.lns.ipv4}`,
          `route add 2001:db8:feed::/64 via ${address.lns.ipv6}`,
        ]),
  )
  await lns.ip(
    `addr add ${address.lns.ipv4}/24 dev isp0`,
    `addr add ${address.lns.ipv6}/64 dev isp0 nodad`,
    'link set isp0 up',
    `route add default via ${address.ispAtLns.ipv4}`,
    `route add default via ${address.ispAtLns.ipv6}`,
  )
}

async function connectLnsToInternet(lns: Namespace, internet: Namespace): Promise<void> {
  await connect(lns, 'net0', address.lnsAtInternet, internet, 'eth0', address.internet)
  await internet.ip(
    `route add default via ${address.lnsAtInternet.ipv4}`,
    `route add default via ${address.lnsAtInternet.ipv6}`,
  )
}

async function connectLan(router: Namespace, lan: Namespace): Promise<void> {
  await connect(router, 'lan0', address.routerAtLan, lan, 'eth0', address.lan)
  await lan.ip(
    `route add default via ${address.routerAtLan.ipv4}`,
    `route add default via ${address.routerAtLan.ipv6}`,
  )
}
