import type { Config } from '../../core/config/types.ts'
import { offeredDns } from '../../core/status/offered-dns.ts'
import { linkNamed } from '../../core/system/facts.ts'
import { after } from '../../core/time.ts'
import { type Cancel, type Clock, type Log, type StateFiles, type SystemDns, SystemError } from '../ports.ts'
import type { StatusStore } from '../status-store.ts'
import type { FactsWatcher } from './facts.ts'

/**
 * What offering resolvers takes: the status that names them, the service that asks them, the file that remembers what is
 * offered.
 */
export interface DnsOffersPorts {
  readonly status: Pick<StatusStore, 'status' | 'watch'>
  readonly watcher: Pick<FactsWatcher, 'facts' | 'onChange'>
  readonly dns: SystemDns
  readonly files: StateFiles
  readonly clock: Clock
  readonly log: Log
  /** The configuration in force. */
  config(): Config
}

/** Devices for which something is offered: a process before this one may have been killed. */
const FILE = 'dns.json'
/** ms after which what failed is tried again: the service may have started by then. */
const RETRY = 30_000

/** Keeps the resolvers of tunnels with `peerdns` offered to the system exactly while they are to be used. */
export class DnsOffers {
  readonly #ports: DnsOffersPorts
  readonly #cancels: readonly Cancel[]
  /** By device: servers, and which device of that name it is. */
  #wanted = new Map<string, Offer>()
  /** What the system has; undefined: something, of a process before this one. */
  readonly #offered: Map<string, Offer | undefined>
  /** What it did not take. */
  readonly #refused = new Map<string, Offer | undefined>()
  /** Failures that were told since it last worked. */
  readonly #told = new Set<string>()
  #running: Promise<void> | undefined
  #retry: Cancel | undefined
  #closed = false

  constructor(ports: DnsOffersPorts) {
    this.#ports = ports
    this.#offered = new Map(decode(ports.files.read(FILE)).map((device) => [device, undefined]))
    const look = () => this.#look()
    this.#cancels = [ports.status.watch(look), ports.watcher.onChange(look)]
    look()
  }

  /** Withdraws everything; resolves once that is done, or the system has refused it. */
  async close(): Promise<void> {
    for (const cancel of this.#cancels) cancel()
    this.#closed = true
    this.#retry?.()
    this.#refused.clear()
    this.#wanted.clear()
    // What runs may have looked for more to do just before.
    while (this.#running !== undefined || this.#next() !== undefined) {
      this.#begin()
      await this.#running
    }
  }

  #look(): void {
    const { status, watcher, config } = this.#ports
    const offers = offeredDns(config().tunnels, status.status()).flatMap(({ device, servers }) => {
      const link = linkNamed(watcher.facts, device)
      return link === undefined ? [] : [[device, { index: link.index, servers }] as const]
    })
    this.#wanted = new Map(offers)
    this.#begin()
  }

  /** One program at a time; what is wanted may change meanwhile. */
  #begin(): void {
    if (this.#running || !this.#next()) return
    this.#running = this.#work().finally(() => {
      this.#running = undefined
    })
  }

  async #work(): Promise<void> {
    for (let next = this.#next(); next; next = this.#next()) {
      const { device, offer } = next
      try {
        if (offer === undefined) await this.#withdraw(device)
        else await this.#offer(device, offer)
      } catch (error) {
        if (!(error instanceof SystemError)) throw error
        this.#refused.set(device, offer)
        this.#tell(error)
      }
    }
  }

  /** The next thing to do: without an offer, to withdraw one. Withdrawals come first. */
  #next(): { readonly device: string; readonly offer: Offer | undefined } | undefined {
    for (const device of this.#offered.keys()) {
      const refused = this.#refused.has(device) && this.#refused.get(device) === undefined
      if (!this.#wanted.has(device) && !refused) return { device, offer: undefined }
    }
    for (const [device, offer] of this.#wanted) {
      if (!same(offer, this.#offered.get(device)) && !same(offer, this.#refused.get(device)))
        return { device, offer }
    }
    return undefined
  }

  async #offer(device: string, offer: Offer): Promise<void> {
    // Noted first: whoever finds the note withdraws what may not be there, but not the other way round.
    this.#hold(device, undefined)
    await this.#ports.files.settled()
    await this.#ports.dns.offer(device, offer.servers)
    this.#hold(device, offer)
    this.#refused.delete(device)
    this.#told.clear()
  }

  async #withdraw(device: string): Promise<void> {
    await this.#ports.dns.withdraw(device)
    this.#offered.delete(device)
    this.#refused.delete(device)
    this.#note()
  }

  #hold(device: string, offer: Offer | undefined): void {
    this.#offered.set(device, offer)
    this.#note()
  }

  #note(): void {
    this.#ports.files.write(FILE, `${JSON.stringify([...this.#offered.keys()].sort())}\n`)
  }

  #tell(error: SystemError): void {
    const { clock, log } = this.#ports
    if (!this.#told.has(error.message))
      log.warn('the resolvers of a tunnel are not as they should be', { error })
    this.#told.add(error.message)
    if (this.#closed) return
    this.#retry?.()
    this.#retry = clock.alarm(after(clock.now(), RETRY), () => {
      this.#refused.clear()
      this.#begin()
    })
  }
}

interface Offer {
  /** Of the device: what was offered for one that was removed and made anew is gone. */
  readonly index: number
  readonly servers: readonly string[]
}

function same(one: Offer, other: Offer | undefined): boolean {
  return other !== undefined && one.index === other.index && one.servers.join() === other.servers.join()
}

/** Anything that is not as we wrote it is left out. */
function decode(text: string | undefined): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(parsed) ? parsed.filter((item): item is string => typeof item === 'string') : []
  } catch {
    return []
  }
}
