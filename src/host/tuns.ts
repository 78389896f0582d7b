/** Persistent TUN devices. What goes into one without a data path is read and dropped. */
import type { DataCounters, DataPath, TunDevice, Tuns } from '../app/tuns.ts'
import { type Addon, checked, type Handle } from './native.ts'

/** Opens devices through the addon. */
export class NativeTuns implements Tuns {
  readonly #addon: Addon

  constructor(addon: Addon) {
    this.#addon = addon
  }

  open(name: string, onGone?: () => void): TunDevice {
    return new NativeTunDevice(this.#addon, name, onGone)
  }
}

/** A device of the addon. */
export class NativeTunDevice implements TunDevice {
  readonly #addon: Addon
  readonly handle: Handle<'tun'>
  readonly name: string
  /** The data path that carries its packets; undefined: they are dropped. */
  path: DataPath | undefined
  #gone = false
  #closed = false

  constructor(addon: Addon, name: string, onGone: (() => void) | undefined) {
    this.#addon = addon
    this.name = name
    const onArrivals = () => {
      if (this.#gone || this.#closed) return
      this.#gone = true
      onGone?.()
    }
    const opened = addon.openTun(name, onArrivals)
    const why = typeof opened === 'number' ? REFUSALS[this.#addon.errnoName(-opened)] : undefined
    this.handle = checked(this.#addon, opened, `cannot open the TUN device ${name}${why ? ` (${why})` : ''}`)
  }

  setCarrier(on: boolean): void {
    if (this.#closed) return
    this.#unlessGone(this.#addon.setCarrier(this.handle, on), `cannot set the carrier of ${this.name}`)
  }

  counters(): DataCounters {
    const now = this.#addon.counters(this.handle)
    return {
      rx: { packets: now.rxPackets, octets: now.rxOctets, dropped: now.rxDropped },
      tx: { packets: now.txPackets, octets: now.txOctets, dropped: now.txDropped },
    }
  }

  close(): void {
    this.#closed = true
    this.path = undefined
    this.#addon.close(this.handle)
  }

  destroy(): void {
    if (this.#closed) return
    try {
      this.#unlessGone(this.#addon.unpersist(this.handle), `cannot remove ${this.name}`)
    } finally {
      this.close()
    }
  }

  /** A device that was removed is no failure of ours: `onGone` tells of it, or is about to. */
  #unlessGone(outcome: number, what: string): void {
    if (!this.#gone && !(outcome < 0 && this.#addon.errnoName(-outcome) === DEVICE_GONE))
      checked(this.#addon, outcome, what)
  }
}

const REFUSALS: Readonly<Record<string, string>> = {
  EBUSY: 'another process carries it',
  EINVAL: 'there is another kind of device of this name, or the name is none for a device',
  ENOENT: 'there is no /dev/net/tun',
  ENODEV: 'the kernel has no module tun',
  EPERM: 'CAP_NET_ADMIN is missing',
}

/** What the kernel says of a TUN descriptor whose device is gone. */
const DEVICE_GONE = 'EBADFD'
