/** How hosts of the small internets are prepared and joined. */
import type { Pair } from './addresses.ts'
import type { Namespace } from './namespace.ts'
import { nextIndex } from './uplink.ts'

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

/** A veth pair between two hosts, both ends with an IPv4 /24 and an IPv6 /64 address. */
export async function connect(
  a: Namespace,
  deviceA: string,
  addressA: Pair,
  b: Namespace,
  deviceB: string,
  addressB: Pair,
): Promise<void> {
  const [indexA, indexB] = [nextIndex(), nextIndex()]
  await a.ip(
    `link add ${deviceA} index ${indexA} type veth peer name ${deviceB} index ${indexB} netns ${b.name}`,
  )
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
