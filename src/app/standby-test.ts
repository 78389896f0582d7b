import type { Readiness } from '../core/client/dialer-state.ts'
import { after, type Millis } from '../core/time.ts'
import type { PathWatcher } from './path-watcher.ts'
import type { Clock } from './ports.ts'
import type { TunnelPath } from './tunnel-status.ts'

/** How long a dial, or an answer to a probe, is waited for, in ms. */
const DIAL_LIMIT = 20_000
const PROBE_LIMIT = 5_000
/** How long a control connection that stands may take to end, in ms. */
const END_LIMIT = 5_000
const LOOK_INTERVAL = 100

/** What a test of a standby found. */
export interface StandbyFound {
  readonly ok: boolean
  /** In words, a sentence. */
  readonly message: string
}

/** A path that carries no traffic now. */
export interface StandbySubject {
  readonly name: string
  readonly watcher: Pick<PathWatcher, 'health' | 'confirm'>
  /** Undefined: an uplink. */
  readonly tunnel: { readonly path: TunnelPath; want(readiness: Readiness): void } | undefined
  /** The uplink whose address the session would take, so that no session is dialled. */
  readonly line: string | undefined
  /** How ready the tunnel is to be otherwise. */
  wanted(): Readiness
}

/** Dials it, and probes through it, for real; nothing that carries traffic is touched. */
export async function testStandby(subject: StandbySubject, clock: Clock): Promise<StandbyFound> {
  const { name, tunnel, line } = subject
  if (tunnel === undefined) return probed(subject, clock, '')
  const goal = line === undefined ? 'session' : 'warm'
  const reached = (path: TunnelPath) => (goal === 'session' ? path.session === 'up' : path.control)
  if (!tunnel.path.dialable)
    return { ok: false, message: `${name} cannot be dialled: it has no uplink, or is switched off.` }
  try {
    if (goal === 'warm' && tunnel.path.control) {
      // That it was set up proves nothing: an LNS that died since is only noticed by the next HELLO.
      tunnel.want('cold')
      await until(() => !tunnel.path.control, END_LIMIT, clock)
    }
    if (subject.wanted() !== 'session') tunnel.want(goal)
    const up = await until(() => reached(tunnel.path), DIAL_LIMIT, clock)
    if (!up) return { ok: false, message: `${name} could not be dialled within ${DIAL_LIMIT / 1000} s.` }
    if (line === undefined) return await probed(subject, clock, 'its session came up, and ')
    const untried = `its session was not dialled, as it would take the address of ${line}`
    return { ok: true, message: `The LNS of ${name} answers; ${untried}.` }
  } finally {
    tunnel.want(subject.wanted())
  }
}

async function probed(
  { name, watcher }: StandbySubject,
  clock: Clock,
  before: string,
): Promise<StandbyFound> {
  if (!watcher.health.linked)
    return { ok: false, message: `${name} cannot carry traffic: ${watcher.health.reason}.` }
  const mute = watcher.health.answering.length === 0
  let answered = false
  watcher.confirm(PROBE_LIMIT, () => {
    answered = true
  })
  if (!(await until(() => answered, PROBE_LIMIT, clock)))
    return { ok: false, message: `${name} does not work: ${before}no probe was answered over it.` }
  const absent = watcher.health.absent.map((family) => `IPv${family}`).join(' and ')
  if (absent !== '')
    return { ok: false, message: `${name} has no ${absent} address, which option require wants.` }
  const what = mute ? 'its link is up, though no probe target has ever answered' : 'its probes are answered'
  return { ok: true, message: `${name} works: ${before}${what}.` }
}

/** Whether something comes true within `limit` ms. */
function until(holds: () => boolean, limit: number, clock: Clock): Promise<boolean> {
  const end = after(clock.now(), limit)
  return new Promise((resolve) => {
    const look = (at: Millis) => {
      if (holds()) resolve(true)
      else if (at >= end) resolve(false)
      else clock.alarm(after(at, LOOK_INTERVAL), () => look(clock.now()))
    }
    look(clock.now())
  })
}
