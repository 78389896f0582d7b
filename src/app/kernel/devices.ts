/** The TUN devices that this process holds open: each once, for everyone who needs it. */
import type { DataCounters, DataPath, DataPaths, DataSession, TunDevice, Tuns } from '../tuns.ts'
import { GuardedPath } from './guarded-path.ts'

/** A device with the data path of its session. IP packets pass while its carrier is on and nobody holds them back. */
export interface GuardedDevice extends TunDevice {
  /** As it was set last; off for a device that somebody removed. */
  readonly carrier: boolean
  /** Packets are dropped from now on, in both directions, or no more. */
  dropPackets(on: boolean): void
  /** Carries the packets of this session, and no more those of the one before. Throws SystemError. */
  attach(session: DataSession): DataPath
}

/** Opening a name twice gives the same device. A device that somebody removed is opened anew by the next `open`. */
export class Devices implements Tuns {
  readonly #tuns: Tuns
  readonly #dataPaths: DataPaths
  readonly #devices = new Map<string, SharedDevice>()

  constructor(tuns: Tuns, dataPaths: DataPaths) {
    this.#tuns = tuns
    this.#dataPaths = dataPaths
  }

  open(name: string): GuardedDevice {
    const known = this.#devices.get(name)
    if (known !== undefined) {
      known.reopen()
      return known
    }
    const device = new SharedDevice(this.#tuns, this.#dataPaths, name, () => this.#devices.delete(name))
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

/** Stays valid when the device is removed and made again: the data path goes on. */
class SharedDevice implements GuardedDevice {
  readonly name: string
  readonly #tuns: Tuns
  readonly #dataPaths: DataPaths
  readonly #onClosed: () => void
  #live: TunDevice | undefined
  #path: GuardedPath | undefined
  #carrier = false
  #droppingPackets = false
  #counted: DataCounters = NOTHING_COUNTED

  constructor(tuns: Tuns, dataPaths: DataPaths, name: string, onClosed: () => void) {
    this.#tuns = tuns
    this.#dataPaths = dataPaths
    this.name = name
    this.#onClosed = onClosed
    this.#live = this.#open()
  }

  /** Throws SystemError. The carrier of the new device is off. */
  reopen(): void {
    if (this.#live !== undefined) return
    this.#live = this.#open()
    this.#path?.begin(this.#live)
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

  dropPackets(on: boolean): void {
    if (this.#droppingPackets === on) return
    this.#droppingPackets = on
    this.#openOrClose()
  }

  attach(session: DataSession): DataPath {
    this.#path?.detach()
    const path = new GuardedPath(session, this.#dataPaths, (ended) => {
      if (this.#path === ended) this.#path = undefined
    })
    path.pass(this.#passing)
    if (this.#live !== undefined) path.begin(this.#live)
    this.#path = path
    return path
  }

  counters(): DataCounters {
    return this.#live === undefined ? this.#counted : sum(this.#counted, this.#live.counters())
  }

  close(): void {
    this.#letGo()?.close()
  }

  destroy(): void {
    this.#letGo()?.destroy()
  }

  #letGo(): TunDevice | undefined {
    const live = this.#live
    this.#live = undefined
    this.#path?.lose()
    this.#path = undefined
    this.#onClosed()
    return live
  }

  #open(): TunDevice {
    const device: TunDevice = this.#tuns.open(this.name, () => this.#gone(device))
    return device
  }

  get #passing(): boolean {
    return this.#carrier && !this.#droppingPackets
  }

  #openOrClose(): void {
    this.#path?.pass(this.#passing)
  }

  #gone(device: TunDevice): void {
    if (this.#live !== device) return
    this.#counted = this.counters()
    this.#live = undefined
    this.#carrier = false
    this.#path?.lose()
    this.#openOrClose()
    device.close()
  }
}

const NOTHING_COUNTED: DataCounters = {
  rx: { packets: 0, octets: 0, dropped: 0 },
  tx: { packets: 0, octets: 0, dropped: 0 },
}

function sum(a: DataCounters, b: DataCounters): DataCounters {
  const add = (x: DataCounters['rx'], y: DataCounters['rx']) => ({
    packets: x.packets + y.packets,
    octets: x.octets + y.octets,
    dropped: x.dropped + y.dropped,
  })
  return { rx: add(a.rx, b.rx), tx: add(a.tx, b.tx) }
}
