/** Persistent TUN devices and the data path that carries a session's packets between one and its socket. */
import type { DataCounters, DataSession, TunDevice, Tuns } from '../app/ports.ts'
import { SystemError } from '../app/ports.ts'
import { parseIp } from '../core/ip/address.ts'
import { NativeDatagramSocket } from './datagrams.ts'
import { type Addon, checked, errnoName, type Handle, loadAddon, type SessionKeys } from './native.ts'

export class NativeTuns implements Tuns {
  readonly #addon: Addon = loadAddon()

  open(name: string, onGone?: () => void): TunDevice {
    return new NativeTunDevice(this.#addon, name, onGone)
  }
}

class NativeTunDevice implements TunDevice {
  readonly #addon: Addon
  readonly #handle: Handle<'tun'>
  readonly name: string
  #session: DataSession | undefined
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
    const why = typeof opened === 'number' ? REFUSALS[errnoName(-opened)] : undefined
    this.#handle = checked(opened, `cannot open the TUN device ${name}${why ? ` (${why})` : ''}`)
  }

  setCarrier(on: boolean): void {
    if (this.#closed) return
    this.#unlessGone(this.#addon.setCarrier(this.#handle, on), `cannot set the carrier of ${this.name}`)
  }

  attach(session: DataSession): void {
    const { socket } = session
    if (!(socket instanceof NativeDatagramSocket)) throw new TypeError('a data path needs a native socket')
    const what = `cannot attach a session to ${this.name}`
    checked(this.#addon.attach(this.#handle, socket.handle, keys(session)), what)
    this.#session = session
  }

  update(change: Partial<Pick<DataSession, 'mtu' | 'sequencing' | 'ipv4' | 'ipv6' | 'peer'>>): void {
    if (this.#session === undefined) return
    this.#session = { ...this.#session, ...change }
    const what = `cannot change the session of ${this.name}`
    checked(this.#addon.update(this.#handle, keys(this.#session)), what)
  }

  detach(): void {
    this.#session = undefined
    this.#addon.detach(this.#handle)
  }

  counters(): DataCounters {
    const now = this.#addon.counters(this.#handle)
    return {
      rx: { packets: now.rxPackets, octets: now.rxOctets, dropped: now.rxDropped },
      tx: { packets: now.txPackets, octets: now.txOctets, dropped: now.txDropped },
      received: now.received,
    }
  }

  datapath(): string {
    return 'plain'
  }

  close(): void {
    this.#closed = true
    this.#session = undefined
    this.#addon.close(this.#handle)
  }

  destroy(): void {
    if (this.#closed) return
    try {
      this.#unlessGone(this.#addon.unpersist(this.#handle), `cannot remove ${this.name}`)
    } finally {
      this.close()
    }
  }

  /** A device that was removed is no failure of ours: `onGone` tells of it, or is about to. */
  #unlessGone(outcome: number, what: string): void {
    if (!this.#gone && outcome !== -EBADFD) checked(outcome, what)
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
const EBADFD = 77

function keys(session: DataSession): SessionKeys {
  const peerHost = parseIp(session.peer.host)
  if (peerHost === undefined) throw new SystemError('EINVAL', `${session.peer.host} is no literal address`)
  const { localTunnelId, localSessionId, peerTunnelId, peerSessionId, mtu, sequencing, ipv4, ipv6 } = session
  return {
    peerHost,
    peerPort: session.peer.port,
    localTunnelId,
    localSessionId,
    peerTunnelId,
    peerSessionId,
    mtu,
    sequencing,
    ipv4,
    ipv6,
  }
}
