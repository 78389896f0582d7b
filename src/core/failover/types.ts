/** What the failover controller is told and what it wants done. */
import type { Readiness } from '../client/dialer-state.ts'
import type { Standby } from '../config/types.ts'
import type { Family } from '../ip/address.ts'
import type { Millis } from '../time.ts'
import type { FamilyState, Health, Pace } from './probing.ts'

/** A path as configured, in order of preference. */
export interface PathPlan {
  readonly name: string
  readonly kind: 'uplink' | 'tunnel'
  /** Tunnels only. */
  readonly standby: Standby
  /** The uplink whose public address the tunnel carries, where configured. */
  readonly backsUp: string | undefined
  readonly metered: boolean
}

/** How the choice among paths is configured. */
export interface ControllerOptions {
  /** In order of preference. */
  readonly paths: readonly PathPlan[]
  readonly mode: string
  /** ms */
  readonly dialGrace: number
  /** ms */
  readonly failbackDelay: number
}

/** A path as it is now. */
export interface PathFacts {
  readonly health: Health
  /** Why it is so, in words. */
  readonly reason: string
  /** It can carry a packet, whoever answers: the device is up and has its address. */
  readonly link: boolean
  readonly ipv4: FamilyState
  readonly ipv6: FamilyState
  /** Families that ought to work and do not, although option `require` does not name them. */
  readonly lost: readonly Family[]
  /** When the trouble began that made it `suspect` or `down`. */
  readonly troubleSince: Millis | undefined
  /** The month's budget is used up and the user wants it kept. */
  readonly cutOff: boolean
  /** Tunnels only. */
  readonly tunnel: TunnelFacts | undefined
}

/** What the choice among paths has to know of a tunnel. */
export interface TunnelFacts {
  /** Enabled, with an uplink that can carry it. */
  readonly dialable: boolean
  readonly session: 'none' | 'dialling' | 'up'
  /** The last round of dialling came to nothing, or the session ended: it is tried again later. */
  readonly failed: boolean
  /** How often the LNS has closed the idle control connection. */
  readonly idleClosed: number
  /** The uplink that carries it has hardly any budget left. */
  readonly short?: boolean
}

/** Where the traffic is to go, by the choice among paths: over one of them, or nowhere while a tunnel is dialled. */
export type ActiveRoute =
  | { readonly kind: 'path'; readonly name: string }
  | { readonly kind: 'hold'; readonly awaited: string }

/** Why the traffic moved: at the start, off a path that fails, back to a better one, by a person, or for a drill. */
export type SwitchKind = 'start' | 'failover' | 'failback' | 'manual' | 'drill'

/** What the choice among paths wants done, in this order. */
export type ControllerAction =
  | { readonly type: 'want'; readonly tunnel: string; readonly readiness: Readiness }
  | { readonly type: 'route'; readonly active: ActiveRoute }
  | { readonly type: 'pace'; readonly path: string; readonly pace: Pace }
  /** Probe this uplink by mark, from the shared address, and take the answer from wherever it comes. */
  | { readonly type: 'steer'; readonly path: string; readonly on: boolean }
  /** The session's packets are still taken from the tunnel for this many ms after its end. */
  | { readonly type: 'linger'; readonly tunnel: string; readonly span: number }
  /** Probe on the device itself, at once; answer with `confirmed`. */
  | { readonly type: 'confirm'; readonly path: string }
  | {
      readonly type: 'switched'
      readonly kind: SwitchKind
      readonly from: string | undefined
      readonly to: string
      readonly cause: string
      /** When the trouble began that led to it. */
      readonly troubleSince: Millis | undefined
    }
  /** Going back was tried and the uplink did not carry the answer. */
  | { readonly type: 'trialFailed'; readonly path: string; readonly nextDelay: number }

/** How ready a path is, as users see it. */
export type PathReadiness = 'cold' | 'warm' | 'hot' | 'active'
