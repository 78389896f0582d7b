import { u16 } from '../../core/bytes.ts'
import type { ProbeTarget } from '../../core/config/types.ts'
import type { Entropy } from '../../core/crypto.ts'
import { dnsAnswerId, encodeDnsProbe } from '../../core/failover/probe-messages.ts'
import type { Probe } from '../../core/failover/probing.ts'
import { ipFamily } from '../../core/ip/address.ts'
import { decodeEcho, encodeEcho, ICMP_ECHO_REPLY, ICMP6_ECHO_REPLY } from '../../core/ip/icmp.ts'
import {
  type Cancel,
  type DatagramSocket,
  type Datagrams,
  type IcmpSocket,
  SystemError,
  type TcpProbes,
} from '../ports.ts'
import type { SocketErrors } from '../socket-errors.ts'

/** What probes are sent with, and who hears which of their sockets' calls the system refused. */
export interface ProberPorts {
  readonly datagrams: Datagrams
  readonly tcpProbes: TcpProbes
  readonly entropy: Entropy
  readonly errors: SocketErrors
}

/** How probes leave: bound to a device, or steered by a mark so that their answers may come from anywhere. */
export type Way =
  /** Another `index` is another device of that name: sockets that were bound before lead nowhere. */
  | { readonly device: string; readonly index: number | undefined; readonly sources: Sources }
  | { readonly mark: number; readonly sources: Sources }

/** The local address of each family; a family without one cannot be probed. */
export type Sources = Readonly<Partial<Record<4 | 6, string>>>

/** TCP probes that may be under way at once; an older one is given up for a newer. */
const MAX_CONNECTIONS = 16
/** Octets of an echo: enough for a time stamp of any router that looks for one. */
const ECHO_DATA = new Uint8Array(16)

/** Sends the probes of one path by one way and tells which were answered. Sockets are opened when they are needed. */
export class Prober {
  readonly #ports: ProberPorts
  readonly #way: Way
  readonly #onAnswer: (id: number) => void
  readonly #identifier: number
  readonly #icmp = new Map<4 | 6, IcmpSocket>()
  readonly #dns = new Map<4 | 6, DatagramSocket>()
  readonly #connections: Cancel[] = []
  #closed = false

  constructor(way: Way, ports: ProberPorts, onAnswer: (id: number) => void) {
    this.#ports = ports
    this.#way = way
    this.#onAnswer = onAnswer
    this.#identifier = u16(ports.entropy(2), 0)
  }

  /** Whether a target can be probed at all: a family without an address has no way out. */
  reaches(target: ProbeTarget): boolean {
    const family = ipFamily(target.address)
    return family !== undefined && this.#way.sources[family] !== undefined
  }

  /** What cannot be sent is a probe that stays unanswered. */
  send({ id, target }: Probe): void {
    const family = ipFamily(target.address)
    if (this.#closed || family === undefined) return
    try {
      switch (target.kind) {
        case 'icmp':
          this.#ping(family, id, target.address)
          break
        case 'dns':
          this.#ask(family, id, target)
          break
        case 'tcp':
          this.#connect(family, id, target)
          break
      }
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      this.#failed(error.code, target.address)
    }
  }

  close(): void {
    this.#closed = true
    for (const socket of [...this.#icmp.values(), ...this.#dns.values()]) socket.close()
    for (const cancel of this.#connections) cancel()
  }

  #ping(family: 4 | 6, id: number, to: string): void {
    const socket = this.#icmp.get(family) ?? this.#openIcmp(family)
    const echo = {
      kind: 'echoRequest',
      identifier: this.#identifier,
      sequence: id & 0xffff,
      data: ECHO_DATA,
    } as const
    socket.send(encodeEcho(family, echo), to)
  }

  #openIcmp(family: 4 | 6): IcmpSocket {
    const socket = this.#ports.datagrams.openIcmp({
      family,
      ...this.#binding(family),
      identifier: this.#identifier,
      accept: [family === 4 ? ICMP_ECHO_REPLY : ICMP6_ECHO_REPLY],
      onMessage: (_from, message) => {
        const echo = decodeEcho(family, message)
        if (echo.ok && echo.value.kind === 'echoReply' && echo.value.identifier === this.#identifier) {
          this.#onAnswer(echo.value.sequence)
        }
      },
      onError: (code) => this.#failed(code),
    })
    this.#icmp.set(family, socket)
    return socket
  }

  #ask(family: 4 | 6, id: number, { address, port }: Extract<ProbeTarget, { kind: 'dns' }>): void {
    const socket = this.#dns.get(family) ?? this.#openDns(family)
    socket.send(encodeDnsProbe(id & 0xffff), { host: address, port })
  }

  #openDns(family: 4 | 6): DatagramSocket {
    const socket = this.#ports.datagrams.open({
      family,
      ...this.#binding(family),
      onMessage: (_from, bytes) => {
        const id = dnsAnswerId(bytes)
        if (id !== undefined) this.#onAnswer(id)
      },
      onError: (code) => this.#failed(code),
    })
    this.#dns.set(family, socket)
    return socket
  }

  #connect(family: 4 | 6, id: number, { address, port }: Extract<ProbeTarget, { kind: 'tcp' }>): void {
    if (this.#connections.length >= MAX_CONNECTIONS) this.#connections.shift()?.()
    const cancel = this.#ports.tcpProbes.connect({
      to: { host: address, port },
      ...this.#binding(family),
      onOutcome: (outcome) => {
        const index = this.#connections.indexOf(cancel)
        if (index >= 0) this.#connections.splice(index, 1)
        if (outcome === 'connected' || outcome === 'ECONNREFUSED') this.#onAnswer(id & 0xffff)
        // One that nobody answers is a probe like any other.
        else if (outcome !== 'ETIMEDOUT') this.#failed(outcome, address)
      },
    })
    this.#connections.push(cancel)
  }

  #failed(code: string, target?: string): void {
    const way = 'device' in this.#way ? { device: this.#way.device } : {}
    this.#ports.errors.tell('probes', code, { ...way, ...(target !== undefined && { target }) })
  }

  #binding(family: 4 | 6): { device?: string; mark?: number; source?: string } {
    const source = this.#way.sources[family]
    return {
      ...('device' in this.#way ? { device: this.#way.device } : { mark: this.#way.mark }),
      ...(source === undefined ? {} : { source }),
    }
  }
}
