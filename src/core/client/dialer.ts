import type { Millis } from '../time.ts'
import { after } from '../time.ts'
import { Backoff } from './backoff.ts'
import type {
  Attempt,
  CloseReason,
  DialerAction,
  DialerInput,
  DialerOptions,
  DialerState,
  Return,
} from './dialer-types.ts'
import type { Candidate, DialUplink } from './round.ts'
import { Round } from './round.ts'

/** A session that lasted this long is stable: the back-off begins anew and a loss is answered by dialling at once. */
export const STABLE = 60_000
/** How long a more preferred uplink must be usable before the tunnel is moved to it. */
export const RETURN_DELAY = 10_000
const RETURN_DELAY_LIMIT = 600_000
/** How long the peers get to acknowledge a clean end. */
export const CLOSE_LIMIT = 1_500
/** How long a call through an open control connection may stay unanswered before a fresh one is dialled beside it. */
export const RECALL_GRACE = 500

type Up = Extract<DialerState, { name: 'up' }>

type Handlers = {
  [Name in DialerState['name']]?: {
    [Type in DialerInput['type']]?: (now: Millis, input: Extract<DialerInput, { type: Type }>) => void
  }
}

/**
 * Decides when and where a tunnel dials: rounds over uplinks, servers and addresses, back-off, redialling, going back.
 * It never gives up. Feed it inputs, then drain `pollAction`; `pollTimeout` is its one deadline.
 */
export class Dialer {
  readonly #options: DialerOptions
  readonly #backoff: Backoff
  readonly #actions: DialerAction[] = []
  #state: DialerState = { name: 'disabled' }
  #uplinks: readonly DialUplink[] = []
  #nextId = 1
  #returnDelay = RETURN_DELAY

  constructor(options: DialerOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.random)
  }

  get state(): DialerState {
    return this.#state
  }

  input(now: Millis, input: DialerInput): void {
    if (input.type === 'uplinks') this.#uplinks = input.uplinks
    const handle = this.#handlers[this.#state.name]?.[input.type] as
      | ((now: Millis, input: DialerInput) => void)
      | undefined
    handle?.(now, input)
    this.#advance(now)
  }

  timeout(now: Millis): void {
    const state = this.#state
    if (state.name === 'waiting' && state.until !== undefined && now >= state.until) this.#dial(now)
    else if (state.name === 'recalling' && now >= state.at) this.#recall(now, state.attempt)
    else if (state.name === 'closing' && now >= state.until) this.#closed(now, state.next)
    else if (state.name === 'up' && state.going?.step === 'settling' && now >= state.going.at)
      this.#prove(now, state, state.going.uplink)
    this.#advance(now)
  }

  pollAction(): DialerAction | undefined {
    return this.#actions.shift()
  }

  pollTimeout(): Millis | undefined {
    const state = this.#state
    switch (state.name) {
      case 'disabled':
        return undefined
      case 'waiting':
      case 'closing':
        return state.until
      case 'recalling':
        return state.at
      case 'dialling':
        return state.round.pollTimeout()
      case 'up':
        if (state.going === undefined) return undefined
        return state.going.step === 'settling' ? state.going.at : state.going.round.pollTimeout()
    }
  }

  /** (state, input) -> what to do; what is absent has no meaning in that state and changes nothing. */
  readonly #handlers: Handlers = {
    disabled: {
      enable: (now) => this.#dial(now),
    },
    waiting: {
      disable: () => this.#become({ name: 'disabled' }),
      reconnect: (now) => this.#dial(now),
      uplinks: (now) => this.#dial(now),
    },
    dialling: {
      disable: (now) => this.#close(now, this.#alive(), 'shutdown', 'disabled'),
      reconnect: (now) => this.#close(now, this.#alive(), 'reconnect', 'waiting'),
      uplinks: (now) => this.#diallingUplinks(now),
      resolved: (now, { route, addresses }) => this.#round()?.resolved(now, route, addresses),
      unresolved: (now, { route }) => this.#round()?.unresolved(now, route),
      opened: (now, { id }) => this.#opened(now, id),
      up: (now, { id }) => this.#up(now, id),
      sessionEnded: (_now, { id }) => this.#act({ type: 'close', id, reason: 'reconnect' }),
      ended: (now, { id }) => this.#attemptEnded(now, id),
    },
    up: {
      disable: (now) => this.#close(now, this.#alive(), 'shutdown', 'disabled'),
      reconnect: (now) => this.#close(now, this.#alive(), 'reconnect', 'waiting'),
      uplinks: (now) => this.#upUplinks(now),
      resolved: (now, { route, addresses }) => this.#round()?.resolved(now, route, addresses),
      unresolved: (now, { route }) => this.#round()?.unresolved(now, route),
      opened: (now, { id }) => this.#proved(now, id),
      sessionEnded: (now, { id }) => this.#sessionEnded(now, id),
      ended: (now, { id }) => this.#lost(now, id),
    },
    recalling: {
      disable: (now) => this.#close(now, this.#alive(), 'shutdown', 'disabled'),
      reconnect: (now) => this.#close(now, this.#alive(), 'reconnect', 'waiting'),
      uplinks: (now) => this.#recallingUplinks(now),
      ended: (now, { id }) => id === this.#attempt()?.id && this.#dial(now),
    },
    closing: {
      enable: () => this.#afterClosing('waiting'),
      reconnect: () => this.#afterClosing('waiting'),
      disable: () => this.#afterClosing('disabled'),
      ended: (now, { id }) => this.#oneClosed(now, id),
    },
  }

  // ---- beginning

  #dial(now: Millis): void {
    if (this.#uplinks.length === 0) {
      this.#become({ name: 'waiting', until: undefined })
      return
    }
    const round = new Round(now, this.#uplinks, this.#options.servers, this.#options.serial)
    this.#become({ name: 'dialling', round, attempts: [], opened: undefined })
  }

  /** Runs the current round as far as it goes now. */
  #advance(now: Millis): void {
    const round = this.#round()
    if (!round) return
    for (let step = round.pollStep(now); step; step = round.pollStep(now)) {
      if (step.type === 'resolve') this.#act(step)
      else this.#start(step.candidate)
    }
    if (!round.exhausted) return
    if (this.#state.name === 'dialling') this.#retryLater(now)
    else if (this.#state.name === 'up') this.#unproved(now, this.#state)
  }

  #start(candidate: Candidate): void {
    const attempt: Attempt = { ...candidate, id: this.#nextId++ }
    const state = this.#state
    if (state.name === 'dialling') state.attempts.push(attempt)
    else if (state.name === 'up' && state.going?.step === 'proving') state.going.attempts.push(attempt)
    this.#act({ type: 'start', attempt, call: state.name === 'dialling' })
  }

  #retryLater(now: Millis): void {
    this.#become({ name: 'waiting', until: after(now, this.#backoff.next()) })
  }

  // ---- dialling

  /** The first one that is answered wins the race. */
  #opened(now: Millis, id: number): void {
    const state = this.#state
    if (state.name !== 'dialling' || state.opened) return
    const winner = state.attempts.find((attempt) => attempt.id === id)
    if (!winner) return
    state.opened = winner
    state.round.freeze()
    this.#dropOthers(now, state.attempts, winner, state.round)
  }

  #up(now: Millis, id: number): void {
    const state = this.#state
    if (state.name !== 'dialling') return
    const attempt = state.attempts.find((each) => each.id === id)
    if (!attempt) return
    this.#dropOthers(now, state.attempts, attempt, state.round)
    this.#become({ name: 'up', attempt, since: now, going: this.#settle(now, attempt) })
  }

  #attemptEnded(now: Millis, id: number): void {
    const state = this.#state
    if (state.name !== 'dialling') return
    const index = state.attempts.findIndex((attempt) => attempt.id === id)
    if (index < 0) return
    state.attempts.splice(index, 1)
    if (state.opened?.id === id) state.opened = undefined
    state.round.failed(now)
  }

  #diallingUplinks(now: Millis): void {
    const state = this.#state
    if (state.name !== 'dialling') return
    for (const attempt of state.attempts.filter(({ uplink }) => !this.#usable(uplink))) {
      this.#act({ type: 'close', id: attempt.id, reason: 'uplinkGone' })
      this.#attemptEnded(now, attempt.id)
    }
    if (this.#uplinks.length === 0) this.#become({ name: 'waiting', until: undefined })
    else state.round.update(now, this.#uplinks)
  }

  // ---- up

  #sessionEnded(now: Millis, id: number): void {
    const state = this.#state
    if (state.name !== 'up' || state.attempt.id !== id) return
    this.#dropReturn(state)
    const delay = this.#delayAfterLoss(now, state.since)
    this.#become({ name: 'recalling', attempt: state.attempt, at: after(now, delay) })
    if (delay === 0) this.#recall(now, state.attempt)
  }

  #lost(now: Millis, id: number): void {
    const state = this.#state
    if (state.name !== 'up') return
    if (state.attempt.id === id) {
      this.#dropReturn(state)
      const delay = this.#delayAfterLoss(now, state.since)
      if (delay === 0) this.#dial(now)
      else this.#become({ name: 'waiting', until: after(now, delay) })
    } else if (state.going?.step === 'proving') {
      const index = state.going.attempts.findIndex((attempt) => attempt.id === id)
      if (index < 0) return
      state.going.attempts.splice(index, 1)
      state.going.round.failed(now)
    }
  }

  #delayAfterLoss(now: Millis, since: Millis): number {
    if (now - since < STABLE) return this.#backoff.next()
    this.#backoff.reset()
    return 0
  }

  #upUplinks(now: Millis): void {
    const state = this.#state
    if (state.name !== 'up') return
    if (!this.#usable(state.attempt.uplink)) {
      this.#dropReturn(state)
      this.#act({ type: 'close', id: state.attempt.id, reason: 'uplinkGone' })
      this.#dial(now)
      return
    }
    const going = state.going
    if (going && this.#usable(going.uplink)) return
    this.#dropReturn(state)
    this.#become({ ...state, going: this.#settle(now, state.attempt) })
  }

  // ---- going back to a more preferred uplink

  #settle(now: Millis, attempt: Attempt): Return | undefined {
    const [best] = this.#uplinks
    if (!best || best.id === attempt.uplink.id || this.#options.serial) return undefined
    return { step: 'settling', at: after(now, this.#returnDelay), uplink: best }
  }

  #prove(now: Millis, state: Up, uplink: DialUplink): void {
    const round = new Round(now, [uplink], this.#options.servers, false)
    this.#become({ ...state, going: { step: 'proving', round, attempts: [], uplink } })
  }

  #unproved(now: Millis, state: Up): void {
    this.#returnDelay = Math.min(this.#returnDelay * 2, RETURN_DELAY_LIMIT)
    this.#become({ ...state, going: this.#settle(now, state.attempt) })
  }

  /** The better uplink carries a control connection: the session moves there. */
  #proved(now: Millis, id: number): void {
    const state = this.#state
    if (state.name !== 'up' || state.going?.step !== 'proving') return
    const { attempts } = state.going
    const proved = attempts.find((attempt) => attempt.id === id)
    if (!proved) return
    this.#returnDelay = RETURN_DELAY
    this.#act({ type: 'close', id: state.attempt.id, reason: 'moved' })
    for (const other of attempts)
      if (other !== proved) this.#act({ type: 'close', id: other.id, reason: 'lostRace' })
    this.#recall(now, proved)
  }

  #dropReturn(state: Up): void {
    if (state.going?.step !== 'proving') return
    for (const attempt of state.going.attempts) this.#act({ type: 'close', id: attempt.id, reason: 'moved' })
  }

  // ---- calling again through an open control connection

  #recall(now: Millis, attempt: Attempt): void {
    const { servers, serial } = this.#options
    const round = new Round(after(now, RECALL_GRACE), this.#uplinks, servers, serial)
    round.adopt()
    this.#act({ type: 'call', id: attempt.id })
    this.#become({ name: 'dialling', round, attempts: [attempt], opened: undefined })
  }

  #recallingUplinks(now: Millis): void {
    const state = this.#state
    if (state.name !== 'recalling' || this.#usable(state.attempt.uplink)) return
    this.#act({ type: 'close', id: state.attempt.id, reason: 'uplinkGone' })
    this.#dial(now)
  }

  // ---- ending

  #close(now: Millis, attempts: readonly Attempt[], reason: CloseReason, next: 'disabled' | 'waiting'): void {
    for (const { id } of attempts) this.#act({ type: 'close', id, reason })
    this.#backoff.reset()
    const ids = new Set(attempts.map(({ id }) => id))
    if (ids.size === 0) this.#closed(now, next)
    else this.#become({ name: 'closing', ids, until: after(now, CLOSE_LIMIT), next })
  }

  #oneClosed(now: Millis, id: number): void {
    const state = this.#state
    if (state.name !== 'closing') return
    state.ids.delete(id)
    if (state.ids.size === 0) this.#closed(now, state.next)
  }

  #closed(now: Millis, next: 'disabled' | 'waiting'): void {
    if (next === 'disabled') this.#become({ name: 'disabled' })
    else this.#dial(now)
  }

  #afterClosing(next: 'disabled' | 'waiting'): void {
    if (this.#state.name === 'closing') this.#become({ ...this.#state, next })
  }

  // ---- small things

  #dropOthers(now: Millis, attempts: Attempt[], winner: Attempt, round: Round): void {
    for (const attempt of attempts.filter((each) => each !== winner)) {
      attempts.splice(attempts.indexOf(attempt), 1)
      round.failed(now)
      this.#act({ type: 'close', id: attempt.id, reason: 'lostRace' })
    }
  }

  #alive(): readonly Attempt[] {
    const state = this.#state
    if (state.name === 'dialling') return state.attempts
    if (state.name === 'recalling') return [state.attempt]
    if (state.name === 'up')
      return [state.attempt, ...(state.going?.step === 'proving' ? state.going.attempts : [])]
    return []
  }

  #attempt(): Attempt | undefined {
    return this.#state.name === 'recalling' ? this.#state.attempt : undefined
  }

  #round(): Round | undefined {
    if (this.#state.name === 'dialling') return this.#state.round
    if (this.#state.name === 'up' && this.#state.going?.step === 'proving') return this.#state.going.round
    return undefined
  }

  #usable(uplink: DialUplink): boolean {
    return this.#uplinks.some(({ id }) => id === uplink.id)
  }

  #become(state: DialerState): void {
    this.#state = state
  }

  #act(action: DialerAction): void {
    this.#actions.push(action)
  }
}
