import type { DataPath, DataPaths, DataSession, DataSessionChange, TunDevice } from '../tuns.ts'

/**
 * The data path of a session over a device that may be removed and made again: it goes on over the new one. IP packets
 * pass only while they are let through.
 */
export class GuardedPath implements DataPath {
  readonly #dataPaths: DataPaths
  readonly #onDetached: (path: GuardedPath) => void
  #session: DataSession
  #passing = false
  #live: DataPath | undefined
  /** Over devices that are gone. */
  #receivedBefore = 0

  constructor(session: DataSession, dataPaths: DataPaths, onDetached: (path: GuardedPath) => void) {
    this.#session = session
    this.#dataPaths = dataPaths
    this.#onDetached = onDetached
  }

  get rung(): string {
    return this.#live?.rung ?? 'none'
  }

  /** Goes on over this device. Throws SystemError. */
  begin(device: TunDevice): void {
    this.#live = this.#dataPaths.attach(device, { ...this.#session, ...this.#families })
  }

  /** Its device is gone, or about to be closed. */
  lose(): void {
    this.#receivedBefore = this.received()
    this.#live = undefined
  }

  /** Whether IP packets are let through. */
  pass(on: boolean): void {
    this.#passing = on
    this.#live?.update(this.#families)
  }

  update(change: DataSessionChange): void {
    this.#session = { ...this.#session, ...change }
    this.#live?.update({ ...change, ...this.#families })
  }

  received(): number {
    return this.#receivedBefore + (this.#live?.received() ?? 0)
  }

  detach(): void {
    const live = this.#live
    this.lose()
    live?.detach()
    this.#onDetached(this)
  }

  get #families(): Pick<DataSession, 'ipv4' | 'ipv6'> {
    const { ipv4, ipv6 } = this.#session
    return { ipv4: this.#passing && ipv4, ipv6: this.#passing && ipv6 }
  }
}
