/** How hosts of the small networks are prepared and joined. */
import type { Pair } from './addresses.ts'
import type { Namespace } from './namespace.ts'

/** A host that only has links of its own. */
export async function prepareHost(namespace: Namespace): Promise<void> {
  await namespace.ip('link set lo up')
  // Without duplicate address detection a new link carries IPv6 at once, not after a second.
  await namespace.sysctl('net.ipv6.conf.all.accept_dad=0', 'net.ipv6.conf.default.accept_dad=0')
}

/** A host that forwards. */
export async function prepareRouter(namespace: Namespace): Promise<void> {
  await prepareHost(namespace)
  await namespace.sysctl(
    'net.ipv4.ip_forward=1',
    'net.ipv6.conf.all.forwarding=1',
    // Static IPv6 addresses survive a link that goes down, as IPv4 ones do.
    'net.ipv6.conf.all.keep_addr_on_down=1',
    'net.ipv6.conf.default.keep_addr_on_down=1',
  )
}

/** What both ends of a pair have. */
export interface PairOptions {
  /** Octets; the kernel's default if left out. */
  readonly mtu?: number
  /** One address of the link layer for both; their own if left out. */
  readonly mac?: string
}

let lastIndex = 100

/** A veth pair between two hosts, both ends down, with interface indices that no other pair of this process has. */
export async function join(
  a: Namespace,
  deviceA: string,
  b: Namespace,
  deviceB: string,
  { mtu, mac }: PairOptions = {},
): Promise<void> {
  // With equal indices the kernel takes a device for one without a lower one, and tells of its carrier up to 1 s late.
  const end = () =>
    [`index ${++lastIndex}`, mtu && `mtu ${mtu}`, mac && `address ${mac}`].filter(Boolean).join(' ')
  await a.ip(`link add ${deviceA} ${end()} type veth peer name ${deviceB} ${end()} netns ${b.name}`)
}

/** The same, both ends up with an IPv4 /24 and an IPv6 /64 address. */
export async function connect(
  a: Namespace,
  deviceA: string,
  addressA: Pair,
  b: Namespace,
  deviceB: string,
  addressB: Pair,
  options?: PairOptions,
): Promise<void> {
  await join(a, deviceA, b, deviceB, options)
  await a.ip(...plugIn(deviceA, addressA))
  await b.ip(...plugIn(deviceB, addressB))
}

function plugIn(device: string, { ipv4, ipv6 }: Pair): string[] {
  return [
    `addr add ${ipv4}/24 dev ${device}`,
    `addr add ${ipv6}/64 dev ${device} nodad`,
    `link set ${device} up`,
  ]
}

/** Sends everything to a gateway that it has no other route for. */
export async function sendBy(host: Namespace, { ipv4, ipv6 }: Pair): Promise<void> {
  await host.ip(`route add default via ${ipv4}`, `route add default via ${ipv6}`)
}
