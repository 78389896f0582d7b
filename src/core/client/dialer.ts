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
  Handlers,
  Readiness,
  Return,
} from './dialer-state.ts'
import {
  attemptsOf,
  CLOSE_LIMIT,
  deadlineOf,
  RECALL_GRACE,
  RETURN_DELAY,
  RETURN_DELAY_LIMIT,
  removeAttempt,
  roundOf,
} from './dialer-state.ts'
import type { Candidate, DialUplink, Round } from './round.ts'
import { Rounds } from './rounds.ts'

type Open = Extract<DialerState, { name: 'open' }>
type SessionEnded = Extract<DialerInput, { type: 'sessionEnded' }>
type Ended = Extract<DialerInput, { type: 'ended' }>

/**
 * Decides when and where a tunnel dials: rounds over uplinks, servers and addresses, back-off, redialling, going back.
 * It never gives up. Feed it inputs, then drain `pollAction`; `pollTimeout` is its one deadline.
 */
export class Dialer {
  readonly #rounds: Rounds
  readonly #backoff: Backoff
  readonly #actions: DialerAction[] = []
  #state: DialerState = { name: 'cold' }
  #wanted: Readiness = 'cold'
  #uplinks: readonly DialUplink[] = []
  #nextId = 1
  #returnDelay = RETURN_DELAY

  constructor(options: DialerOptions) {
    this.#rounds = new Rounds(options)
    this.#backoff = new Backoff(options.random)
  }

  get state(): DialerState {
    return this.#state
  }

  input(now: Millis, input: DialerInput): void {
    if (input.type === 'uplinks') this.#uplinks = input.uplinks
    if (input.type === 'want') this.#wanted = input.readiness
    if ('elsewhere' in input && input.elsewhere) this.#rounds.shun(this.#state, input.id)
    if (input.type === 'reconnect' || input.type === 'afresh') this.#backoff.reset()
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
    else if (state.name === 'closing' && now >= state.until) this.#closed(now)
    else if (state.name === 'open' && state.going?.step === 'settling' && now >= state.going.at)
      this.#prove(now, state, state.going.uplink)
    this.#advance(now)
  }

  pollAction(): DialerAction | undefined {
    return this.#actions.shift()
  }

  pollTimeout(): Millis | undefined {
    return deadlineOf(this.#state)
  }

  /** (state, input) -> what to do; what is absent has no meaning in that state and changes nothing. */
  readonly #handlers: Handlers = {
    cold: {
      want: (now, { readiness }) => readiness !== 'cold' && this.#dial(now),
    },
    waiting: {
      want: (now, { readiness }) => {
        if (readiness === 'cold') this.#state = { name: 'cold' }
        else if (readiness === 'session') this.#dial(now)
      },
      reconnect: (now) => this.#dial(now),
      afresh: (now) => this.#dial(now),
      answeredLate: (now) => this.#backoff.answeredLate() && this.#dial(now),
      uplinks: (now) => this.#dial(now),
    },
    dialling: {
      want: (now, { readiness }) => this.#diallingWant(now, readiness),
      reconnect: (now) => this.#close(now, 'reconnect'),
      uplinks: (now) => this.#diallingUplinks(now),
      resolved: (now, { route, addresses }) => roundOf(this.#state)?.resolved(now, route, addresses),
      unresolved: (now, { route }) => roundOf(this.#state)?.unresolved(now, route),
      opened: (now, { id }) => this.#opened(now, id),
      up: (now, { id }) => this.#up(now, id),
      sessionEnded: (now, { id }) => this.#sessionRefused(now, id),
      ended: (now, input) => this.#attemptEnded(now, input),
    },
    open: {
      want: (now, { readiness }) => this.#openWant(now, readiness),
      reconnect: (now) => this.#close(now, 'reconnect'),
      uplinks: (now) => this.#openUplinks(now),
      resolved: (now, { route, addresses }) => roundOf(this.#state)?.resolved(now, route, addresses),
      unresolved: (now, { route }) => roundOf(this.#state)?.unresolved(now, route),
      opened: (now, { id }) => this.#proved(now, id),
      sessionEnded: (now, input) => this.#sessionEnded(now, input),
      ended: (now, input) => this.#lost(now, input),
    },
    recalling: {
      want: (now, { readiness }) => {
        if (readiness === 'cold') this.#close(now, 'shutdown')
        else if (readiness === 'warm') this.#stayOpen(now)
      },
      reconnect: (now) => this.#close(now, 'reconnect'),
      uplinks: (now) => this.#recallingUplinks(now),
      ended: (now, input) => this.#recallingEnded(now, input),
    },
    closing: {
      ended: (now, { id }) => this.#oneClosed(now, id),
    },
  }

  // ---- beginning

  #dial(now: Millis): void {
    if (this.#uplinks.length === 0) {
      this.#state = { name: 'waiting', until: undefined }
      return
    }
    const round = this.#rounds.begin(now, this.#uplinks)
    this.#state = { name: 'dialling', round, attempts: [], opened: undefined }
  }

  /** Runs the current round as far as it goes now. */
  #advance(now: Millis): void {
    const round = roundOf(this.#state)
    if (!round) return
    for (let step = round.pollStep(now); step; step = round.pollStep(now)) {
      if (step.type === 'resolve') this.#actions.push(step)
      else this.#start(step.candidate)
    }
    if (!round.exhausted) return
    if (this.#state.name === 'dialling') this.#dialAfter(now, this.#backoff.afterRound())
    else if (this.#state.name === 'open') this.#unproved(now, this.#state)
  }

  #start(candidate: Candidate): void {
    const attempt: Attempt = { ...candidate, id: this.#nextId++ }
    const state = this.#state
    if (state.name === 'dialling') state.attempts.push(attempt)
    else if (state.name === 'open' && state.going?.step === 'proving') state.going.attempts.push(attempt)
    this.#actions.push({
      type: 'start',
      attempt,
      call: state.name === 'dialling' && this.#wanted === 'session',
    })
  }

  #dialAfter(now: Millis, delay: number): void {
    if (delay <= 0) this.#dial(now)
    else this.#state = { name: 'waiting', until: after(now, delay) }
  }

  // ---- dialling

  /** The first one that is answered wins the race. */
  #opened(now: Millis, id: number): void {
    const state = this.#state
    if (state.name !== 'dialling' || state.opened) return
    const winner = state.attempts.find((attempt) => attempt.id === id)
    if (!winner) return
    state.opened = winner
    this.#backoff.answered()
    state.round.freeze()
    this.#dropOthers(now, state.attempts, winner, state.round)
    if (this.#wanted === 'warm') this.#state = this.#openState(now, winner, false)
  }

  #up(now: Millis, id: number): void {
    const state = this.#state
    if (state.name !== 'dialling' || this.#wanted !== 'session') return
    const attempt = state.attempts.find((each) => each.id === id)
    if (!attempt) return
    this.#rounds.welcomed()
    this.#dropOthers(now, state.attempts, attempt, state.round)
    this.#state = this.#openState(now, attempt, true)
  }

  #diallingWant(now: Millis, readiness: Readiness): void {
    const state = this.#state
    if (readiness === 'cold') this.#close(now, 'shutdown')
    else if (state.name === 'dialling') {
      for (const { id } of state.attempts)
        this.#actions.push({ type: readiness === 'warm' ? 'hangUp' : 'call', id })
      if (readiness === 'warm' && state.opened) this.#state = this.#openState(now, state.opened, false)
    }
  }

  #attemptEnded(now: Millis, { id, readdressed }: Omit<Ended, 'type'>): void {
    const state = this.#state
    if (state.name !== 'dialling') return
    if (!removeAttempt(state.attempts, id)) return
    if (state.opened?.id === id) state.opened = undefined
    state.round.failed(now)
    // The path is as good as before: it deserves a whole round.
    if (readdressed && state.attempts.length === 0) this.#dial(now)
  }

  /** Its server does not want us: another one may. */
  #sessionRefused(now: Millis, id: number): void {
    if (!attemptsOf(this.#state).some((attempt) => attempt.id === id)) return
    this.#actions.push({ type: 'close', id, reason: 'reconnect' })
    this.#attemptEnded(now, { id })
  }

  #diallingUplinks(now: Millis): void {
    const state = this.#state
    if (state.name !== 'dialling') return
    for (const attempt of state.attempts.filter(({ uplink }) => !this.#usable(uplink))) {
      this.#actions.push({ type: 'close', id: attempt.id, reason: 'uplinkGone' })
      this.#attemptEnded(now, attempt)
    }
    if (this.#uplinks.length === 0) this.#state = { name: 'waiting', until: undefined }
    else state.round.update(now, this.#uplinks)
  }

  // ---- open

  #openState(now: Millis, attempt: Attempt, session: boolean): Open {
    return { name: 'open', attempt, session, since: now, going: this.#settle(now, attempt) }
  }

  #openWant(now: Millis, readiness: Readiness): void {
    const state = this.#state
    if (state.name !== 'open') return
    if (readiness === 'cold') this.#close(now, 'shutdown')
    else if (readiness === 'warm' && state.session) {
      this.#actions.push({ type: 'hangUp', id: state.attempt.id })
      this.#state = { ...state, session: false, since: now }
    } else if (readiness === 'session' && !state.session) {
      this.#dropReturn(state)
      this.#recall(now, state.attempt)
    }
  }

  #sessionEnded(now: Millis, { id, elsewhere }: SessionEnded): void {
    const state = this.#state
    if (state.name !== 'open' || !state.session || state.attempt.id !== id) return
    this.#dropReturn(state)
    const delay = this.#backoff.afterSession(now - state.since)
    if (elsewhere) {
      this.#actions.push({ type: 'close', id, reason: 'reconnect' })
      this.#dialAfter(now, delay)
      return
    }
    this.#state = { name: 'recalling', attempt: state.attempt, at: after(now, delay) }
    if (delay === 0) this.#recall(now, state.attempt)
  }

  #lost(now: Millis, { id, readdressed }: Ended): void {
    const state = this.#state
    if (state.name !== 'open') return
    if (state.attempt.id === id) {
      this.#dropReturn(state)
      this.#dialAfter(now, readdressed ? 0 : this.#backoff.afterSession(now - state.since))
    } else if (state.going?.step === 'proving') {
      if (removeAttempt(state.going.attempts, id)) state.going.round.failed(now)
    }
  }

  #openUplinks(now: Millis): void {
    const state = this.#state
    if (state.name !== 'open') return
    if (!this.#usable(state.attempt.uplink)) {
      this.#dropReturn(state)
      this.#actions.push({ type: 'close', id: state.attempt.id, reason: 'uplinkGone' })
      this.#dial(now)
      return
    }
    const going = state.going
    if (going && this.#usable(going.uplink)) return
    this.#dropReturn(state)
    this.#state = { ...state, going: this.#settle(now, state.attempt) }
  }

  // ---- going back to a more preferred uplink

  #settle(now: Millis, attempt: Attempt): Return | undefined {
    const [best] = this.#uplinks
    if (!best || best.id === attempt.uplink.id) return undefined
    return { step: 'settling', at: after(now, this.#returnDelay), uplink: best }
  }

  #prove(now: Millis, state: Open, uplink: DialUplink): void {
    const round = this.#rounds.begin(now, [uplink])
    this.#state = { ...state, going: { step: 'proving', round, attempts: [], uplink } }
  }

  #unproved(now: Millis, state: Open): void {
    this.#returnDelay = Math.min(this.#returnDelay * 2, RETURN_DELAY_LIMIT)
    this.#state = { ...state, going: this.#settle(now, state.attempt) }
  }

  /** The better uplink carries a control connection: the session moves there. */
  #proved(now: Millis, id: number): void {
    const state = this.#state
    if (state.name !== 'open' || state.going?.step !== 'proving') return
    const { attempts } = state.going
    const proved = attempts.find((attempt) => attempt.id === id)
    if (!proved) return
    this.#returnDelay = RETURN_DELAY
    this.#actions.push({ type: 'close', id: state.attempt.id, reason: 'moved' })
    for (const other of attempts)
      if (other !== proved) this.#actions.push({ type: 'close', id: other.id, reason: 'lostRace' })
    if (state.session) this.#recall(now, proved)
    else this.#state = this.#openState(now, proved, false)
  }

  #dropReturn(state: Open): void {
    if (state.going?.step !== 'proving') return
    for (const attempt of state.going.attempts)
      this.#actions.push({ type: 'close', id: attempt.id, reason: 'moved' })
  }

  // ---- calling again through an open control connection

  #recall(now: Millis, attempt: Attempt): void {
    const round = this.#rounds.begin(after(now, RECALL_GRACE), this.#uplinks)
    round.adopt()
    this.#actions.push({ type: 'call', id: attempt.id })
    this.#state = { name: 'dialling', round, attempts: [attempt], opened: undefined }
  }

  #recallingUplinks(now: Millis): void {
    const state = this.#state
    if (state.name !== 'recalling' || this.#usable(state.attempt.uplink)) return
    this.#actions.push({ type: 'close', id: state.attempt.id, reason: 'uplinkGone' })
    this.#dial(now)
  }

  /** The control connection goes too: a fresh one is dialled when the call was due, no sooner. */
  #recallingEnded(now: Millis, { id, readdressed }: Ended): void {
    const state = this.#state
    if (state.name !== 'recalling' || state.attempt.id !== id) return
    this.#dialAfter(now, readdressed ? 0 : state.at - now)
  }

  #stayOpen(now: Millis): void {
    const state = this.#state
    if (state.name === 'recalling') this.#state = this.#openState(now, state.attempt, false)
  }

  // ---- ending

  #close(now: Millis, reason: CloseReason): void {
    const ids = new Set(attemptsOf(this.#state).map(({ id }) => id))
    for (const id of ids) this.#actions.push({ type: 'close', id, reason })
    this.#backoff.reset()
    if (ids.size === 0) this.#closed(now)
    else this.#state = { name: 'closing', ids, until: after(now, CLOSE_LIMIT) }
  }

  #oneClosed(now: Millis, id: number): void {
    const state = this.#state
    if (state.name !== 'closing') return
    state.ids.delete(id)
    if (state.ids.size === 0) this.#closed(now)
  }

  #closed(now: Millis): void {
    if (this.#wanted === 'cold') this.#state = { name: 'cold' }
    else this.#dial(now)
  }

  // ---- small things

  #dropOthers(now: Millis, attempts: Attempt[], winner: Attempt, round: Round): void {
    for (const attempt of attempts.filter((each) => each !== winner)) {
      attempts.splice(attempts.indexOf(attempt), 1)
      round.failed(now)
      this.#actions.push({ type: 'close', id: attempt.id, reason: 'lostRace' })
    }
  }

  #usable(uplink: DialUplink): boolean {
    return this.#uplinks.some(({ id }) => id === uplink.id)
  }
}
