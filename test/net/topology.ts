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
import { type Assembled, assemble } from './assembly.ts'
import { type DnsRecords, DnsServer } from './dns.ts'
import { Internet } from './internet.ts'
import { connect, prepareHost, prepareRouter, sendBy } from './links.ts'
import { Lns } from './lns.ts'
import type { Namespace } from './namespace.ts'
import { Radius, type RadiusUser } from './radius.ts'
import { Router } from './router.ts'
import { Uplink } from './uplink.ts'

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

export interface Network extends Assembled {
  readonly router: Router
  readonly isp: Namespace
  readonly lns: Lns
  readonly radius: Radius
  readonly internet: Internet
  readonly lan: Namespace
  readonly uplinks: readonly [Uplink, ...Uplink[]]
  readonly dns: DnsServer | undefined
}

/** Builds the network and starts its servers; ready in about 1.5 s. */
export function buildNetwork(options: NetworkOptions = {}): Promise<Network> {
  return assemble(['router', 'isp', 'lns', 'internet', 'lan'], async (hosts, atEnd) => {
    const { isp, lan } = hosts
    await Promise.all([hosts.internet, lan].map(prepareHost))
    await Promise.all([hosts.router, isp, hosts.lns].map(prepareRouter))

    const ipv6 = options.ipv6Underlay ?? false
    const uplinks = Array.from(
      { length: options.uplinks ?? 1 },
      (_, number) => new Uplink(number, hosts.router, isp, { mtu: options.uplinkMtu ?? 1500, ipv6 }),
    ) as [Uplink, ...Uplink[]]
    for (const uplink of uplinks) await uplink.create()
    await connectIspToLns(isp, hosts.lns, options)
    await connect(hosts.lns, 'net0', address.lnsAtInternet, hosts.internet, 'eth0', address.internet)
    await sendBy(hosts.internet, address.lnsAtInternet)
    await connect(hosts.router, 'lan0', address.routerAtLan, lan, 'eth0', address.lan)
    await sendBy(lan, address.routerAtLan)

    const radius = new Radius(hosts.lns, options.users ?? [])
    const { tunnelSecret, auth, idleTimeout } = options
    const lns = new Lns(hosts.lns, { tunnelSecret, auth, idleTimeout, ipv6 })
    const internet = new Internet(hosts.internet)
    const dns = options.names === undefined ? undefined : new DnsServer(isp, options.names)
    const router = new Router(hosts.router, dns === undefined ? [] : [uplinks[0].gateway.ipv4])
    atEnd(() => router.stopAll())
    await Promise.all([radius.start(), lns.start(), internet.start(), dns?.start()])
    return { router, isp, lns, radius, internet, lan, uplinks, dns }
  })
}

async function connectIspToLns(isp: Namespace, lns: Namespace, options: NetworkOptions): Promise<void> {
  const mtu = options.lnsMtu ?? 1500
  await connect(isp, 'core0', address.ispAtLns, lns, 'isp0', address.lns, { mtu })
  await sendBy(lns, address.ispAtLns)
  if (options.openInternet !== false)
    await isp.ip(
      `route add 198.51.100.0/24 via ${address.lns.ipv4}`,
      `route add 2001:db8:feed::/64 via ${address.lns.ipv6}`,
    )
}
