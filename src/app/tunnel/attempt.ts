import { encodeUtf8 } from '../../core/bytes.ts'
import { ClientEndpoint, type Remembered } from '../../core/client/endpoint.ts'
import { packetWords } from '../../core/client/packet-words.ts'
import { quotesRequest } from '../../core/client/quote.ts'
import type { Attempt } from '../../core/client/race.ts'
import type { ClientCommand, ClientEvent } from '../../core/client/types.ts'
import type { TunnelConfig } from '../../core/config/types.ts'
import type { Digests, Entropy } from '../../core/crypto.ts'
import type { Address } from '../../core/endpoint.ts'
import type { Failure } from '../../core/failure.ts'
import { canonicalIp, ipFamily } from '../../core/ip/address.ts'
import { innerMtu, overheadOf } from '../../core/ip/encapsulation.ts'
import type { UsableUplink } from '../../core/system/uplinks.ts'
import type { Millis } from '../../core/time.ts'
import { Driver } from '../driver.ts'
import type { Cancel, Clock, DatagramSocket, Datagrams, IcmpNotice, Log } from '../ports.ts'
import { SystemError } from '../ports.ts'
import type { SocketErrors } from '../socket-errors.ts'
import { type Gate, openGates, type ShutGate } from './gate.ts'
import { isForbidden } from './system-failure.ts'

/** A usable uplink as a supervisor needs it. */
export interface Carrier {
  readonly name: string
  /** Changes when sockets bound before are of no more use. */
  readonly id: string
  readonly uplink: UsableUplink
  /** A firewall section covers it: a port of ours is reached by its LNS alone. */
  readonly guarded: boolean
  /** Literal addresses, best first. */
  resolvers(): readonly string[]
}

/** Another link or other families make another carrier. */
export function carrierOf(
  uplink: UsableUplink,
  guarded: boolean,
  resolvers: () => readonly string[],
): Carrier {
  const families = uplink.ways.map(({ family }) => family).join('')
  return {
    name: uplink.name,
    id: `${uplink.name}#${uplink.link.index}/${families}`,
    uplink,
    guarded,
    resolvers,
  }
}

/** What a dial is made with. */
export interface AttemptPorts {
  readonly clock: Clock
  readonly datagrams: Datagrams
  readonly digests: Digests
  readonly entropy: Entropy
  readonly log: Log
  readonly errors: SocketErrors
  /** What every dial waits for, in this order. */
  readonly gates: readonly Gate[]
}

/** Which LNS an attempt dials over which uplink, as whom, and who is told how it fares. */
export interface AttemptOptions {
  readonly attempt: Attempt
  readonly carrier: Carrier
  readonly tunnel: TunnelConfig
  readonly hostName: string
  readonly remembered: Remembered
  /** Why an IPv4 address is not to be ours, as a predicate. */
  unfit(address: string): string | undefined
  onEvent(event: ClientEvent): void
  /** Its socket is closed. */
  onGone(): void
}

/** One attempt to have a session with one address: a socket of its own and the endpoint that speaks through it. */
export class AttemptRunner {
  readonly attempt: Attempt
  readonly carrier: Carrier
  /** What we tell the peer to be our largest packet, in octets. */
  readonly mtu: number
  readonly socket: DatagramSocket
  readonly #endpoint: ClientEndpoint
  readonly #driver: Driver<ClientCommand, ClientEvent>
  readonly #options: AttemptOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #errors: SocketErrors
  #refused: Failure | undefined
  #answered = false
  #heardAt: Millis | undefined
  #finished = false
  /** The tunnel id with which messages to us are expected, once something was sent. */
  #expected: number | undefined
  /** What was sent before the LNS has answered. */
  #request: Uint8Array | undefined
  /** What is to be sent once all gates are open; undefined: at once. */
  #unsent: (() => void)[] | undefined
  #release: Cancel | undefined
  #lingering: Cancel | undefined

  /** Throws SystemError if no socket can be had on this uplink. */
  constructor(options: AttemptOptions, ports: AttemptPorts) {
    const { clock, datagrams, digests, entropy, log, gates } = ports
    const { attempt, carrier, tunnel } = options
    const family = ipFamily(attempt.address) ?? 4
    const { device, source, link } = carrier.uplink
    this.attempt = attempt
    this.carrier = carrier
    this.mtu = innerMtu(tunnel, link.mtu, overheadOf(family, 'l2tp'))
    this.#options = options
    this.#clock = clock
    this.#log = log
    this.#errors = ports.errors
    this.socket = datagrams.open({
      family,
      device,
      port: tunnel.localPort,
      ...(source !== undefined && ipFamily(source) === family ? { source } : {}),
      onMessage: (from, bytes) => {
        log.debug('received', { from: from.host, packet: () => packetWords(bytes) })
        if (this.#answered) this.#heardAt = clock.now()
        this.#driver.receive(from, bytes)
      },
      onError: (code, notice) => this.#onError(code, notice),
    })
    const peer = { host: attempt.address, port: attempt.server.port }
    this.#endpoint = new ClientEndpoint({
      l2tp: {
        peer,
        hostName: options.hostName,
        helloInterval: tunnel.helloInterval,
        ...(tunnel.tunnelSecret ? { secret: encodeUtf8(tunnel.tunnelSecret.reveal()) } : {}),
        digests,
        entropy,
      },
      ppp: {
        mru: this.mtu,
        auth: tunnel.auth,
        ipv6: tunnel.ipv6,
        echoInterval: tunnel.echoInterval,
        echoFailures: tunnel.echoFailures,
        username: tunnel.username,
        password: tunnel.password,
        wantDns: true,
        unfit: options.unfit,
        digests,
        entropy,
      },
      remembered: options.remembered,
      server: attempt.address,
    })
    this.#driver = new Driver(
      this.#endpoint,
      clock,
      (bytes, to) => this.#send(bytes, to),
      (event) => this.#onEvent(event),
    )
    if (gates.length > 0) {
      this.#unsent = []
      void this.#pass(gates)
    }
  }

  /** When the LNS was last heard; undefined before it has answered. */
  get heardAt(): Millis | undefined {
    return this.#heardAt
  }

  command(command: ClientCommand): void {
    this.#driver.command(command)
  }

  /** Whether what is sent still leaves by the uplink as it is now, from an address that it still has. */
  leads(uplink: UsableUplink): boolean {
    const { host } = this.socket.local
    const { addresses, source } = uplink
    return !this.#answered || host === source || addresses.includes(host)
  }

  /** Ends without a word to the peer, for a socket that leads nowhere any more. */
  destroy(): void {
    if (this.#finished) return
    this.#finished = true
    this.#driver.stop()
    this.#lingering?.()
    this.socket.close()
    this.#release?.()
    this.#options.onGone()
  }

  #send(bytes: Uint8Array, to: Address): void {
    if (this.#unsent) {
      this.#unsent.push(() => this.#send(bytes, to))
      return
    }
    this.#expect(bytes)
    this.#log.debug('sent', { to: to.host, packet: () => packetWords(bytes) })
    this.socket.send(bytes, this.#answered ? undefined : to)
  }

  /** Nobody else reaches us, and before the LNS has answered all that is sent is one SCCRQ. */
  #expect(bytes: Uint8Array): void {
    if (!this.#answered) this.#request = bytes
    const { localTunnel } = this.#endpoint
    if (this.#expected === localTunnel) return
    this.#expected = localTunnel
    this.socket.expect(this.attempt.address, localTunnel)
  }

  /** Nothing leaves before all gates are open. */
  async #pass(gates: readonly Gate[]): Promise<void> {
    const { guarded, uplink } = this.carrier
    const { port: localPort } = this.socket.local
    const dial = { device: uplink.device, localPort, server: this.attempt.address, guarded }
    const opened = await openGates(gates, dial, this.#clock, (late) => this.#shutOut(late))
    if (!opened.ok) return this.#shutOut(opened.error)
    if (this.#finished) return opened.value()
    this.#release = opened.value
    const unsent = this.#unsent ?? []
    this.#unsent = undefined
    for (const send of unsent) send()
  }

  #shutOut({ gate, failure }: ShutGate): void {
    this.#log.debug('a dial does not begin', { gate })
    this.#refused ??= failure
    this.command({ type: 'close' })
  }

  #onEvent(event: ClientEvent): void {
    // RFC 2661 section 8.1: the LNS may answer from another port; only then is it known where to connect to.
    if (event.type === 'answered') {
      this.#connect(event.peer.address)
      this.#heardAt = this.#clock.now()
    }
    if (event.type === 'ended' && this.#refused && !this.#answered) {
      this.#options.onEvent({ ...event, failure: this.#refused })
    } else this.#options.onEvent(event)
    // A dial that was given up before its gates were open must not begin any more.
    if (event.type === 'ended') this.#unsent = this.#unsent && []
    if (event.type === 'finished') this.#windDown()
  }

  /** The uplink may have gone while its answer waited to be read. */
  #connect(peer: Address): void {
    try {
      this.socket.connect(peer)
      this.#answered = true
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      this.#onError(error.code)
    }
  }

  /** RFC 2661 section 5.7: a peer that is there has its repetitions acknowledged for a while. */
  #windDown(): void {
    const until = this.#driver.deadline
    if (until === undefined) this.destroy()
    else this.#lingering = this.#clock.alarm(until, () => this.destroy())
  }

  /** The network says that it is of no use: while dialling that is an answer, later the echoes decide. */
  #onError(code: string, notice?: IcmpNotice): void {
    if (notice && !this.#concerns(code, notice)) return
    this.#errors.tell('L2TP', code, { server: this.attempt.address, uplink: this.carrier.name })
    const { host } = this.attempt.server
    if (this.#answered || this.#finished) return
    if (code === 'ECONNREFUSED') this.#refused = { code: 'port_closed', server: host }
    else if (!notice && isForbidden(code)) this.#refused = { code: 'blocked_here', server: host }
    else if (isUnreachable(code) || isForbidden(code))
      this.#refused = { code: 'unreachable', server: host, cause: code }
    else return
    void Promise.resolve().then(() => this.command({ type: 'close' }))
  }

  /** Anyone can send ICMP messages to all our ports: only those about our request count, and of a closed port the LNS's own. */
  #concerns(code: string, { from, quote }: IcmpNotice): boolean {
    if (code === 'ECONNREFUSED' && canonicalIp(from) !== canonicalIp(this.attempt.address)) return false
    return this.#request !== undefined && quotesRequest(this.#request, quote)
  }
}

function isUnreachable(code: string): boolean {
  return code === 'ENETUNREACH' || code === 'EHOSTUNREACH' || code === 'EADDRNOTAVAIL' || code === 'ENODEV'
}
