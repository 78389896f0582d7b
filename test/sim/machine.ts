/** A machine of the simulation: its network devices, and the UDP sockets bound to them. */
import type {
  Cancel,
  DatagramOptions,
  DatagramSocket,
  Datagrams,
  IcmpNotice,
  IcmpOptions,
  IcmpSocket,
} from '../../src/app/ports.ts'
import { SystemError } from '../../src/app/ports.ts'
import type { Address } from '../../src/core/endpoint.ts'
import { ipFamily } from '../../src/core/ip/address.ts'
import type { Facts, Link, LinkAddress } from '../../src/core/system/facts.ts'
import { NO_FACTS } from '../../src/core/system/facts.ts'
import { numberMessage, type TappedSocket } from '../memory-tuns.ts'
import type { Network } from './network.ts'

interface Device {
  readonly name: string
  index: number
  up: boolean
  readonly mtu: number
  addresses: readonly string[]
}

/** Where the kernel begins to look for a free port. */
const FIRST_PORT = 32_768

/**
 * Behaves as Linux does where a client can tell: a socket sticks to the ifindex of its device and, once connected, to
 * its source address; what cannot leave is told through `onError`, later.
 */
export class Machine implements Datagrams {
  readonly network: Network
  /** Hosts that answer every datagram with an ICMP "port unreachable". */
  readonly refusing = new Set<string>()
  /** Hosts to which a firewall of this machine lets nothing out. */
  readonly forbidden = new Set<string>()
  /** Carries ICMP for the devices inside; a TUN host of the simulation sets it. */
  icmp: ((options: IcmpOptions) => IcmpSocket) | undefined
  /** Tells of every change of a device or an address. */
  onChange: () => void = () => {}
  readonly #devices = new Map<string, Device>()
  readonly #detach = new Map<string, Cancel>()
  readonly #sockets = new Set<SimSocket>()
  #nextIndex = 2
  #nextPort = FIRST_PORT

  constructor(network: Network) {
    this.network = network
  }

  /** An ICMP message arrives for all sockets, as a sweep over their ports makes it. */
  notice(code: string, notice: IcmpNotice): void {
    for (const socket of [...this.#sockets]) socket.noticed(code, notice)
  }

  /** What each open socket expects. */
  get expected(): readonly SimSocket['expected'][] {
    return [...this.#sockets].map(({ expected }) => expected)
  }

  /** Sockets that are open now. */
  get openSockets(): number {
    return this.#sockets.size
  }

  /** Local ports in use, in the order of opening. */
  get ports(): number[] {
    return [...this.#sockets].map(({ local }) => local.port)
  }

  /** A device appears, up and with these addresses. One of that name that was there before is another: new ifindex. */
  add(name: string, addresses: readonly string[], mtu = 1500): void {
    this.#devices.set(name, { name, index: this.#nextIndex++, up: true, mtu, addresses })
    this.#changed()
  }

  remove(name: string): void {
    this.#devices.delete(name)
    this.#changed()
  }

  /** A device is gone; what has arrived by it is still read, and nobody is told until `remove`. */
  vanish(name: string): void {
    this.#devices.delete(name)
  }

  /** The same device gets other addresses. */
  readdress(name: string, addresses: readonly string[]): void {
    const device = this.#devices.get(name)
    if (device) device.addresses = addresses
    this.#changed()
  }

  /** Plugs or unplugs its cable. */
  setUp(name: string, up: boolean): void {
    const device = this.#devices.get(name)
    if (device) device.up = up
    this.#changed()
  }

  get facts(): Facts {
    const devices = [...this.#devices.values()]
    return { ...NO_FACTS, links: devices.map(linkOf), addresses: devices.flatMap(addressesOf) }
  }

  device(index: number | undefined): Device | undefined {
    return [...this.#devices.values()].find((device) => index === undefined || device.index === index)
  }

  open(options: DatagramOptions): DatagramSocket {
    const { device: name, source, port = 0 } = options
    const device = name === undefined ? undefined : this.#devices.get(name)
    if (name !== undefined && !device) throw new SystemError('ENODEV', `no device ${name}`)
    if (source !== undefined && ![...this.#devices.values()].some((each) => each.addresses.includes(source)))
      throw new SystemError('EADDRNOTAVAIL', `no address ${source}`)
    if (port !== 0 && [...this.#sockets].some((each) => each.clashes(options.family, port, device?.index)))
      throw new SystemError('EADDRINUSE', `port ${port} is in use`)
    const socket = new SimSocket(this, options, device?.index, port || this.#freshPort(), () =>
      this.#sockets.delete(socket),
    )
    this.#sockets.add(socket)
    return socket
  }

  openIcmp(options: IcmpOptions): IcmpSocket {
    if (!this.icmp) throw new SystemError('ENODEV', `no device ${options.device}`)
    return this.icmp(options)
  }

  #freshPort(): number {
    const port = this.#nextPort++
    if (this.#nextPort > 60_000) this.#nextPort = FIRST_PORT
    return this.ports.includes(port) ? this.#freshPort() : port
  }

  #changed(): void {
    for (const detach of this.#detach.values()) detach()
    this.#detach.clear()
    for (const device of this.#devices.values()) {
      if (!device.up) continue
      for (const host of device.addresses) {
        const receive = (from: Address, to: Address, bytes: Uint8Array) =>
          this.#receive(device.index, from, to, bytes)
        this.#detach.set(host, this.network.attach(host, receive))
      }
    }
    this.onChange()
  }

  #receive(index: number, from: Address, to: Address, bytes: Uint8Array): void {
    for (const socket of this.#sockets) {
      if (socket.wants(index, from, to)) {
        socket.arrived(from, bytes)
        return
      }
    }
  }
}

export class SimSocket implements TappedSocket {
  tap: TappedSocket['tap']
  readonly #machine: Machine
  readonly #options: DatagramOptions
  readonly #index: number | undefined
  readonly #port: number
  readonly #onClose: () => void
  #source: string | undefined
  #peer: Address | undefined
  #closed = false
  #ns = 0

  /** Whose messages alone are let through. */
  expected: { readonly host: string; readonly tunnelId: number } | undefined

  constructor(
    machine: Machine,
    options: DatagramOptions,
    index: number | undefined,
    port: number,
    onClose: () => void,
  ) {
    this.#machine = machine
    this.#options = options
    this.#index = index
    this.#port = port
    this.#onClose = onClose
    this.#source = options.source
  }

  get local(): Address {
    return {
      host: this.#source ?? (this.#options.family === 4 ? '0.0.0.0' : '::'),
      port: this.#port,
    }
  }

  send(bytes: Uint8Array, to = this.#peer): void {
    if (this.#closed || !to) return
    const device = this.#machine.device(this.#index)
    const host = this.#source ?? this.#sourceOn(device)
    if (!device) this.#fail('ENODEV')
    else if (!device.up || host === undefined) this.#fail('ENETUNREACH')
    else if (this.#machine.forbidden.has(to.host)) this.#fail('EPERM')
    else if (this.#machine.refusing.has(to.host)) {
      const { delay } = this.#machine.network.pathBetween(host, to.host)
      this.#fail('ECONNREFUSED', 2 * delay)
    } else if (device.addresses.includes(host)) {
      this.#ns = numberMessage(bytes, this.#ns)
      this.#machine.network.send({ host, port: this.#port }, to, bytes)
    }
  }

  expect(host: string, tunnelId: number): void {
    this.expected = { host, tunnelId }
  }

  /** As the addon does. */
  #isWanted(from: Address, bytes: Uint8Array): boolean {
    if (this.expected === undefined) return true
    const at = (bytes[0] ?? 0) & 0x40 ? 4 : 2
    const tunnelId = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    const control = ((bytes[0] ?? 0) & 0x80) !== 0
    const { host, tunnelId: ours } = this.expected
    return from.host === host && (tunnelId === ours || (tunnelId === 0 && control))
  }

  connect(to: Address): void {
    if (!this.#machine.device(this.#index)) throw new SystemError('ENODEV', `cannot connect to ${to.host}`)
    this.#source ??= this.#sourceOn(this.#machine.device(this.#index))
    if (this.#source === undefined) throw new SystemError('ENETUNREACH', `cannot connect to ${to.host}`)
    this.#peer = to
  }

  close(): void {
    this.#closed = true
    this.#onClose()
  }

  /** Sockets that are bound to different devices may have the same port. */
  clashes(family: 4 | 6, port: number, index: number | undefined): boolean {
    return this.#options.family === family && this.#port === port && this.#index === index
  }

  wants(index: number, from: Address, to: Address): boolean {
    if (to.port !== this.#port || ipFamily(to.host) !== this.#options.family) return false
    if (this.#index !== undefined && this.#index !== index) return false
    if (this.#source !== undefined && this.#source !== to.host) return false
    return this.#peer === undefined || (this.#peer.host === from.host && this.#peer.port === from.port)
  }

  arrived(from: Address, bytes: Uint8Array): void {
    if (this.#isWanted(from, bytes) && !this.tap?.(from, bytes)) this.handUp(from, bytes)
  }

  handUp(from: Address, bytes: Uint8Array): void {
    if (!this.#closed) this.#options.onMessage(from, bytes)
  }

  #sourceOn(device: Device | undefined): string | undefined {
    return device?.addresses.find((address) => ipFamily(address) === this.#options.family)
  }

  #fail(code: string, after = 0): void {
    const { network } = this.#machine
    network.schedule(network.now + after, () => {
      if (!this.#closed) this.#options.onError(code)
    })
  }

  /** An ICMP message arrives, from whomever. */
  noticed(code: string, notice: IcmpNotice): void {
    if (!this.#closed) this.#options.onError(code, notice)
  }
}

function linkOf({ name, index, up, mtu }: Device): Link {
  return {
    index,
    name,
    up: true,
    carrier: up,
    loopback: false,
    noArp: true,
    mtu,
    kind: undefined,
    alias: undefined,
  }
}

function addressesOf({ index, addresses }: Device): LinkAddress[] {
  return addresses.map((address): LinkAddress => {
    const family = ipFamily(address) ?? 4
    return {
      family,
      link: index,
      address,
      length: family === 4 ? 24 : 64,
      peer: undefined,
      scope: 'global',
      deprecated: false,
      tentative: false,
      noPrefixRoute: false,
    }
  })
}
