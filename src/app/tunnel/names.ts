import { AbortController } from '../../core/abort.ts'
import { NameCache } from '../../core/client/name-cache.ts'
import type { Attempt } from '../../core/client/race.ts'
import type { Failure } from '../../core/failure.ts'
import { ipFamily } from '../../core/ip/address.ts'
import { unfitAnywhere } from '../../core/ip/unfit.ts'
import { err, ok, type Result } from '../../core/result.ts'
import { candidateAddresses } from '../../core/system/uplinks.ts'
import { after, seconds } from '../../core/time.ts'
import { type Clock, type Resolver, type StateFiles, SystemError } from '../ports.ts'
import type { Carrier } from './attempt.ts'

/** The state file of last answers. */
const NAMES_FILE = 'names.json'

/** How long one look-up may take in all. */
const LOOK_UP_LIMIT = seconds(10)

/** What became of a look-up: addresses in order of preference, or why there are none. */
export type Found = Result<readonly string[], Failure>

/** What was dialled: the server and its address, and the uplink. */
interface Dialled {
  readonly attempt: Pick<Attempt, 'server' | 'address'>
  readonly carrier: Pick<Carrier, 'name'>
}

/** Looks server names up over uplinks. Last answers are used at once and asked anew beside. */
export class Names {
  readonly #resolver: Resolver
  readonly #cache: NameCache
  readonly #files: StateFiles
  readonly #clock: Clock
  #revision = 0
  #onChange: (() => void) | undefined

  constructor(resolver: Resolver, files: StateFiles, clock: Clock) {
    this.#resolver = resolver
    this.#clock = clock
    this.#cache = NameCache.parse(files.read(NAMES_FILE))
    this.#files = files
  }

  /** Counts what was learnt since the start. */
  get revision(): number {
    return this.#revision
  }

  /** All addresses that are known of a name. */
  known(name: string): readonly string[] {
    return this.#cache.known(name)
  }

  /** Calls `run` when an address of a name is learnt, before anybody is told of it. */
  onChange(run: () => void): void {
    this.#onChange = run
  }

  /** Tells once, or twice where the answer differs from the remembered one that was told first. */
  lookUp(name: string, carrier: Carrier, tell: (found: Found) => void): void {
    if (ipFamily(name) !== undefined) {
      tell(usable([name], name, carrier))
      return
    }
    const known = this.#cache.recall(name, carrier.name)
    if (known) tell(usable(known, name, carrier))
    const { device, source } = carrier.uplink
    const resolvers = carrier.resolvers()
    const limit = new AbortController()
    const cancel = this.#clock.alarm(after(this.#clock.now(), LOOK_UP_LIMIT), () => limit.abort())
    this.#resolver.resolve(name, { device, source, resolvers }, limit.signal).then(
      ({ addresses: answered }) => {
        cancel()
        const addresses = answered.filter((address) => unfitAnywhere(address) === undefined)
        if (addresses.length === 0) {
          if (!known) tell(err(unfitAnswer(name, answered)))
          return
        }
        const changed = this.#cache.remember(name, carrier.name, addresses)
        if (changed) {
          this.#files.write(NAMES_FILE, this.#cache.toText())
          this.#revision++
          this.#onChange?.()
        }
        if (changed || !known) tell(usable(this.#withProven(addresses, name, carrier), name, carrier))
      },
      (error: unknown) => {
        cancel()
        if (!known) tell(err(failureOf(error, name, resolvers)))
      },
    )
  }

  /** An address has carried a session: it is tried beside whatever resolvers say, until another one carries one. */
  carried(dialled: Dialled | undefined): void {
    if (dialled === undefined) return
    const { server, address } = dialled.attempt
    if (this.#cache.carried(server.host, dialled.carrier.name, address))
      this.#files.write(NAMES_FILE, this.#cache.toText())
  }

  /** Resolvers may lie for a while, as behind a portal where one logs in. */
  #withProven(addresses: readonly string[], name: string, { name: uplink }: Carrier): readonly string[] {
    const proven = this.#cache.proven(name, uplink)
    return proven === undefined ? addresses : [...new Set([...addresses, proven])]
  }
}

function usable(addresses: readonly string[], name: string, { uplink }: Carrier): Found {
  const candidates = candidateAddresses(addresses, uplink)
  if (candidates.length > 0) return ok(candidates)
  const families = uplink.ways.map(({ family }) => `IPv${family}`).join(' and ')
  return err({ code: 'unreachable', server: name, cause: `it has no address for ${families}` })
}

/** A resolver that blocks a name, or lies, answers so. */
function unfitAnswer(name: string, [first = '']: readonly string[]): Failure {
  return {
    code: 'unreachable',
    server: name,
    cause: `its resolver says ${first}, which ${unfitAnywhere(first)}`,
  }
}

function failureOf(error: unknown, name: string, resolvers: readonly string[]): Failure {
  // What is not a SystemError is our own limit.
  if (!(error instanceof SystemError)) return { code: 'resolver_silent', name, resolvers }
  switch (error.code) {
    case 'ENOTFOUND':
    case 'ENODATA':
      return { code: 'name_not_found', name }
    case 'ETIMEDOUT':
    case 'ENORESOLVER':
      return { code: 'resolver_silent', name, resolvers }
    default:
      return { code: 'resolver_failed', name, cause: error.message }
  }
}
