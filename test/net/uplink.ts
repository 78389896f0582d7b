/** An uplink of the router in the small internet: a line to the isp that keeps its addresses under any name. */
import * as address from './addresses.ts'
import { Line } from './line.ts'
import type { Namespace } from './namespace.ts'

export interface UplinkOptions {
  readonly mtu: number
  readonly ipv6: boolean
}

/** What an uplink has at the router now. */
interface Lease {
  ipv4: string
}

export class Uplink extends Line {
  readonly gateway: address.Pair
  readonly ipv6: string
  readonly #router: Namespace
  readonly #lease: Lease
  readonly #first: string

  constructor(number: number, router: Namespace, isp: Namespace, options: UplinkOptions) {
    const ends = address.uplink(number)
    const lease = { ipv4: ends.router.ipv4 }
    super(router, isp, {
      device: `wan${number}`,
      far: `cust${number}`,
      mtu: options.mtu,
      atRouter: (device) => atRouter(device, number, lease, options),
      atProvider: () => [
        `addr replace ${ends.isp.ipv4}/24 dev cust${number}`,
        ...(options.ipv6 ? [`addr replace ${ends.isp.ipv6}/64 dev cust${number} nodad`] : []),
      ],
    })
    this.gateway = ends.isp
    this.ipv6 = ends.router.ipv6
    this.#router = router
    this.#lease = lease
    this.#first = lease.ipv4
  }

  /** The address it has now at the router. */
  get ipv4(): string {
    return this.#lease.ipv4
  }

  override async restore(): Promise<void> {
    this.#lease.ipv4 = this.#first
    await super.restore()
  }

  /** Gives it another IPv4 address in place of its own, as a new DHCP lease would. */
  async readdress(ipv4: string): Promise<void> {
    await this.#router.ip(`addr del ${this.ipv4}/24 dev ${this.device}`)
    this.#lease.ipv4 = ipv4
    await this.configure()
  }
}

/** Addresses and default routes; the first uplink's are preferred. */
function atRouter(device: string, number: number, { ipv4 }: Lease, { ipv6 }: UplinkOptions): string[] {
  const { router, isp } = address.uplink(number)
  const metric = 10 * (number + 1)
  return [
    `addr replace ${ipv4}/24 dev ${device}`,
    `link set ${device} up`,
    `route replace default via ${isp.ipv4} dev ${device} metric ${metric}`,
    ...(ipv6
      ? [
          `addr replace ${router.ipv6}/64 dev ${device} nodad`,
          `route replace default via ${isp.ipv6} dev ${device} metric ${metric}`,
        ]
      : []),
  ]
}
