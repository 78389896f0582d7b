/** The TUN devices that this process holds open: each once, for everyone who needs it. */
import type { DataCounters, DataSession, TunDevice, Tuns } from './ports.ts'

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
  get(name: string): TunDevice | undefined {
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

/** Stays valid when the device is removed and made again: carrier and session are carried over. */
class SharedDevice implements TunDevice {
  readonly name: string
  readonly #tuns: Tuns
  readonly #onClosed: () => void
  #live: TunDevice | undefined
  #session: DataSession | undefined
  #counted: DataCounters = NOTHING_COUNTED

  constructor(tuns: Tuns, name: string, onClosed: () => void) {
    this.#tuns = tuns
    this.name = name
    this.#onClosed = onClosed
    this.#live = this.#open()
  }

  /** Throws SystemError. */
  reopen(): void {
    if (this.#live !== undefined) return
    this.#live = this.#open()
    if (this.#session !== undefined) this.#live.attach(this.#session)
  }

  setCarrier(on: boolean): void {
    this.#live?.setCarrier(on)
  }

  attach(session: DataSession): void {
    this.#session = session
    this.#live?.attach(session)
  }

  update(change: Parameters<TunDevice['update']>[0]): void {
    if (this.#session !== undefined) this.#session = { ...this.#session, ...change }
    this.#live?.update(change)
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

  #gone(device: TunDevice): void {
    if (this.#live !== device) return
    this.#counted = this.counters()
    this.#live = undefined
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
