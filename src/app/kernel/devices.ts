/** The TUN devices that this process holds open: each once, for everyone who needs it. */
import type { DataCounters, DataSession, TunDevice, Tuns } from '../ports.ts'

/** Packets pass while its carrier is on and nobody holds them back. */
export interface GuardedDevice extends TunDevice {
  /** As it was set last; off for a device that somebody removed. */
  readonly carrier: boolean
  /** Packets are dropped from now on, in both directions, or no more. */
  hold(on: boolean): void
}

/** Opening a name twice gives the same device. A device that somebody removed is opened anew by the next `open`. */
export class Devices implements Tuns {
  readonly #tuns: Tuns
  readonly #devices = new Map<string, SharedDevice>()

  constructor(tuns: Tuns) {
    this.#tuns = tuns
  }

  open(name: string): TunDevice {
    const known = this.#devices.get(name)
    if (known !== undefined) {
      known.reopen()
      return known
    }
    const device = new SharedDevice(this.#tuns, name, () => this.#devices.delete(name))
    this.#devices.set(name, device)
    return device
  }

  /** The device if this process holds it. */
  get(name: string): GuardedDevice | undefined {
    return this.#devices.get(name)
  }

  names(): string[] {
    return [...this.#devices.keys()]
  }

  /** Lets go of all, which stay with their addresses. */
  close(): void {
    for (const device of [...this.#devices.values()]) device.close()
  }
}

/** Stays valid when the device is removed and made again: the session is carried over. */
class SharedDevice implements GuardedDevice {
  readonly name: string
  readonly #tuns: Tuns
  readonly #onClosed: () => void
  #live: TunDevice | undefined
  #session: DataSession | undefined
  #carrier = false
  #held = false
  #counted: DataCounters = NOTHING_COUNTED

  constructor(tuns: Tuns, name: string, onClosed: () => void) {
    this.#tuns = tuns
    this.name = name
    this.#onClosed = onClosed
    this.#live = this.#open()
  }

  /** Throws SystemError. The carrier of the new device is off. */
  reopen(): void {
    if (this.#live !== undefined) return
    this.#live = this.#open()
    if (this.#session !== undefined) this.attach(this.#session)
  }

  get carrier(): boolean {
    return this.#carrier
  }

  setCarrier(on: boolean): void {
    this.#carrier = on
    if (!on) this.#openOrClose()
    this.#live?.setCarrier(on)
    if (on) this.#openOrClose()
  }

  hold(on: boolean): void {
    if (this.#held === on) return
    this.#held = on
    this.#openOrClose()
  }

  attach(session: DataSession): void {
    this.#session = session
    this.#live?.attach({ ...session, ...this.#families(session) })
  }

  update(change: Parameters<TunDevice['update']>[0]): void {
    if (this.#session === undefined) return
    this.#session = { ...this.#session, ...change }
    this.#live?.update({ ...change, ...this.#families(this.#session) })
  }

  detach(): void {
    this.#session = undefined
    this.#live?.detach()
  }

  counters(): DataCounters {
    return this.#live === undefined ? this.#counted : sum(this.#counted, this.#live.counters())
  }

  datapath(): string {
    return this.#live?.datapath() ?? 'none'
  }

  close(): void {
    this.#session = undefined
    this.#live?.close()
    this.#live = undefined
    this.#onClosed()
  }

  destroy(): void {
    this.#session = undefined
    const live = this.#live
    this.#live = undefined
    this.#onClosed()
    live?.destroy()
  }

  #open(): TunDevice {
    const device: TunDevice = this.#tuns.open(this.name, () => this.#gone(device))
    return device
  }

  #openOrClose(): void {
    if (this.#session !== undefined) this.#live?.update(this.#families(this.#session))
  }

  #families({ ipv4, ipv6 }: DataSession): Pick<DataSession, 'ipv4' | 'ipv6'> {
    const open = this.#carrier && !this.#held
    return { ipv4: open && ipv4, ipv6: open && ipv6 }
  }

  #gone(device: TunDevice): void {
    if (this.#live !== device) return
    this.#counted = this.counters()
    this.#live = undefined
    this.#carrier = false
    device.close()
  }
}

const NOTHING_COUNTED: DataCounters = {
  rx: { packets: 0, octets: 0, dropped: 0 },
  tx: { packets: 0, octets: 0, dropped: 0 },
  received: 0,
}

function sum(a: DataCounters, b: DataCounters): DataCounters {
  const add = (x: DataCounters['rx'], y: DataCounters['rx']) => ({
    packets: x.packets + y.packets,
    octets: x.octets + y.octets,
    dropped: x.dropped + y.dropped,
  })
  return { rx: add(a.rx, b.rx), tx: add(a.tx, b.tx), received: a.received + b.received }
}
