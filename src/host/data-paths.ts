/** The data path of the addon: a thread that carries a session's packets one by one between a TUN device and a socket. */
import { SystemError } from '../app/ports.ts'
import type { DataPath, DataPaths, DataSession, DataSessionChange, TunDevice } from '../app/tuns.ts'
import { parseIp } from '../core/ip/address.ts'
import { NativeDatagramSocket } from './datagrams.ts'
import { type Addon, checked, type SessionKeys } from './native.ts'
import { NativeTunDevice } from './tuns.ts'

/** Needs devices and sockets of the addon. */
export class NativeDataPaths implements DataPaths {
  readonly #addon: Addon

  constructor(addon: Addon) {
    this.#addon = addon
  }

  attach(device: TunDevice, session: DataSession): DataPath {
    if (!(device instanceof NativeTunDevice)) throw new TypeError('a native data path needs a native device')
    return new NativeDataPath(this.#addon, device, session)
  }
}

class NativeDataPath implements DataPath {
  readonly rung = 'plain'
  readonly #addon: Addon
  readonly #device: NativeTunDevice
  #session: DataSession
  /** The addon counts as long as the device is open. */
  readonly #receivedBefore: number
  #received = 0

  constructor(addon: Addon, device: NativeTunDevice, session: DataSession) {
    const { socket } = session
    if (!(socket instanceof NativeDatagramSocket))
      throw new TypeError('a native data path needs a native socket')
    this.#addon = addon
    this.#device = device
    this.#session = session
    this.#receivedBefore = addon.counters(device.handle).received
    const what = `cannot attach a session to ${device.name}`
    checked(this.#addon, addon.attach(device.handle, socket.handle, keys(session)), what)
    device.path = this
  }

  update(change: DataSessionChange): void {
    if (!this.#attached) return
    this.#session = { ...this.#session, ...change }
    const what = `cannot change the session of ${this.#device.name}`
    checked(this.#addon, this.#addon.update(this.#device.handle, keys(this.#session)), what)
  }

  received(): number {
    if (this.#attached)
      this.#received = this.#addon.counters(this.#device.handle).received - this.#receivedBefore
    return this.#received
  }

  detach(): void {
    if (!this.#attached) return
    this.received()
    this.#device.path = undefined
    this.#addon.detach(this.#device.handle)
  }

  get #attached(): boolean {
    return this.#device.path === this
  }
}

function keys({ socket, peer, ...rest }: DataSession): SessionKeys {
  const peerHost = parseIp(peer.host)
  if (peerHost === undefined) throw new SystemError('EINVAL', `${peer.host} is no literal address`)
  return { ...rest, peerHost, peerPort: peer.port }
}
