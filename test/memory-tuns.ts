/** TUN devices in memory, and what carries packets between them and sockets in memory: the one fake of all tests. */
import type { Clock, DatagramSocket, IcmpOptions, IcmpSocket } from '../src/app/ports.ts'
import { SystemError } from '../src/app/ports.ts'
import type {
  DataCounters,
  DataPath,
  DataPaths,
  DataSession,
  DataSessionChange,
  TunDevice,
  Tuns,
} from '../src/app/tuns.ts'
import { ByteWriter, concat, u8 } from '../src/core/bytes.ts'
import type { Address } from '../src/core/endpoint.ts'
import { formatIp, parseIp } from '../src/core/ip/address.ts'
import { internetChecksum } from '../src/core/ip/checksum.ts'
import { decodePacket, encodeData } from '../src/core/l2tp/header.ts'
import { decodeFrame, encodeFrame, protocols } from '../src/core/ppp/protocol.ts'
import { after, millis } from '../src/core/time.ts'

/** A socket from which a data path takes what is its own before anybody else hears of it. */
export interface TappedSocket extends DatagramSocket {
  /** Takes the datagrams for which it gives true. */
  tap: ((from: Address, bytes: Uint8Array) => boolean) | undefined
  /** Hands a datagram to whoever reads the socket, past the tap. */
  handUp(from: Address, bytes: Uint8Array): void
}

/** What else happens to a device in the system of which it is a part; what is thrown refuses it. */
export interface TunHooks {
  opening?(name: string): void
  carrying?(name: string, on: boolean): void
  destroying?(name: string): void
}

/** Data paths take all messages of their session, and hand them on after a while, together, as frames that they head anew. */
export interface Batches {
  readonly clock: Clock
  /** ms */
  readonly span: number
}

export class MemoryTuns implements Tuns, DataPaths {
  readonly devices = new Map<string, MemoryTun>()
  /** Devices that another process carries. */
  readonly busy = new Set<string>()
  readonly #hooks: TunHooks
  readonly #batches: Batches | undefined

  /** Without `batches` packets are carried one by one, at once. */
  constructor(hooks: TunHooks = {}, batches?: Batches) {
    this.#hooks = hooks
    this.#batches = batches
  }

  open(name: string, onGone: () => void = () => {}): TunDevice {
    this.#hooks.opening?.(name)
    if (this.busy.has(name)) throw new SystemError('EBUSY', `${name} is in use`)
    const device: MemoryTun = new MemoryTun(name, this.#hooks, onGone, () => {
      if (this.devices.get(name) === device) this.devices.delete(name)
    })
    this.devices.set(name, device)
    return device
  }

  attach(device: TunDevice, session: DataSession): DataPath {
    if (device instanceof MemoryTun) return device.attach(session, this.#batches)
    throw new TypeError('a data path in memory needs a device in memory')
  }

  openIcmp(options: IcmpOptions): IcmpSocket {
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

export class MemoryTun implements TunDevice {
  readonly name: string
  carrier = false
  closed = false
  /** Every IP packet that came out of the session. */
  onPacket: (packet: Uint8Array) => void = () => {}
  readonly #hooks: TunHooks
  readonly #onGone: () => void
  readonly #onClose: () => void
  readonly #icmp = new Set<IcmpOptions>()
  readonly #rx: Count = { packets: 0, octets: 0, dropped: 0 }
  readonly #tx: Count = { packets: 0, octets: 0, dropped: 0 }
  #path: MemoryPath | undefined

  constructor(name: string, hooks: TunHooks, onGone: () => void, onClose: () => void) {
    this.name = name
    this.#hooks = hooks
    this.#onGone = onGone
    this.#onClose = onClose
  }

  /** What the data path was told last; undefined while nothing is attached. */
  get session(): DataSession | undefined {
    return this.#path?.session
  }

  setCarrier(on: boolean): void {
    this.#hooks.carrying?.(this.name, on)
    this.carrier = on
  }

  attach(session: DataSession, batches: Batches | undefined): DataPath {
    if (this.#path) throw new SystemError('EBUSY', `${this.name} has a data path`)
    const path: MemoryPath = new MemoryPath(this, session, batches, () => {
      if (this.#path === path) this.#path = undefined
    })
    this.#path = path
    return path
  }

  counters(): DataCounters {
    return { rx: this.#rx, tx: this.#tx }
  }

  close(): void {
    this.closed = true
    this.#path?.detach()
    this.#onClose()
  }

  destroy(): void {
    this.#hooks.destroying?.(this.name)
    this.close()
  }

  /** Somebody removes the device. */
  vanish(): void {
    this.#onGone()
  }

  /** The kernel routes an IP packet into the device. */
  inject(packet: Uint8Array): void {
    if (this.#path?.send(packet)) count(this.#tx, packet)
    else this.#tx.dropped++
  }

  openIcmp(options: IcmpOptions): IcmpSocket {
    this.#icmp.add(options)
    return {
      send: (message, to) => this.inject(ipv6Packet(options.source ?? '::', to, message)),
      close: () => this.#icmp.delete(options),
    }
  }

  /** An IP packet comes out of the session; undefined: something came that is none, or none that may. */
  take(packet: Uint8Array | undefined): void {
    if (packet === undefined) {
      this.#rx.dropped++
      return
    }
    count(this.#rx, packet)
    this.onPacket(packet)
    if (isIpv4(packet) || u8(packet, 6) !== ICMPV6) return
    const message = packet.subarray(IPV6_HEADER)
    for (const { accept, onMessage } of [...this.#icmp]) {
      if (accept?.includes(u8(message, 0)) ?? true)
        onMessage(formatIp(packet.subarray(8, 24)), message, u8(packet, 7))
    }
  }
}

/** What was found in a datagram. */
type Finding = 'not of a session' | 'dropped' | { readonly ip: Uint8Array } | { readonly frame: Frame }

interface Frame {
  readonly protocol: number
  readonly information: Uint8Array
}

class MemoryPath implements DataPath {
  session: DataSession
  readonly #device: MemoryTun
  readonly #socket: TappedSocket
  readonly #batches: Batches | undefined
  readonly #onDetach: () => void
  #batch: (() => void)[] = []
  #received = 0
  #attached = true

  constructor(device: MemoryTun, session: DataSession, batches: Batches | undefined, onDetach: () => void) {
    this.session = session
    this.#device = device
    this.#batches = batches
    this.#onDetach = onDetach
    this.#socket = tapped(session.socket)
    if (this.#socket.tap) throw new SystemError('EBUSY', 'the socket has a data path')
    this.#socket.tap = (from, bytes) => this.#arrived(from, bytes)
  }

  get rung(): string {
    return this.#batches === undefined ? 'memory' : 'batches'
  }

  update(change: DataSessionChange): void {
    if (this.#attached) this.session = { ...this.session, ...change }
  }

  received(): number {
    return this.#received
  }

  detach(): void {
    if (!this.#attached) return
    this.#flush()
    this.#attached = false
    this.#socket.tap = undefined
    this.#onDetach()
  }

  /** Whether an IP packet could leave. */
  send(packet: Uint8Array): boolean {
    const { mtu, ipv4, ipv6, peerTunnelId: tunnel, peerSessionId, sequencing } = this.session
    if (!(isIpv4(packet) ? ipv4 : ipv6) || packet.length > mtu) return false
    const header = { tunnel, session: peerSessionId, ...(sequencing ? { ns: 0 } : {}) }
    const protocol = isIpv4(packet) ? protocols.ipv4 : protocols.ipv6
    this.#socket.send(encodeData(header, encodeFrame(protocol, packet)), this.session.peer)
    return true
  }

  #arrived(from: Address, bytes: Uint8Array): boolean {
    const found = this.#find(from, bytes)
    if (found === 'not of a session') return false
    if (found === 'dropped') this.#device.take(undefined)
    else if ('ip' in found) this.#later(() => this.#device.take(found.ip))
    else if (this.#batches === undefined) return false
    else this.#later(() => this.#socket.handUp(from, this.#headed(found.frame, bytes)))
    return true
  }

  /** Takes what the native data path takes. */
  #find(from: Address, bytes: Uint8Array): Finding {
    const { peer, localTunnelId, localSessionId, ipv4, ipv6 } = this.session
    if (((bytes[0] ?? 0) & 0x80) !== 0) return 'not of a session'
    const packet = decodePacket(bytes)
    if (from.host !== peer.host || from.port !== peer.port) return 'dropped'
    if (!packet.ok || packet.value.kind !== 'data') return 'dropped'
    const { tunnel, session, frame } = packet.value
    if (tunnel !== localTunnelId || session !== localSessionId) return 'dropped'
    this.#received++
    const ppp = decodeFrame(frame)
    if (!ppp.ok) return 'dropped'
    const { protocol, information } = ppp.value
    if (protocol !== protocols.ipv4 && protocol !== protocols.ipv6) return { frame: ppp.value }
    const open = protocol === protocols.ipv4 ? ipv4 && isIpv4(information) : ipv6 && isIpv6(information)
    return open ? { ip: information.slice() } : 'dropped'
  }

  /** As a path must that is handed frames alone: numbered where the peer numbers. */
  #headed({ protocol, information }: Frame, message: Uint8Array): Uint8Array {
    const { localTunnelId: tunnel, localSessionId } = this.session
    const numbered = (u8(message, 0) & 0x08) !== 0
    const header = { tunnel, session: localSessionId, ...(numbered ? { ns: 0 } : {}) }
    return encodeData(header, encodeFrame(protocol, information))
  }

  #later(run: () => void): void {
    if (this.#batches === undefined) {
      run()
      return
    }
    const { clock, span } = this.#batches
    if (this.#batch.length === 0) clock.alarm(after(clock.now(), millis(span)), () => this.#flush())
    this.#batch.push(run)
  }

  #flush(): void {
    for (const run of this.#batch.splice(0)) run()
  }
}

/** A socket without a network: the test hears what is sent, and makes things arrive. */
export class MemorySocket implements TappedSocket {
  readonly local = { host: '192.0.2.2', port: 40_000 }
  tap: TappedSocket['tap']
  /** Oldest first. */
  readonly sent: Uint8Array[] = []
  /** What came to whoever reads the socket. */
  readonly heard: Uint8Array[] = []
  #ns = 0

  arrive(from: Address, bytes: Uint8Array): void {
    if (!this.tap?.(from, bytes)) this.handUp(from, bytes)
  }

  handUp(_from: Address, bytes: Uint8Array): void {
    this.heard.push(bytes)
  }

  send(bytes: Uint8Array): void {
    this.#ns = numberMessage(bytes, this.#ns)
    this.sent.push(bytes)
  }

  expect(): void {}
  connect(): void {}
  close(): void {}
}

/**
 * Writes Ns into a message that has one; gives that of the next. RFC 2661 section 3.1: a data message (T 0) with S 1 has it
 * behind the ids, and behind a Length if L is 1.
 */
export function numberMessage(bytes: Uint8Array, ns: number): number {
  const flags = bytes[0] ?? 0
  if ((flags & 0x80) !== 0 || (flags & 0x08) === 0) return ns
  const offset = (flags & 0x40) === 0 ? 6 : 8
  bytes[offset] = ns >>> 8
  bytes[offset + 1] = ns
  return (ns + 1) & 0xffff
}

/** A session of fixed ids with the peer 198.51.100.1. */
export function dataSession(change: Partial<DataSession> = {}): DataSession {
  return {
    socket: new MemorySocket(),
    peer: { host: '198.51.100.1', port: 1701 },
    localTunnelId: 1,
    localSessionId: 2,
    peerTunnelId: 3,
    peerSessionId: 4,
    mtu: 1462,
    sequencing: false,
    ipv4: true,
    ipv6: true,
    ...change,
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

function isIpv4(packet: Uint8Array): boolean {
  return (packet[0] ?? 0) >>> 4 === 4
}

function isIpv6(packet: Uint8Array): boolean {
  return (packet[0] ?? 0) >>> 4 === 6
}

function tapped(socket: DatagramSocket): TappedSocket {
  if ('handUp' in socket) return socket as TappedSocket
  throw new TypeError('a data path in memory needs a socket in memory')
}

function count(counted: Count, packet: Uint8Array): void {
  counted.packets++
  counted.octets += packet.length
}
