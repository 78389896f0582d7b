/** An uplink of the router: a veth pair to the isp, whose path can be cut, thinned out, and taken away. */
import * as address from './addresses.ts'
import type { Namespace } from './namespace.ts'

/** Percent of the packets to drop, at random. */
export interface Loss {
  readonly toRouter?: number
  readonly fromRouter?: number
}

let lastIndex = 100

/**
 * The next interface index for a veth end. Both ends of a pair must differ: with equal ones the kernel takes the device
 * for one without a lower device and reports carrier changes up to 1 s late.
 */
export function nextIndex(): number {
  return ++lastIndex
}

export class Uplink {
  readonly number: number
  /** The address it has now at the router. */
  ipv4: string
  readonly gateway: address.Pair
  readonly ipv6: string
  readonly #router: Namespace
  readonly #isp: Namespace
  readonly #options: UplinkOptions
  #device: string

  constructor(number: number, router: Namespace, isp: Namespace, options: UplinkOptions) {
    const ends = address.uplink(number)
    this.number = number
    this.ipv4 = ends.router.ipv4
    this.ipv6 = ends.router.ipv6
    this.gateway = ends.isp
    this.#router = router
    this.#isp = isp
    this.#options = options
    this.#device = `wan${number}`
  }

  /** The name that its device has now in the router. */
  get device(): string {
    return this.#device
  }

  /** Makes the device, with addresses and default routes (the first uplink's are preferred). */
  async create(): Promise<void> {
    const { mtu, ipv6 } = this.#options
    this.#device = `wan${this.number}`
    await this.#router.ip(
      `link add ${this.device} index ${nextIndex()} mtu ${mtu} type veth peer name ${this.#far} index ${nextIndex()} mtu ${mtu} netns ${this.#isp.name}`,
    )
    await this.#isp.ip(
      `addr add ${this.gateway.ipv4}/24 dev ${this.#far}`,
      ...(ipv6 ? [`addr add ${this.gateway.ipv6}/64 dev ${this.#far} nodad`] : []),
      `link set ${this.#far} up`,
    )
    await this.#configure()
  }

  /** Takes the device away, as if a USB modem were pulled. */
  async remove(): Promise<void> {
    await this.#router.ip(`link del ${this.device}`)
  }

  /** Makes it again as it was at first, whatever happened to it. */
  async restore(): Promise<void> {
    await this.lose(0)
    // The isp's end has the same name always; where it is gone, so is ours.
    const links = await this.#isp.show<{ ifname: string }[]>('link', 'show')
    if (links.some(({ ifname }) => ifname === this.#far)) await this.#isp.ip(`link del ${this.#far}`)
    this.ipv4 = address.uplink(this.number).router.ipv4
    await this.create()
  }

  async rename(device: string): Promise<void> {
    await this.#router.ip(`link set ${this.device} down`, `link set ${this.device} name ${device}`)
    this.#device = device
    await this.#configure()
  }

  /** Gives it another IPv4 address in place of its own, as a new DHCP lease would. */
  async readdress(ipv4: string): Promise<void> {
    await this.#router.ip(`addr del ${this.ipv4}/24 dev ${this.device}`)
    this.ipv4 = ipv4
    await this.#configure()
  }

  /** The device loses or regains its carrier: both ends notice at once. */
  async setCarrier(on: boolean): Promise<void> {
    await this.#isp.ip(`link set ${this.#far} ${on ? 'up' : 'down'}`)
  }

  /** Sets the device administratively down or up; its routes are gone and come back. */
  async setUp(up: boolean): Promise<void> {
    if (up) await this.#configure()
    else await this.#router.ip(`link set ${this.device} down`)
  }

  /** Drops a share of the packets at random from now on, or all of them: nobody is told. 0 heals the path. */
  async lose(percent: number | Loss): Promise<void> {
    const loss = typeof percent === 'number' ? { toRouter: percent, fromRouter: percent } : percent
    const rule = (match: string, share = 0) => {
      if (share === 0) return []
      const lot = share >= 100 ? '' : `numgen random mod 100 < ${share}`
      return [`add rule inet path ${this.#far} ${match} "${this.#far}" ${lot} counter drop`]
    }
    await this.#isp.nft(
      [
        `add chain inet path ${this.#far}`,
        `flush chain inet path ${this.#far}`,
        ...rule('iifname', loss.fromRouter),
        ...rule('oifname', loss.toRouter),
      ].join('\n'),
    )
  }

  async #configure(): Promise<void> {
    const metric = 10 * (this.number + 1)
    const { device, gateway } = this
    await this.#router.ip(
      `addr replace ${this.ipv4}/24 dev ${device}`,
      `link set ${device} up`,
      `route replace default via ${gateway.ipv4} dev ${device} metric ${metric}`,
      ...(this.#options.ipv6
        ? [
            `addr replace ${this.ipv6}/64 dev ${device} nodad`,
            `route replace default via ${gateway.ipv6} dev ${device} metric ${metric}`,
          ]
        : []),
    )
  }

  get #far(): string {
    return `cust${this.number}`
  }
}

export interface UplinkOptions {
  readonly mtu: number
  readonly ipv6: boolean
}

/** The table in which the paths lose packets; made before any uplink. */
export function pathTable(count: number): string {
  const names = Array.from({ length: count }, (_, number) => `cust${number}`)
  return [
    'add table inet path',
    'add chain inet path forward { type filter hook forward priority 0; }',
    ...names.flatMap((name) => [`add chain inet path ${name}`, `add rule inet path forward jump ${name}`]),
  ].join('\n')
}
