/** UDP and ICMP sockets bound to a device or a source address. */
import type {
  DatagramOptions,
  DatagramSocket,
  Datagrams,
  IcmpNotice,
  IcmpOptions,
  IcmpSocket,
} from '../app/ports.ts'
import { SystemError } from '../app/ports.ts'
import type { Address } from '../core/endpoint.ts'
import { formatIp, parseIp } from '../core/ip/address.ts'
import { type Addon, type Arrival, checked, type Handle } from './native.ts'

/** Opens sockets through the addon. */
export class NativeDatagrams implements Datagrams {
  readonly #addon: Addon

  constructor(addon: Addon) {
    this.#addon = addon
  }

  open(options: DatagramOptions): NativeDatagramSocket {
    return new NativeDatagramSocket(this.#addon, options)
  }

  openIcmp(options: IcmpOptions): IcmpSocket {
    return new NativeIcmpSocket(this.#addon, options)
  }
}

/** A UDP socket, which a TUN device can read from while a session is attached to it. */
export class NativeDatagramSocket implements DatagramSocket {
  readonly #addon: Addon
  readonly #options: DatagramOptions
  readonly handle: Handle<'datagram'>
  #closed = false

  constructor(addon: Addon, options: DatagramOptions) {
    const { family, device = '', source, port = 0, mark = 0 } = options
    this.#addon = addon
    this.#options = options
    const where = [device && `on ${device}`, source && `from ${source}`, port && `port ${port}`]
    const what = ['cannot open a UDP socket', ...where.filter(Boolean)].join(' ')
    this.handle = checked(
      this.#addon,
      addon.openDatagram(
        device,
        localOctets(family, source),
        port,
        (arrivals) => this.#arrived(arrivals),
        mark,
      ),
      what,
    )
  }

  get local(): Address {
    const { host, port } = checked(
      this.#addon,
      this.#addon.local(this.handle),
      'cannot tell the local address',
    )
    return { host: formatIp(host), port }
  }

  send(bytes: Uint8Array, to?: Address): void {
    if (this.#closed) return
    if (to === undefined) this.#addon.send(this.handle, bytes)
    else this.#addon.send(this.handle, bytes, octets(to.host), to.port)
  }

  expect(host: string, tunnelId: number): void {
    if (this.#closed) return
    checked(this.#addon, this.#addon.expect(this.handle, octets(host), tunnelId), `cannot expect ${host}`)
  }

  connect(to: Address): void {
    checked(
      this.#addon,
      this.#addon.connect(this.handle, octets(to.host), to.port),
      `cannot connect to ${to.host}`,
    )
  }

  close(): void {
    this.#closed = true
    this.#addon.close(this.handle)
  }

  #arrived(arrivals: readonly Arrival[]): void {
    for (const arrival of arrivals) {
      if (this.#closed) return
      if (arrival.error !== undefined)
        this.#options.onError(this.#addon.errnoName(arrival.error), notice(arrival))
      else this.#options.onMessage({ host: formatIp(arrival.host), port: arrival.number }, arrival.bytes)
    }
  }
}

class NativeIcmpSocket implements IcmpSocket {
  readonly #addon: Addon
  readonly #options: IcmpOptions
  readonly #handle: Handle<'icmp'>
  #closed = false

  constructor(addon: Addon, options: IcmpOptions) {
    const { family, device = '', source, accept, mark = 0, identifier = -1, whole = false } = options
    this.#addon = addon
    this.#options = options
    this.#handle = checked(
      this.#addon,
      addon.openIcmp(
        device,
        localOctets(family, source),
        accept,
        (arrivals) => this.#arrived(arrivals),
        mark,
        identifier,
        whole,
      ),
      `cannot open an ICMP socket on ${device}`,
    )
  }

  send(message: Uint8Array, to: string): void {
    if (!this.#closed) this.#addon.sendIcmp(this.#handle, message, octets(to))
  }

  close(): void {
    this.#closed = true
    this.#addon.close(this.#handle)
  }

  #arrived(arrivals: readonly Arrival[]): void {
    for (const arrival of arrivals) {
      if (this.#closed) return
      if (arrival.error !== undefined) this.#options.onError(this.#addon.errnoName(arrival.error))
      else this.#options.onMessage(formatIp(arrival.host), arrival.bytes, arrival.number)
    }
  }
}

function notice({ host, bytes }: { host?: Uint8Array; bytes?: Uint8Array }): IcmpNotice | undefined {
  return host && bytes && { from: formatIp(host), quote: bytes }
}

/** The local address for a family: the given one, or the unspecified. */
export function localOctets(family: 4 | 6, source: string | undefined): Uint8Array {
  const unspecified = new Uint8Array(family === 4 ? 4 : 16)
  if (source === undefined) return unspecified
  const bytes = octets(source)
  if (bytes.length === unspecified.length) return bytes
  throw new SystemError('EAFNOSUPPORT', `${source} is no address of IPv${family}`)
}

/** Octets of a literal address; throws SystemError EINVAL for anything else. */
export function octets(host: string): Uint8Array {
  const bytes = parseIp(host)
  if (bytes === undefined) throw new SystemError('EINVAL', `${host} is no literal address`)
  return bytes
}
