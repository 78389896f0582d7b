import type { Readiness } from '../../core/client/dialer-state.ts'
import { after, type Millis } from '../../core/time.ts'
import type { Clock } from '../ports.ts'
import type { TunnelPath } from '../tunnel/tunnel-status.ts'
import type { PathWatcher } from './path-watcher.ts'

/** How long a dial, or an answer to a probe, is waited for, in ms. */
const DIAL_LIMIT = 20_000
const PROBE_LIMIT = 5_000
/** How long a control connection that stands may take to end, in ms. */
const END_LIMIT = 5_000
const LOOK_INTERVAL = 100

/** What a test of a standby found. `lacks`: how far it came where it does not work; `reason` completes "NAME ...". */
export type StandbyFound =
  | { readonly ok: true; readonly message: string; readonly reason: string }
  | {
      readonly ok: false
      readonly message: string
      readonly reason: string
      readonly lacks: 'link' | 'lns' | 'session' | 'answers'
    }

/** A path that carries no traffic now. */
export interface StandbySubject {
  readonly name: string
  readonly watcher: Pick<PathWatcher, 'health' | 'confirm'>
  /** Undefined: an uplink. */
  readonly tunnel: { readonly path: TunnelPath; want(readiness: Readiness): void; afresh(): void } | undefined
  /** Why no session is dialled, as it would take the address of a line, in words; undefined: it takes none. */
  readonly spared: string | undefined
  /** How ready the tunnel is to be otherwise. */
  wanted(): Readiness
  /** Something happens to the paths, so that nothing is proved by what is seen. */
  disturbed(): boolean
}

/** Dials it, and probes through it, for real; nothing that carries traffic is touched. Undefined: it was disturbed. */
export async function testStandby(subject: StandbySubject, clock: Clock): Promise<StandbyFound | undefined> {
  const { tunnel, spared } = subject
  if (tunnel === undefined) return probed(subject, clock, '')
  if (!tunnel.path.dialable)
    return fails(subject.name, 'link', 'cannot be dialled: it has no uplink, or is switched off')
  try {
    if (spared !== undefined && tunnel.path.control) {
      // That it was set up proves nothing: an LNS that died since is only noticed by the next HELLO.
      tunnel.want('cold')
      await until(() => !tunnel.path.control, END_LIMIT, clock, subject)
    }
    if (subject.wanted() !== 'session') {
      tunnel.afresh()
      tunnel.want(spared === undefined ? 'session' : 'warm')
    }
    return await dialled(subject, tunnel, clock)
  } finally {
    tunnel.want(subject.wanted())
  }
}

async function dialled(
  subject: StandbySubject,
  { path }: NonNullable<StandbySubject['tunnel']>,
  clock: Clock,
): Promise<StandbyFound | undefined> {
  const { name, tunnel, spared } = subject
  const now = () => tunnel?.path ?? path
  const reached = () => (spared === undefined ? now().session === 'up' : now().control)
  const up = await until(reached, DIAL_LIMIT, clock, subject)
  if (up === undefined) return undefined
  if (!up) {
    const span = `within ${DIAL_LIMIT / 1000} s`
    if (!now().control) return fails(name, 'lns', `could not be dialled ${span}`)
    const why = now().problem
    return fails(
      name,
      'session',
      `got no session ${span} although its LNS answers${why === null ? '' : ` (${why})`}`,
    )
  }
  if (spared === undefined) return await probed(subject, clock, 'its session came up, and ')
  const message = `The LNS of ${name} answers; its session was not dialled, ${spared}.`
  return { ok: true, message, reason: 'had an answer from its LNS when it was tested' }
}

async function probed(
  subject: StandbySubject,
  clock: Clock,
  before: string,
): Promise<StandbyFound | undefined> {
  const { name, watcher } = subject
  if (!watcher.health.linked) return fails(name, 'link', `cannot carry traffic: ${watcher.health.reason}`)
  const mute = watcher.health.answering.length === 0
  let answered = false
  watcher.confirm(PROBE_LIMIT, () => {
    answered = true
  })
  const works = await until(() => answered, PROBE_LIMIT, clock, subject)
  if (works === undefined) return undefined
  if (!works) return fails(name, 'answers', `does not work: ${before}no probe was answered over it`)
  const absent = watcher.health.absent.map((family) => `IPv${family}`).join(' and ')
  if (absent !== '') return fails(name, 'answers', `has no ${absent} address, which option require wants`)
  const what = mute ? 'its link is up, though no probe target has ever answered' : 'its probes are answered'
  return { ok: true, message: `${name} works: ${before}${what}.`, reason: 'worked when it was tested' }
}

function fails(
  name: string,
  lacks: Extract<StandbyFound, { ok: false }>['lacks'],
  what: string,
): StandbyFound {
  return { ok: false, message: `${name} ${what}.`, reason: `did not pass its last test: it ${what}`, lacks }
}

/** Whether something comes true within `limit` ms; undefined where that is disturbed. */
function until(
  holds: () => boolean,
  limit: number,
  clock: Clock,
  { disturbed }: StandbySubject,
): Promise<boolean | undefined> {
  const end = after(clock.now(), limit)
  return new Promise((resolve) => {
    const look = (at: Millis) => {
      if (disturbed()) resolve(undefined)
      else if (holds()) resolve(true)
      else if (at >= end) resolve(false)
      else clock.alarm(after(at, LOOK_INTERVAL), () => look(clock.now()))
    }
    look(clock.now())
  })
}
