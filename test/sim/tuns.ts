/** TUN devices of the simulation, with a data path between them and the sockets of a machine. */
import type { IcmpOptions, IcmpSocket } from '../../src/app/ports.ts'
import { SystemError } from '../../src/app/ports.ts'
import type { DataCounters, DataPath, DataPaths, DataSession, TunDevice, Tuns } from '../../src/app/tuns.ts'
import { ByteWriter, concat, u8 } from '../../src/core/bytes.ts'
import type { Address } from '../../src/core/endpoint.ts'
import { formatIp, parseIp } from '../../src/core/ip/address.ts'
import { internetChecksum } from '../../src/core/ip/checksum.ts'
import { decodePacket, encodeData } from '../../src/core/l2tp/header.ts'
import { decodeFrame, encodeFrame, protocols } from '../../src/core/ppp/protocol.ts'
import { type Machine, SimSocket } from './machine.ts'

export class SimTuns implements Tuns, DataPaths {
  readonly devices = new Map<string, SimTun>()
  /** Devices that another process carries. */
  readonly busy = new Set<string>()

  constructor(machine: Machine) {
    machine.icmp = (options) => this.#openIcmp(options)
  }

  open(name: string, onGone: () => void = () => {}): TunDevice {
    if (this.busy.has(name)) throw new SystemError('EBUSY', `${name} is in use`)
    const device = new SimTun(name, onGone, () => this.devices.delete(name))
    this.devices.set(name, device)
    return device
  }

  attach(device: TunDevice, session: DataSession): DataPath {
    if (device instanceof SimTun) return device.attach(session)
    throw new TypeError('a simulated data path needs a simulated device')
  }

  #openIcmp(options: IcmpOptions): IcmpSocket {
    const device = this.devices.get(options.device ?? '')
    if (!device) throw new SystemError('ENODEV', `no device ${options.device}`)
    return device.openIcmp(options)
  }
}

interface Count {
  packets: number
  octets: number
  dropped: number
}

const IPV6_HEADER = 40
const ICMPV6 = 58

export class SimTun implements TunDevice {
  readonly name: string
  carrier = false
  /** Every IP packet that came out of the session. */
  onPacket: (packet: Uint8Array) => void = () => {}
  readonly #onGone: () => void
  readonly #onClose: () => void
  readonly #icmp = new Set<IcmpOptions>()
  #session: DataSession | undefined
  #path: DataPath | undefined
  readonly #rx: Count = { packets: 0, octets: 0, dropped: 0 }
  readonly #tx: Count = { packets: 0, octets: 0, dropped: 0 }
  #received = 0

  constructor(name: string, onGone: () => void, onClose: () => void) {
    this.name = name
    this.#onGone = onGone
    this.#onClose = onClose
  }

  /** What the data path was told last; undefined while nothing is attached. */
  get session(): DataSession | undefined {
    return this.#session
  }

  setCarrier(on: boolean): void {
    this.carrier = on
  }

  attach(session: DataSession): DataPath {
    if (this.#path) throw new SystemError('EBUSY', `${this.name} has a data path`)
    this.#session = session
    this.#received = 0
    socketOf(session).tap = (from, bytes) => this.#arrived(from, bytes)
    const path: DataPath = {
      rung: 'simulated',
      update: (change) => {
        if (this.#path === path && this.#session) this.#session = { ...this.#session, ...change }
      },
      received: () => this.#received,
      detach: () => {
        if (this.#path === path) this.#detach()
      },
    }
    this.#path = path
    return path
  }

  #detach(): void {
    if (this.#session) socketOf(this.#session).tap = undefined
    this.#session = undefined
    this.#path = undefined
  }

  counters(): DataCounters {
    return { rx: this.#rx, tx: this.#tx }
  }

  close(): void {
    this.#detach()
    this.#onClose()
  }

  destroy(): void {
    this.close()
  }

  /** Somebody removes the device. */
  vanish(): void {
    this.#onGone()
  }

  /** The kernel routes an IP packet into the device. */
  inject(packet: Uint8Array): void {
    const session = this.#session
    const isIpv6 = u8(packet, 0) >>> 4 === 6
    if (!session || !(isIpv6 ? session.ipv6 : session.ipv4) || packet.length > session.mtu) {
      this.#tx.dropped++
      return
    }
    count(this.#tx, packet)
    const { peerTunnelId: tunnel, peerSessionId, sequencing, socket } = session
    const header = { tunnel, session: peerSessionId, ...(sequencing ? { ns: 0 } : {}) }
    socket.send(encodeData(header, encodeFrame(isIpv6 ? protocols.ipv6 : protocols.ipv4, packet)))
  }

  openIcmp(options: IcmpOptions): IcmpSocket {
    this.#icmp.add(options)
    return {
      send: (message, to) => this.inject(ipv6Packet(options.source ?? '::', to, message)),
      close: () => this.#icmp.delete(options),
    }
  }

  /** Takes what the native data path would take: IP packets of this session, and nothing else. */
  #arrived(from: Address, bytes: Uint8Array): boolean {
    const session = this.#session
    if (!session || from.host !== session.peer.host || from.port !== session.peer.port) return false
    const packet = decodePacket(bytes)
    if (!packet.ok || packet.value.kind !== 'data') return false
    const { tunnel, session: id, frame } = packet.value
    if (tunnel !== session.localTunnelId || id !== session.localSessionId) return false
    this.#received++
    const ppp = decodeFrame(frame)
    if (!ppp.ok) return false
    const { protocol, information } = ppp.value
    if (protocol !== protocols.ipv4 && protocol !== protocols.ipv6) return false
    if (protocol === protocols.ipv4 ? session.ipv4 : session.ipv6) this.#take(information.slice())
    else this.#rx.dropped++
    return true
  }

  #take(packet: Uint8Array): void {
    count(this.#rx, packet)
    this.onPacket(packet)
    if (u8(packet, 0) >>> 4 !== 6 || u8(packet, 6) !== ICMPV6) return
    const message = packet.subarray(IPV6_HEADER)
    for (const { accept, onMessage } of [...this.#icmp]) {
      if (accept?.includes(u8(message, 0)) ?? true)
        onMessage(formatIp(packet.subarray(8, 24)), message, u8(packet, 7))
    }
  }
}

/** An ICMPv6 message in an IPv6 packet, as a kernel makes it: hop limit 255, checksum filled in (RFC 4443 section 2.3). */
export function ipv6Packet(from: string, to: string, message: Uint8Array): Uint8Array {
  const addresses = concat(parseIp(from) ?? new Uint8Array(16), parseIp(to) ?? new Uint8Array(16))
  const body = new ByteWriter(message.length).bytes(message).patchU16(2, 0)
  const pseudoHeader = new ByteWriter(40).bytes(addresses).u32(message.length).u32(ICMPV6).finish()
  body.patchU16(2, internetChecksum(concat(pseudoHeader, body.finish())))
  return new ByteWriter(IPV6_HEADER + message.length)
    .u32(0x6000_0000)
    .u16(message.length)
    .u8(ICMPV6)
    .u8(255)
    .bytes(addresses)
    .bytes(body.finish())
    .finish()
}

function socketOf({ socket }: DataSession): SimSocket {
  if (socket instanceof SimSocket) return socket
  throw new TypeError('a simulated data path needs a simulated socket')
}

function count(counted: Count, packet: Uint8Array): void {
  counted.packets++
  counted.octets += packet.length
}
