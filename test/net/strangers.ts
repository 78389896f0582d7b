/** What strangers send: TCP and UDP packets and pings, octet by octet, faster than any client could. */
import { parseIp } from '../../src/core/ip/address.ts'
import * as address from './addresses.ts'
import { Capture } from './capture.ts'
import type { Namespace } from './namespace.ts'
import { be16, sum16 } from './native/packets.ts'
import type { Process } from './process.ts'
import type { Network } from './topology.ts'

export interface Ends {
  readonly from: string
  readonly to: string
}

const TCP = 6
const UDP = 17

/** Octets of what `tcpSyn` and `udpAbc` make. */
export const SEGMENT = 20
export const DATAGRAM = 12

/** A TCP segment that asks for a connection, without an IP header. */
export function tcpSyn(ends: Ends, fromPort: number, toPort: number): Uint8Array {
  const ports = [...be16(fromPort), ...be16(toPort)]
  const segment = Uint8Array.from([...ports, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0])
  return summed(ends, TCP, segment, 16)
}

/** A UDP datagram with `abc\n`, without an IP header. */
export function udpAbc(ends: Ends, fromPort: number, toPort: number): Uint8Array {
  const payload = [0x61, 0x62, 0x63, 0x0a]
  const datagram = Uint8Array.from([
    ...be16(fromPort),
    ...be16(toPort),
    ...be16(8 + payload.length),
    0,
    0,
    ...payload,
  ])
  return summed(ends, UDP, datagram, 6)
}

/** A ping of 20 octets, without an IP header. */
export function echoRequest(ends: Ends): Uint8Array {
  const v6 = ends.to.includes(':')
  const message = Uint8Array.from([v6 ? 128 : 8, 0, 0, 0, 0x12, 0x34, 0, 1, ...new Array<number>(12).fill(7)])
  if (v6) return summed(ends, 58, message, 2)
  message.set(be16(0xffff - sum16(message)), 2)
  return message
}

/** The whole packet; the header of IPv4 is 20 octets, that of IPv6 40. */
export function inIp(ends: Ends, protocol: number, payload: Uint8Array): Uint8Array {
  const [from, to] = octetsOf(ends)
  if (from.length === 16) {
    return Uint8Array.from([0x60, 0, 0, 0, ...be16(payload.length), protocol, 64, ...from, ...to, ...payload])
  }
  const header = Uint8Array.from([
    ...[0x45, 0, ...be16(20 + payload.length), 0, 0, 0, 0, 64, protocol, 0, 0],
    ...from,
    ...to,
  ])
  header.set(be16(0xffff - sum16(header)), 10)
  return Uint8Array.from([...header, ...payload])
}

function octetsOf({ from, to }: Ends): [Uint8Array, Uint8Array] {
  const [a, b] = [parseIp(from), parseIp(to)]
  if (a === undefined || b === undefined) throw new Error(`no addresses: ${from}, ${to}`)
  return [a, b]
}

/** Fills in the checksum over pseudo-header and payload. */
function summed(ends: Ends, protocol: number, payload: Uint8Array, at: number): Uint8Array {
  const [from, to] = octetsOf(ends)
  const pseudo = sum16(Uint8Array.from([...from, ...to, 0, protocol, ...be16(payload.length)]))
  payload.set(be16(0xffff - sum16(payload, pseudo)), at)
  return payload
}

/** Sends payloads of one size, each in an IP packet of its own, from a namespace until closed. */
export class Sender {
  readonly #socat: Process

  constructor(namespace: Namespace, to: string, protocol: 'tcp' | 'udp') {
    const number = protocol === 'tcp' ? TCP : UDP
    const octets = protocol === 'tcp' ? SEGMENT : DATAGRAM
    const target = to.includes(':') ? `IP6-SENDTO:[${to}]:${number}` : `IP4-SENDTO:${to}:${number}`
    this.#socat = namespace.start('sender', ['socat', '-u', '-b', `${octets}`, '-', target])
  }

  /** Each read of socat takes as many octets as one payload has, so that several may be written at once. */
  send(payloads: readonly Uint8Array[]): void {
    if (!this.#socat.running) throw new Error(`socat has ended: ${this.#socat.output}`)
    this.#socat.write(Buffer.concat(payloads))
  }

  async close(): Promise<void> {
    await this.#socat.stop('SIGTERM')
  }
}

/** A host that has sent a SYN-ACK repeats it for a while. */
let lastPort = 1024

/** Knocks at a TCP port of some addresses from the internet all the time, each time from another port. */
export class Knocking {
  readonly #senders: readonly Sender[]
  readonly #capture: Capture
  readonly #timer: NodeJS.Timeout
  /** The ports that it has knocked from: what somebody else was answered is not counted. */
  readonly #from = new Set<number>()
  #closed = false

  private constructor(
    senders: readonly Sender[],
    capture: Capture,
    targets: readonly string[],
    port: number,
  ) {
    this.#senders = senders
    this.#capture = capture
    this.#timer = setInterval(() => {
      lastPort = lastPort === 65_535 ? 1024 : lastPort + 1
      this.#from.add(lastPort)
      senders.forEach((sender, i) => {
        const to = targets[i] ?? ''
        const ends = { from: to.includes(':') ? address.internet.ipv6 : address.internet.ipv4, to }
        sender.send([tcpSyn(ends, lastPort, port)])
      })
    }, 2)
  }

  static async start(
    { internet, folder }: Pick<Network, 'internet' | 'folder'>,
    targets: readonly string[],
    port: number,
  ): Promise<Knocking> {
    const file = `${folder}/strangers.pcap`
    const capture = await Capture.start(internet.namespace, 'eth0', `tcp src port ${port}`, file)
    const senders = targets.map((to) => new Sender(internet.namespace, to, 'tcp'))
    return new Knocking(senders, capture, targets, port)
  }

  /** When somebody was answered first, in ms since 1970; later answers to the same are repetitions. */
  async leaks(): Promise<number[]> {
    const first = new Map<string, number>()
    for (const line of await this.#capture.lines()) {
      const [, seconds, host, port] = /^(\d+\.\d+) .* > (\S+)\.(\d+): Flags \[S\.\]/.exec(line) ?? []
      const whom = `${host} ${port}`
      if (this.#from.has(Number(port)) && !first.has(whom)) first.set(whom, Number(seconds) * 1000)
    }
    return [...first.values()]
  }

  /** Ends it and returns all leaks. */
  async stop(): Promise<number[]> {
    await this.close()
    return this.leaks()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    await Promise.all([...this.#senders.map((sender) => sender.close()), this.#capture.stop()])
  }
}

/** ms from the first to the last. */
export function span(times: readonly number[]): number {
  return Math.ceil(Math.max(...times) - Math.min(...times))
}
