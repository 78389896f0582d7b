/** A line of the router: a device whose far end is at a provider, and that can fail in every way that lines do. */
import { join } from './links.ts'
import type { Namespace } from './namespace.ts'

/** Percent of the packets to drop, at random. */
export interface Loss {
  readonly toRouter?: number
  readonly fromRouter?: number
}

export interface LineOptions {
  /** The device in the router. */
  readonly device: string
  /** The device at the provider. */
  readonly far: string
  readonly mtu: number
  /**
   * No addresses of a link layer, as in PPP. The pair shares one, since Ethernet devices that ask nobody send to their
   * own.
   */
  readonly pointToPoint?: boolean
  /** `ip` commands when the device is there, each side its own; that of the router also brings it up. */
  atRouter(device: string): readonly string[]
  atProvider(): readonly string[]
}

const SHARED_MAC = '02:00:5e:00:00:01'

export class Line {
  readonly #router: Namespace
  readonly #provider: Namespace
  readonly #options: LineOptions
  #device: string

  constructor(router: Namespace, provider: Namespace, options: LineOptions) {
    this.#router = router
    this.#provider = provider
    this.#options = options
    this.#device = options.device
  }

  /** The name that its device has now in the router. */
  get device(): string {
    return this.#device
  }

  /** The device appears in the router, with its addresses and default routes. What the path loses it goes on losing. */
  async create(): Promise<void> {
    const { device, far, mtu, pointToPoint = false } = this.#options
    this.#device = device
    await join(this.#router, device, this.#provider, far, {
      mtu,
      ...(pointToPoint ? { mac: SHARED_MAC } : {}),
    })
    if (pointToPoint) {
      await this.#router.ip(`link set ${device} arp off`)
      await this.#provider.ip(`link set ${far} arp off`)
    }
    await this.plug()
    await this.configure()
  }

  /** The device disappears, as a pulled USB modem does, or PPPoE when its session ends. */
  async remove(): Promise<void> {
    await this.#router.ip(`link del ${this.device}`)
  }

  /** Makes it again as it was at first, whatever happened to it. */
  async restore(): Promise<void> {
    await this.lose(0)
    // The provider's end has the same name always; where it is gone, so is ours.
    if (await has(this.#provider, this.#options.far)) await this.#provider.ip(`link del ${this.#options.far}`)
    await this.create()
  }

  /** Loses the carrier: both ends notice at once. */
  async cut(): Promise<void> {
    await this.#provider.ip(`link set ${this.#options.far} down`)
  }

  /** The carrier comes back. */
  async plug(): Promise<void> {
    await this.#provider.ip(`link set ${this.#options.far} up`, ...this.#options.atProvider())
  }

  /** Sets the device administratively down; its routes are gone until it is configured. */
  async setDown(): Promise<void> {
    await this.#router.ip(`link set ${this.device} down`)
  }

  /** Sets the device up, with its addresses and default routes. */
  async configure(): Promise<void> {
    await this.#router.ip(...this.#options.atRouter(this.device))
  }

  async rename(device: string): Promise<void> {
    await this.#router.ip(`link set ${this.device} down`, `link set ${this.device} name ${device}`)
    this.#device = device
    await this.configure()
  }

  /** Drops everything from now on, and nobody is told. */
  async silence(): Promise<void> {
    await this.lose(100)
  }

  /** Drops a share of the packets at random from now on, or all of them: nobody is told. 0 heals the path. */
  async lose(percent: number | Loss): Promise<void> {
    const { far } = this.#options
    const loss = typeof percent === 'number' ? { toRouter: percent, fromRouter: percent } : percent
    const rule = (match: string, share = 0) => {
      if (share === 0) return []
      const lot = share >= 100 ? '' : `numgen random mod 100 < ${share}`
      return [`add rule inet path ${far} ${match} "${far}" ${lot} counter drop`]
    }
    await this.#provider.nft(
      [
        'add table inet path',
        `add chain inet path ${far} { type filter hook forward priority 0; }`,
        `flush chain inet path ${far}`,
        ...rule('iifname', loss.fromRouter),
        ...rule('oifname', loss.toRouter),
      ].join('\n'),
    )
  }

  /** Works again, whatever was done to it. */
  async heal(): Promise<void> {
    await this.lose(0)
    if (!(await has(this.#router, this.device))) return this.create()
    await this.plug()
  }
}

async function has(namespace: Namespace, device: string): Promise<boolean> {
  const links = await namespace.show<{ ifname: string }[]>('link', 'show')
  return links.some(({ ifname }) => ifname === device)
}
