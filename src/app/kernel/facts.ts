/** Watches links, addresses, routes and rules of the system. */

import type { Family } from '../../core/ip/address.ts'
import { encodeAddressDump } from '../../core/netlink/address.ts'
import { encodeLinkDump, encodeLinkQuery } from '../../core/netlink/link.ts'
import { encodeRouteDump } from '../../core/netlink/route.ts'
import { encodeRuleDump } from '../../core/netlink/rule.ts'
import { type Facts, NO_FACTS, reduceFacts, withRoutes } from '../../core/system/facts.ts'
import { type Cancel, type Log, type Netlink, type Netlinks, SystemError } from '../ports.ts'

/** Multicast groups of rtnetlink: links, and for both families addresses, routes and rules (linux/rtnetlink.h). */
const GROUPS = [1, 5, 7, 8, 9, 11, 19]

/** The state of the system at this moment, read once. */
export async function readFacts(netlinks: Netlinks): Promise<Facts> {
  const netlink = netlinks.open({ protocol: 'route' })
  try {
    return await dumpFacts(netlink)
  } finally {
    netlink.close()
  }
}

/**
 * Keeps facts up to date: a dump, then what the kernel announces; a new dump where announcements were lost, and of the
 * routes where the kernel changes them without a word.
 */
export class FactsWatcher {
  readonly #netlink: Netlink
  readonly #log: Log
  readonly #listeners = new Set<(facts: Facts) => void>()
  #facts: Facts = NO_FACTS
  /** What was announced while a dump is under way: it may be newer than the dump. */
  #heldMessages: Uint8Array[] | undefined = []
  /** What was announced since each request that is under way was sent. */
  readonly #meanwhile = new Set<Uint8Array[]>()
  #overrun = false
  #stale = new Set<Family>()
  #redumping = false
  #closed = false

  /** Throws SystemError if there is no rtnetlink. */
  constructor(netlinks: Netlinks, log: Log) {
    this.#log = log
    this.#netlink = netlinks.open({
      protocol: 'route',
      groups: GROUPS,
      onMessages: (messages) => this.#announced(messages),
      onOverrun: () => this.#lost(),
    })
  }

  /** Resolves with the first facts. */
  async start(): Promise<Facts> {
    await this.#dump()
    return this.#facts
  }

  get facts(): Facts {
    return this.#facts
  }

  /** Calls `run` with new facts each time that something changed. */
  onChange(run: (facts: Facts) => void): Cancel {
    this.#listeners.add(run)
    return () => this.#listeners.delete(run)
  }

  /** Sends a request that changes something; once the kernel has agreed, the facts know of it at once. */
  async change(request: Uint8Array): Promise<void> {
    const [refusal] = await this.changeTogether([request])
    if (refusal !== undefined) throw refusal
  }

  /** Sends such requests together, and resolves with why each was refused; the facts change once. */
  async changeTogether(requests: readonly Uint8Array[]): Promise<(Error | undefined)[]> {
    return this.#asking(async () => {
      const refusals = await Promise.all(
        requests.map((request) => this.#netlink.request(request).then(() => undefined, asError)),
      )
      return [refusals, requests.filter((_, i) => refusals[i] === undefined)]
    })
  }

  /** Asks for one link, before the kernel's announcement of it arrives. Rejects with ENODEV if there is none. */
  async lookUpLink(name: string): Promise<void> {
    await this.#asking(async () => [undefined, await this.#netlink.request(encodeLinkQuery(name))])
  }

  close(): void {
    this.#closed = true
    this.#netlink.close()
  }

  /**
   * Learns what `ask` resolves with beside its result. Answers and announcements come by two sockets, in no order: what
   * was announced while the answer was on its way may have undone it, and counts after it.
   */
  async #asking<T>(ask: () => Promise<readonly [T, readonly Uint8Array[]]>): Promise<T> {
    const meanwhile: Uint8Array[] = []
    this.#meanwhile.add(meanwhile)
    try {
      const [result, learnt] = await ask()
      this.#learn([...learnt, ...meanwhile])
      return result
    } finally {
      this.#meanwhile.delete(meanwhile)
    }
  }

  #announced(messages: readonly Uint8Array[]): void {
    for (const meanwhile of this.#meanwhile) meanwhile.push(...messages)
    if (this.#heldMessages === undefined) this.#learn(messages)
    else this.#heldMessages.push(...messages)
  }

  #learn(messages: readonly Uint8Array[], known = this.#facts): void {
    const { facts, uncertainRoutes } = reduceFacts(known, messages)
    // A dump under way may be older than this, and would undo it: there is to be another one.
    if (this.#redumping && facts.routes !== this.#facts.routes) this.#stale.add(4).add(6)
    this.#settle(facts)
    for (const family of uncertainRoutes) this.#stale.add(family)
    if (this.#stale.size > 0) void this.#redumpRoutes()
  }

  #settle(facts: Facts): void {
    if (facts === this.#facts || this.#closed) return
    this.#facts = facts
    for (const listener of [...this.#listeners]) listener(facts)
  }

  #lost(): void {
    this.#log.debug('rtnetlink announcements were lost, reading everything again')
    this.#overrun = true
    if (this.#heldMessages === undefined) void this.#dump().catch((error) => this.#failed(error))
  }

  /** Reads everything, and again if announcements were lost meanwhile. Where that fails, what is announced goes on counting. */
  async #dump(): Promise<void> {
    const messages: Uint8Array[] = []
    this.#heldMessages = messages
    let facts: Facts | undefined
    try {
      while (facts === undefined) {
        this.#overrun = false
        const earlier = messages.length
        const read = await dumpFacts(this.#netlink)
        // What was announced before it began is part of it, and may have been undone since.
        messages.splice(0, earlier)
        if (this.#overrun) this.#settle(read)
        else facts = read
      }
    } finally {
      this.#heldMessages = undefined
      this.#learn(messages, facts)
    }
  }

  /** What cannot be read stays stale until something is announced again. */
  async #redumpRoutes(): Promise<void> {
    if (this.#redumping) return
    this.#redumping = true
    let family: Family | undefined
    try {
      for (family of this.#stale) {
        this.#stale.delete(family)
        const dump = await this.#netlink.request(encodeRouteDump(family))
        this.#settle(withRoutes(this.#facts, family, dump))
      }
    } catch (error) {
      if (family !== undefined) this.#stale.add(family)
      this.#failed(error)
    } finally {
      this.#redumping = false
    }
  }

  #failed(error: unknown): void {
    if (!this.#closed) this.#log.error('the state of the system could not be read', { error })
  }
}

async function dumpFacts(netlink: Netlink): Promise<Facts> {
  const answers = [
    ...(await netlink.request(encodeLinkDump())),
    ...(await netlink.request(encodeAddressDump(4))),
    ...(await netlink.request(encodeAddressDump(6))),
    ...(await netlink.request(encodeRouteDump(4))),
    ...(await netlink.request(encodeRouteDump(6))),
    ...(await netlink.request(encodeRuleDump(4))),
  ]
  const rules6 = await rulesOfIpv6(netlink)
  const { facts } = reduceFacts(NO_FACTS, [...answers, ...(rules6 ?? [])])
  return { ...facts, ipv6: rules6 !== undefined }
}

/** Undefined where the kernel speaks no IPv6: only then is its rule table missing. */
async function rulesOfIpv6(netlink: Netlink): Promise<Uint8Array[] | undefined> {
  try {
    return await netlink.request(encodeRuleDump(6))
  } catch (error) {
    if (error instanceof SystemError && (error.code === 'EAFNOSUPPORT' || error.code === 'EOPNOTSUPP'))
      return undefined
    throw error
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
