import type { AbortSignal } from '../core/abort.ts'
import { u16 } from '../core/bytes.ts'
import type { Entropy } from '../core/crypto.ts'
import {
  type AddressAnswer,
  type AddressQuestion,
  type AddressType,
  encodeQuestion,
  readAnswer,
} from '../core/dns/address-answer.ts'
import { toDnsName } from '../core/dns/name.ts'
import { canonicalIp, ipFamily } from '../core/ip/address.ts'
import { isLoopback } from '../core/ip/networks.ts'
import { after, millis } from '../core/time.ts'
import {
  type Cancel,
  type Clock,
  type DatagramSocket,
  type Datagrams,
  type IcmpNotice,
  type Resolution,
  type Resolver,
  type ResolveVia,
  SystemError,
} from './ports.ts'

const DNS_PORT = 53
/** How long each resolver is given before the next is asked as well, in each round through them all. Milliseconds. */
const ROUND_STEPS_MS = [1_000, 1_000, 2_000]
/** How long the other family may take once one has been found: some resolvers never answer AAAA. Milliseconds. */
const OTHER_FAMILY_MS = 250
/** Resolvers beyond these are not asked. */
const MAX_RESOLVERS = 4

/**
 * Resolves names over the device of an uplink: a fresh socket with a fresh port for each asking (RFC 5452 section 9.2),
 * AAAA and A at once. Resolvers are tried in turn; one that refuses or cannot be reached is not asked again in the same
 * lookup, and an answer that comes late still counts. Search domains and /etc/hosts play no part.
 */
export class DnsResolver implements Resolver {
  readonly #datagrams: Datagrams
  readonly #clock: Clock
  readonly #entropy: Entropy

  constructor(datagrams: Datagrams, clock: Clock, entropy: Entropy) {
    this.#datagrams = datagrams
    this.#clock = clock
    this.#entropy = entropy
  }

  async resolve(host: string, via: ResolveVia, signal: AbortSignal): Promise<Resolution> {
    const literal = canonicalIp(host)
    if (literal !== undefined) return { addresses: [literal], ttl: millis(Number.POSITIVE_INFINITY) }
    const name = toDnsName(host)
    if (name === undefined) throw new SystemError('ENOTFOUND', `"${host}" can be no host name`)
    if (via.resolvers.length === 0) {
      throw new SystemError('ENORESOLVER', `no resolver is known to ask for ${name}`)
    }
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      const lookup = new Lookup(name, via, this.#datagrams, this.#clock, this.#entropy, (outcome) => {
        signal.removeEventListener('abort', abort)
        if (outcome instanceof Error) reject(outcome)
        else resolve(outcome)
      })
      const abort = () => {
        lookup.close()
        reject(signal.reason)
      }
      signal.addEventListener('abort', abort)
      lookup.start()
    })
  }
}

/** One asking of one resolver; its socket stays open for late answers until the lookup ends. */
interface Asking {
  readonly resolver: string
  readonly waiting: Map<AddressType, AddressQuestion>
  socket: DatagramSocket | undefined
  /** Types that were asked a second time, without EDNS. */
  readonly plain: Set<AddressType>
}

class Lookup {
  readonly #name: string
  readonly #via: ResolveVia
  readonly #datagrams: Datagrams
  readonly #clock: Clock
  readonly #entropy: Entropy
  readonly #done: (outcome: Resolution | Error) => void
  /** What remains to be tried. */
  readonly #plan: { readonly resolver: string; readonly step: number }[]
  readonly #answers = new Map<AddressType, AddressAnswer>()
  /** `resolver type` pairs not worth asking again. */
  readonly #spent = new Set<string>()
  readonly #askings: Asking[] = []
  #cancelStep: Cancel = () => {}
  #cancelGrace: Cancel | undefined
  #failure: SystemError | undefined
  #closed = false

  constructor(
    name: string,
    via: ResolveVia,
    datagrams: Datagrams,
    clock: Clock,
    entropy: Entropy,
    done: (outcome: Resolution | Error) => void,
  ) {
    this.#name = name
    this.#via = via
    this.#datagrams = datagrams
    this.#clock = clock
    this.#entropy = entropy
    this.#done = done
    const resolvers = [...new Set(via.resolvers)].slice(0, MAX_RESOLVERS)
    this.#plan = ROUND_STEPS_MS.flatMap((step) => resolvers.map((resolver) => ({ resolver, step })))
  }

  start(): void {
    this.#next()
  }

  close(): void {
    this.#closed = true
    this.#cancelStep()
    this.#cancelGrace?.()
    for (const asking of this.#askings) asking.socket?.close()
  }

  /** Asks the next resolver that may still know something; the lookup has failed when none is left. */
  #next(): void {
    this.#cancelStep()
    if (this.#closed) return
    for (let planned = this.#plan.shift(); planned; planned = this.#plan.shift()) {
      const types = this.#openTypes().filter((type) => !this.#spent.has(`${planned?.resolver} ${type}`))
      if (types.length === 0) continue
      this.#cancelStep = this.#clock.alarm(after(this.#clock.now(), planned.step), () => this.#next())
      this.#ask(planned.resolver, types)
      return
    }
    this.#finish()
  }

  #openTypes(): AddressType[] {
    return (['AAAA', 'A'] as const).filter((type) => !this.#answers.has(type))
  }

  #ask(resolver: string, types: readonly AddressType[]): void {
    const first = u16(this.#entropy(2), 0)
    // Two questions through one socket need different ids.
    const questions = types.map((type, i) => ({ name: this.#name, type, id: (first + i) & 0xffff }))
    const waiting = new Map(questions.map((question) => [question.type, question]))
    const asking: Asking = { resolver, waiting, socket: undefined, plain: new Set() }
    this.#askings.push(asking)
    // The loopback is reached from no other device.
    const { device, source } = isLoopback(resolver) ? {} : this.#via
    const family = ipFamily(resolver) ?? 4
    try {
      asking.socket = this.#datagrams.open({
        family,
        ...(device !== undefined && { device }),
        ...(source !== undefined && ipFamily(source) === family && { source }),
        onMessage: (from, bytes) => {
          if (canonicalIp(from.host) === canonicalIp(resolver) && from.port === DNS_PORT)
            this.#receive(asking, bytes)
        },
        onError: (code, notice) => {
          if (notice && !this.#concerns(asking, notice)) return
          this.#unreachable(asking, new SystemError(code, `the resolver ${resolver}: ${code}`))
        },
      })
      asking.socket.connect({ host: resolver, port: DNS_PORT })
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      this.#unreachable(asking, error)
      return
    }
    for (const question of questions) {
      if (waiting.has(question.type)) asking.socket.send(encodeQuestion(question, { edns: true }))
    }
  }

  /** An ICMP message that anyone may have sent has to quote a question by its id, in the first two octets. */
  #concerns({ waiting }: Asking, { quote }: IcmpNotice): boolean {
    return quote.length >= 2 && [...waiting.values()].some(({ id }) => id === u16(quote, 0))
  }

  #receive(asking: Asking, bytes: Uint8Array): void {
    for (const question of asking.waiting.values()) {
      const answer = this.#closed ? undefined : readAnswer(bytes, question)
      if (answer !== undefined) this.#take(asking, question, answer)
    }
  }

  #take(asking: Asking, question: AddressQuestion, answer: AddressAnswer): void {
    const { type } = question
    switch (answer.kind) {
      case 'formatError':
        // RFC 6891 section 7: a server from before EDNS is asked again without.
        if (!asking.plain.has(type)) {
          asking.plain.add(type)
          asking.socket?.send(encodeQuestion(question, { edns: false }))
          return
        }
        this.#refused(asking, type)
        return
      case 'failed':
        this.#refused(asking, type)
        return
      case 'found':
      case 'noData':
      case 'noSuchName':
        asking.waiting.delete(type)
        if (!this.#answers.has(type)) this.#answers.set(type, answer)
        this.#weigh()
        this.#nextIfIdle(asking)
        return
    }
  }

  #refused(asking: Asking, type: AddressType): void {
    this.#failure = new SystemError(
      'ESERVFAIL',
      `the resolver ${asking.resolver} does not resolve ${this.#name}`,
    )
    asking.waiting.delete(type)
    this.#spent.add(`${asking.resolver} ${type}`)
    this.#nextIfIdle(asking)
  }

  #unreachable(asking: Asking, error: SystemError): void {
    if (this.#closed || asking.waiting.size === 0) return
    // A resolver's own refusal says more than a path that fails.
    if (this.#failure?.code !== 'ESERVFAIL') this.#failure = error
    for (const type of asking.waiting.keys()) this.#spent.add(`${asking.resolver} ${type}`)
    asking.waiting.clear()
    this.#nextIfIdle(asking)
  }

  /** Goes on at once where nothing more can come from the resolver asked last. */
  #nextIfIdle(asking: Asking): void {
    if (asking === this.#askings.at(-1) && asking.waiting.size === 0) this.#next()
  }

  /** Ends the lookup once both families are answered, or one is found and the other keeps us waiting. */
  #weigh(): void {
    if (this.#openTypes().length === 0) this.#finish()
    else if ([...this.#answers.values()].some(({ kind }) => kind === 'found')) {
      this.#cancelGrace ??= this.#clock.alarm(after(this.#clock.now(), OTHER_FAMILY_MS), () => this.#finish())
    }
  }

  #finish(): void {
    if (this.#closed) return
    this.close()
    const addresses: string[] = []
    let ttl = Number.POSITIVE_INFINITY
    for (const type of ['AAAA', 'A'] as const) {
      const answer = this.#answers.get(type)
      if (answer?.kind !== 'found') continue
      addresses.push(...answer.addresses)
      ttl = Math.min(ttl, answer.ttl)
    }
    this.#done(
      addresses.length > 0 ? { addresses: [...new Set(addresses)], ttl: millis(ttl) } : this.#verdict(),
    )
  }

  /** Why nothing was found. What is known for certain about the name comes before what went wrong on the way. */
  #verdict(): SystemError {
    if (this.#openTypes().length === 0) {
      const unknown = [...this.#answers.values()].some(({ kind }) => kind === 'noSuchName')
      return unknown
        ? new SystemError('ENOTFOUND', `the name ${this.#name} does not exist`)
        : new SystemError('ENODATA', `the name ${this.#name} has no address`)
    }
    const asked = [...new Set(this.#askings.map(({ resolver }) => resolver))].join(', ')
    return this.#failure ?? new SystemError('ETIMEDOUT', `no answer for ${this.#name} from ${asked}`)
  }
}
