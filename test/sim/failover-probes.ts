/** The echoes of probes over lines and tunnels: who sends one when, and whether its answer finds a way back. */
import type { DatagramSocket, Datagrams, IcmpOptions, IcmpSocket, TcpProbes } from '../../src/app/ports.ts'
import { SystemError } from '../../src/app/ports.ts'
import { targetKey } from '../../src/core/failover/probing.ts'
import type { Family } from '../../src/core/ip/address.ts'
import { decodeEcho, encodeEcho } from '../../src/core/ip/icmp.ts'
import type { Timeline } from './timeline.ts'

/** By which path an echo leaves: bound to its device, or by a mark, so that its answer may come in anywhere. */
export interface ProbeWay {
  readonly path: string
  readonly marked: boolean
}

/** What lies between the router and the targets. */
export interface Internet {
  /** The path of a device, or of a mark; undefined: nothing leaves so. */
  wayOf(device: string | undefined, mark: number | undefined): ProbeWay | undefined
  /** ms until the answer to an echo that is sent now is back; undefined: it is lost. */
  roundTrip(way: ProbeWay, family: Family): number | undefined
  /** The path by which an answer comes in now, if its socket takes it from there. */
  returnsBy(way: ProbeWay, family: Family): string | undefined
  /** Keys of targets that do not answer, by any path. */
  readonly mute: ReadonlySet<string>
}

const TTL = 60

/** Raw ICMP sockets in virtual time. */
export class SimProbes implements Datagrams, TcpProbes {
  /** Keys of the targets whose answer has reached an open socket. */
  readonly heard = new Set<string>()
  /** Packets that came in by a path as answers. */
  readonly received = new Map<string, number>()
  readonly #time: Timeline
  readonly #internet: Internet

  constructor(time: Timeline, internet: Internet) {
    this.#time = time
    this.#internet = internet
  }

  openIcmp(options: IcmpOptions): IcmpSocket {
    const { family, device, mark } = options
    const way = this.#internet.wayOf(device, mark)
    if (!way) throw new SystemError('ENODEV', `no device ${device}`)
    let open = true
    return {
      send: (message, to) => {
        const request = decodeEcho(family, message)
        const key = targetKey({ kind: 'icmp', address: to })
        if (!request.ok || this.#internet.mute.has(key)) return
        const span = this.#internet.roundTrip(way, family)
        if (span === undefined) return
        this.#time.after(span, () => {
          const path = open ? this.#internet.returnsBy(way, family) : undefined
          if (path === undefined) return
          this.heard.add(key)
          this.received.set(path, (this.received.get(path) ?? 0) + 1)
          options.onMessage(to, encodeEcho(family, { ...request.value, kind: 'echoReply' }), TTL)
        })
      },
      close: () => {
        open = false
      },
    }
  }

  open(): DatagramSocket {
    throw new Error('no target of the story is asked for names')
  }

  connect(): never {
    throw new Error('no target of the story is connected to')
  }
}
