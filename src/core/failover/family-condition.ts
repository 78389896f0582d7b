/** The states of one address family of a path, each with its deadlines, and the steps among them that need nothing else. */
import type { ProbeConfig } from '../config/types.ts'
import { after, type Millis, millis } from '../time.ts'
import type { Health, HealthChange } from './probing.ts'

/** One round of probes; it is missed if none of them is answered by `deadline`. */
export interface Round {
  readonly startedAt: Millis
  readonly deadline: Millis
  /** It was told as lost, and no answer has come since. */
  lost: boolean
}

/** `nextAt`: when the next regular probe is due; it waits for the end of a round. `livesUntil`: an LCP echo speaks for the path. */
export type Asking =
  | { readonly kind: 'idle'; readonly nextAt: Millis; readonly livesUntil: Millis | undefined }
  | {
      readonly kind: 'round'
      readonly round: Round
      readonly nextAt: Millis
      readonly livesUntil: Millis | undefined
    }

/** Rounds in a row that nobody answered, and when the first of them began. */
export interface Misses {
  readonly count: number
  readonly since: Millis
}

/** The device can carry packets, so that there is somebody to ask. */
export type Linked =
  | {
      readonly kind: 'unknown'
      readonly reason: string
      readonly misses: Misses | undefined
      readonly asking: Asking
    }
  | { readonly kind: 'up'; readonly reason: string; readonly asking: Asking }
  | { readonly kind: 'suspect'; readonly reason: string; readonly misses: Misses; readonly asking: Asking }
  | {
      readonly kind: 'down'
      readonly reason: string
      readonly troubleSince: Millis
      /** In a row, since it is down. */
      readonly answeredRounds: number
      readonly asking: Asking
    }

/** How one address family of a path fares: what is known, since when, and when somebody is asked again. */
export type Condition =
  | { readonly kind: 'unseen' }
  | { readonly kind: 'unlinked'; readonly reason: string; readonly troubleSince: Millis }
  | Linked

const UNSEEN_REASON = 'not looked at yet'

/** Health and its reason as they are told. */
export function toldOf(condition: Condition): HealthChange {
  const health = healthOf(condition)
  return { health, reason: condition.kind === 'unseen' ? UNSEEN_REASON : condition.reason }
}

/** The health that a condition is told as. */
export function healthOf({ kind }: Condition): Health {
  switch (kind) {
    case 'unseen':
      return 'unknown'
    case 'unlinked':
      return 'down'
    case 'unknown':
    case 'up':
    case 'suspect':
    case 'down':
      return kind
  }
}

/** When the trouble began: the first probe that was missed was sent then, or the link went. */
export function troubleOf(condition: Condition): Millis | undefined {
  switch (condition.kind) {
    case 'unseen':
    case 'up':
      return undefined
    case 'unknown':
    case 'suspect':
      return condition.misses?.since
    case 'unlinked':
    case 'down':
      return condition.troubleSince
  }
}

/** When a round is over or the next one is due; nothing is asked without a link. */
export function deadlineOf(condition: Condition): Millis | undefined {
  const asking = linkedOf(condition)?.asking
  return asking?.kind === 'round' ? asking.round.deadline : asking?.nextAt
}

/** Undefined without a link. */
export function linkedOf(condition: Condition): Linked | undefined {
  switch (condition.kind) {
    case 'unseen':
    case 'unlinked':
      return undefined
    case 'unknown':
    case 'up':
    case 'suspect':
    case 'down':
      return condition
  }
}

/** The link went, or is down for another reason now. */
export function unlinked(now: Millis, condition: Condition, reason: string): Condition {
  return { kind: 'unlinked', reason, troubleSince: troubleOf(condition) ?? now }
}

/** The link came: what was wrong before says nothing about it. */
export function linked(now: Millis, condition: Condition): Linked {
  const reason = condition.kind === 'unseen' ? UNSEEN_REASON : 'the link came up, probing'
  return {
    kind: 'unknown',
    reason,
    misses: undefined,
    asking: { kind: 'idle', nextAt: now, livesUntil: undefined },
  }
}

/** It works; why it was said to stays as it is. */
export function working(before: Linked, reason: string): Linked {
  return before.kind === 'up' ? before : { kind: 'up', reason, asking: before.asking }
}

/** The round is over. */
export function idle<State extends Linked>(state: State): State {
  const { nextAt, livesUntil } = state.asking
  return { ...state, asking: { kind: 'idle', nextAt, livesUntil } }
}

/** The next regular probe is due at `at` at the latest. */
export function dueBy<State extends Linked>(state: State, at: Millis): State {
  return { ...state, asking: { ...state.asking, nextAt: millis(Math.min(state.asking.nextAt, at)) } }
}

/** Somebody was heard. `counts`: as an answered round, of which a path that is down needs several in a row. */
export function heard(now: Millis, before: Linked, counts: boolean, config: ProbeConfig): Linked {
  const inRound = before.asking.kind === 'round'
  const state = idle(before)
  if (state.kind !== 'down') return working(state, 'probes are answered')
  const answeredRounds = state.answeredRounds + (counts ? 1 : 0)
  if (answeredRounds >= config.up) return working(state, 'probes are answered')
  const down = { ...state, answeredRounds }
  // It seems to come back: what is spared otherwise is spent on making sure soon.
  return inRound ? dueBy(down, after(now, config.interval)) : down
}
