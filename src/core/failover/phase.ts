/** Where the choice among paths stands: its phases, each with its deadlines, and what each of them means. */
import type { Millis } from '../time.ts'
import type { Candidate } from './candidate.ts'
import type { Move } from './move.ts'
import type { Need } from './need.ts'
import type { Trial } from './trial.ts'
import type { ActiveRoute } from './types.ts'

/** The path that has the traffic, and since when. */
export interface Carrying {
  readonly path: Candidate
  readonly since: Millis
}

/** `move` is due at its `at`; `graceEnds`: when a path that works is used although a better tunnel is still dialled. */
export type Phase =
  /** Not all paths have been looked at: nothing is decided. */
  | { readonly kind: 'waiting'; readonly move: Move | undefined }
  | { readonly kind: 'settled'; readonly on: Carrying; readonly move: Move | undefined }
  /** On a path that does only half of what is wanted, as all do. */
  | {
      readonly kind: 'makingDo'
      readonly on: Carrying
      readonly need: Need
      readonly move: Move | undefined
    }
  /** The traffic stays where it was, if it was anywhere, until a path is found. */
  | {
      readonly kind: 'seeking'
      readonly on: Carrying | undefined
      readonly need: Need
      readonly graceEnds: Millis | undefined
    }
  /** The traffic goes nowhere while a tunnel is dialled. */
  | {
      readonly kind: 'holding'
      readonly awaited: Candidate
      readonly since: Millis
      readonly need: Need
      readonly graceEnds: Millis | undefined
    }
  /** `on` is the uplink. Nothing is chosen meanwhile, though a drill that ends may leave a move for later. */
  | {
      readonly kind: 'trial'
      readonly on: Carrying
      readonly trial: Trial
      readonly move: Move | undefined
    }

/** The path that has the traffic. */
export function carryingOf(phase: Phase): Carrying | undefined {
  switch (phase.kind) {
    case 'waiting':
    case 'holding':
      return undefined
    case 'settled':
    case 'makingDo':
    case 'seeking':
    case 'trial':
      return phase.on
  }
}

/** Where the traffic is to go; undefined before the first choice. */
export function routeOf(phase: Phase): ActiveRoute | undefined {
  if (phase.kind === 'holding') return { kind: 'hold', awaited: phase.awaited.name }
  const on = carryingOf(phase)
  return on && { kind: 'path', name: on.path.name }
}

/** Since when the traffic goes there. */
export function routeSince(phase: Phase): Millis | undefined {
  return phase.kind === 'holding' ? phase.since : carryingOf(phase)?.since
}

/** Whether traffic goes to the same place by both. */
export function sameRoute(one: ActiveRoute | undefined, other: ActiveRoute): boolean {
  switch (one?.kind) {
    case undefined:
      return false
    case 'path':
      return other.kind === 'path' && other.name === one.name
    case 'hold':
      return other.kind === 'hold' && other.awaited === one.awaited
  }
}

/** What is wanted and not had. */
export function needOf(phase: Phase): Need | undefined {
  switch (phase.kind) {
    case 'waiting':
    case 'settled':
    case 'trial':
      return undefined
    case 'makingDo':
    case 'seeking':
    case 'holding':
      return phase.need
  }
}

/** The move that is planned. */
export function moveOf(phase: Phase): Move | undefined {
  switch (phase.kind) {
    case 'seeking':
    case 'holding':
      return undefined
    case 'waiting':
    case 'settled':
    case 'makingDo':
    case 'trial':
      return phase.move
  }
}

/** When the phase is to be looked at again if nothing happens. */
export function deadlineOf(phase: Phase): Millis | undefined {
  switch (phase.kind) {
    case 'waiting':
    case 'settled':
    case 'makingDo':
      return phase.move?.at
    case 'seeking':
    case 'holding':
      return phase.graceEnds
    case 'trial':
      return phase.trial.until
  }
}
