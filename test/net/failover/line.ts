/** A line of the router: a device whose far end is at a provider, and that can fail in every way that lines do. */
import type { Namespace } from '../namespace.ts'
import { nextIndex } from '../uplink.ts'

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
  readonly pointToPoint: boolean
  /** `ip` commands that follow when the device is there, each side its own. */
  readonly atRouter: readonly string[]
  readonly atProvider: readonly string[]
}

const SHARED_MAC = '02:00:5e:00:00:01'

export class Line {
  readonly #router: Namespace
  readonly #provider: Namespace
  readonly #options: LineOptions

  constructor(router: Namespace, provider: Namespace, options: LineOptions) {
    this.#router = router
    this.#provider = provider
    this.#options = options
  }

  get device(): string {
    return this.#options.device
  }

  /** The device appears in the router, with its addresses and default routes. */
  async create(): Promise<void> {
    const { device, far, mtu, pointToPoint } = this.#options
    const mac = pointToPoint ? `address ${SHARED_MAC}` : ''
    await this.#router.ip(
      `link add ${device} index ${nextIndex()} mtu ${mtu} ${mac} type veth peer name ${far} index ${nextIndex()} mtu ${mtu} ${mac} netns ${this.#provider.name}`,
    )
    if (pointToPoint)
      for (const [side, name] of [
        [this.#router, device],
        [this.#provider, far],
      ] as const)
        await side.ip(`link set ${name} arp off`)
    await this.#provider.nft(
      [
        'add table inet line',
        'add chain inet line forward { type filter hook forward priority 0; }',
        'flush chain inet line forward',
      ].join('\n'),
    )
    await this.#connect()
    await this.#router.ip(`link set ${device} up`, ...this.#options.atRouter)
  }

  /** The device disappears, as a pulled USB modem does, or PPPoE when its session ends. */
  async remove(): Promise<void> {
    await this.#router.ip(`link del ${this.device}`)
  }

  /** Loses the carrier: both ends notice at once. */
  async cut(): Promise<void> {
    await this.#provider.ip(`link set ${this.#options.far} down`)
  }

  /** Drops everything from now on, and nobody is told. */
  async silence(): Promise<void> {
    const { far } = this.#options
    await this.#provider.nft(
      ['iifname', 'oifname'].map((match) => `add rule inet line forward ${match} "${far}" drop`).join('\n'),
    )
  }

  /** Works again, whatever was done to it. */
  async heal(): Promise<void> {
    const links = await this.#router.show<{ ifname: string }[]>('link', 'show')
    if (!links.some(({ ifname }) => ifname === this.device)) return this.create()
    await this.#provider.nft('flush chain inet line forward')
    await this.#connect()
  }

  async #connect(): Promise<void> {
    await this.#provider.ip(`link set ${this.#options.far} up`, ...this.#options.atProvider)
  }
}
