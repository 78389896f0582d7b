/** Netlink sockets of the addon. */
import type { NetlinkArrival, NetlinkSocket, NetlinkSocketOptions, NetlinkSockets } from '../app/ports.ts'
import { type Addon, checked, type Handle } from './native.ts'

/** <linux/netlink.h> */
const NUMBERS = { route: 0, netfilter: 12 } as const

/** Opens netlink sockets through the addon. */
export class NativeNetlinkSockets implements NetlinkSockets {
  readonly #addon: Addon

  constructor(addon: Addon) {
    this.#addon = addon
  }

  open(options: NetlinkSocketOptions): NetlinkSocket {
    return new NativeNetlinkSocket(this.#addon, options)
  }

  errnoName(errno: number): string {
    return this.#addon.errnoName(errno)
  }
}

class NativeNetlinkSocket implements NetlinkSocket {
  readonly #addon: Addon
  readonly #handle: Handle<'netlink'>
  #closed = false

  constructor(addon: Addon, { protocol, groups, onArrivals }: NetlinkSocketOptions) {
    this.#addon = addon
    const what =
      groups.length === 0
        ? `cannot open a netlink socket (${protocol})`
        : `cannot listen to netlink groups ${groups.join(', ')} (${protocol})`
    const opened = addon.openNetlink(NUMBERS[protocol], groups, (arrivals) => {
      const told = arrivals.map(
        (arrival): NetlinkArrival =>
          arrival.error === undefined ? { bytes: arrival.bytes } : { error: addon.errnoName(arrival.error) },
      )
      if (!this.#closed) onArrivals(told)
    })
    this.#handle = checked(addon, opened, what)
  }

  send(message: Uint8Array): string | undefined {
    const outcome = this.#addon.sendNetlink(this.#handle, message)
    return outcome < 0 ? this.#addon.errnoName(-outcome) : undefined
  }

  close(): void {
    this.#closed = true
    this.#addon.close(this.#handle)
  }
}
