/** What the sockets of this program were refused, told so that a user sees it and a flood of it does not fill the log. */
import { after, type Millis, seconds } from '../core/time.ts'
import type { Clock, Log, LogFields } from './ports.ts'

/** How long the same error of the same socket is counted only, before it is told again. */
const QUIET = seconds(600)
/** Different errors that are remembered; beyond, all are told anew. */
const LIMIT = 64

/** What the network answers, and what a device that goes brings about: it says nothing about this machine. */
const FROM_OUTSIDE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EMSGSIZE',
  'ENETDOWN',
  'ENETUNREACH',
  'ENODEV',
  'ENXIO',
])

/** Tells errors of sockets: the first of each kind at once, those after it counted, and at most one line in ten minutes. */
export class SocketErrors {
  readonly #clock: Pick<Clock, 'now'>
  readonly #log: Log
  readonly #told = new Map<string, { readonly until: Millis; more: number }>()

  constructor(clock: Pick<Clock, 'now'>, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** `what` the socket is for, such as `router discovery`; `code` is the name of the errno number. */
  tell(what: string, code: string, fields: LogFields = {}): void {
    const now = this.#clock.now()
    const key = `${what} ${code}`
    const known = this.#told.get(key)
    if (known !== undefined && now < known.until) {
      known.more++
      return
    }
    if (this.#told.size >= LIMIT) this.#told.clear()
    this.#told.set(key, { until: after(now, QUIET), more: 0 })
    const more = known?.more ?? 0
    const line = { ...fields, code, ...(more > 0 && { repeated: more }) }
    if (FROM_OUTSIDE.has(code)) this.#log.info(`${what}: the network does not take a packet`, line)
    else this.#log.warn(`${what}: this machine refuses a packet of lifeline's own${why(code)}`, line)
  }
}

/** It is netfilter, or a security module, that makes sendto(2) fail so. */
function why(code: string): string {
  return code === 'EPERM' || code === 'EACCES' ? ': a firewall rule of this machine forbids it' : ''
}
