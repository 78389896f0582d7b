import type { Millis } from '../time.ts'
import { after } from '../time.ts'
import { Backoff } from './backoff.ts'
import type {
  CloseReason,
  DialerAction,
  DialerInput,
  DialerOptions,
  DialerState,
  Readiness,
  Row,
  Table,
} from './dialer-state.ts'
import { attemptsOf, CLOSE_LIMIT, deadlineOf, follow, RECALL_GRACE, raceOf } from './dialer-state.ts'
import { type Attempt, Race } from './race.ts'
import { Returns } from './returns.ts'
import type { Candidate, DialUplink } from './round.ts'
import { Rounds } from './rounds.ts'

/**
 * Decides when and where a tunnel dials: rounds over uplinks, servers and addresses, back-off, redialling, going back.
 * It never gives up. Feed it inputs, then drain `pollAction`; `pollTimeout` is its one deadline.
 */
export class Dialer {
  readonly #rounds: Rounds
  readonly #backoff: Backoff
  readonly #returns = new Returns()
  readonly #actions: DialerAction[] = []
  #state: DialerState = { name: 'cold' }
  #wanted: Readiness = 'cold'
  #uplinks: readonly DialUplink[] = []
  #nextId = 1

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
    follow(this.#table, now, this.#state, input)
    this.#advance(now)
  }

  timeout(now: Millis): void {
    const state = this.#state
    if (state.name === 'waiting' && now >= state.until) this.#dial(now)
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

  /** Without an attempt: no uplink, or between two rounds. */
  readonly #idle: Row<DialerState<'stranded' | 'waiting'>> = {
    want: (now, _, { readiness }) => {
      if (readiness === 'cold') this.#state = { name: 'cold' }
      else if (readiness === 'session') this.#dial(now)
    },
    reconnect: (now) => this.#dial(now),
    afresh: (now) => this.#dial(now),
    answeredLate: (now) => this.#backoff.answeredLate() && this.#dial(now),
    uplinks: (now) => this.#dial(now),
  }

  /** What is absent has no meaning in that state and changes nothing. */
  readonly #table: Table = {
    cold: {
      want: (now, _, { readiness }) => readiness !== 'cold' && this.#dial(now),
    },
    stranded: this.#idle,
    waiting: this.#idle,
    dialling: {
      want: (now, state, { readiness }) => this.#diallingWant(now, state, readiness),
      reconnect: (now) => this.#close(now, 'reconnect'),
      uplinks: (now, state) => this.#diallingUplinks(now, state),
      resolved: (now, { race }, { route, addresses }) => race.round.resolved(now, route, addresses),
      unresolved: (now, { race }, { route }) => race.round.unresolved(now, route),
      opened: (now, state, { id }) => this.#opened(now, state, id),
      up: (now, state, { id }) => this.#up(now, state, id),
      sessionEnded: (now, state, { id }) => this.#sessionRefused(now, state, id),
      ended: (now, state, input) => this.#attemptEnded(now, state, input),
    },
    open: {
      want: (now, state, { readiness }) => this.#openWant(now, state, readiness),
      reconnect: (now) => this.#close(now, 'reconnect'),
      uplinks: (now, state) => this.#openUplinks(now, state),
      resolved: (now, state, { route, addresses }) => raceOf(state)?.round.resolved(now, route, addresses),
      unresolved: (now, state, { route }) => raceOf(state)?.round.unresolved(now, route),
      opened: (now, state, { id }) => this.#proved(now, state, id),
      sessionEnded: (now, state, input) => this.#sessionEnded(now, state, input),
      ended: (now, state, input) => this.#lost(now, state, input),
    },
    recalling: {
      want: (now, { attempt }, { readiness }) => {
        if (readiness === 'cold') this.#close(now, 'shutdown')
        else if (readiness === 'warm') this.#state = this.#openState(now, attempt, false)
      },
      reconnect: (now) => this.#close(now, 'reconnect'),
      uplinks: (now, state) => this.#recallingUplinks(now, state),
      ended: (now, state, input) => this.#recallingEnded(now, state, input),
    },
    closing: {
      ended: (now, state, { id }) => this.#oneClosed(now, state, id),
    },
  }

  // ---- beginning

  #dial(now: Millis): void {
    if (this.#uplinks.length === 0) {
      this.#state = { name: 'stranded' }
      return
    }
    const race = new Race(this.#rounds.begin(now, this.#uplinks))
    this.#state = { name: 'dialling', race, opened: undefined }
  }

  /** Runs the current race as far as it goes now. */
  #advance(now: Millis): void {
    const race = raceOf(this.#state)
    if (!race) return
    const { round } = race
    for (let step = round.pollStep(now); step; step = round.pollStep(now)) {
      if (step.type === 'resolve') this.#actions.push(step)
      else this.#start(race, step.candidate)
    }
    if (!round.exhausted) return
    if (this.#state.name === 'dialling') this.#dialAfter(now, this.#backoff.afterRound())
    else if (this.#state.name === 'open') this.#unproved(now, this.#state)
  }

  #start(race: Race, candidate: Candidate): void {
    const attempt: Attempt = { ...candidate, id: this.#nextId++ }
    race.start(attempt)
    const call = this.#state.name === 'dialling' && this.#wanted === 'session'
    this.#actions.push({ type: 'start', attempt, call })
  }

  #dialAfter(now: Millis, delay: number): void {
    if (delay <= 0) this.#dial(now)
    else this.#state = { name: 'waiting', until: after(now, delay) }
  }

  // ---- dialling

  #opened(now: Millis, { race, opened }: DialerState<'dialling'>, id: number): void {
    const winner = race.find(id)
    if (opened || !winner) return
    this.#backoff.answered()
    race.round.freeze()
    this.#decide(now, race, winner)
    if (this.#wanted === 'warm') this.#state = this.#openState(now, winner, false)
    else this.#state = { name: 'dialling', race, opened: winner }
  }

  #up(now: Millis, { race }: DialerState<'dialling'>, id: number): void {
    const winner = race.find(id)
    if (this.#wanted !== 'session' || !winner) return
    this.#rounds.welcomed()
    this.#decide(now, race, winner)
    this.#state = this.#openState(now, winner, true)
  }

  #decide(now: Millis, race: Race, winner: Attempt): void {
    for (const { id } of race.decide(now, winner))
      this.#actions.push({ type: 'close', id, reason: 'lostRace' })
  }

  #diallingWant(now: Millis, { race, opened }: DialerState<'dialling'>, readiness: Readiness): void {
    if (readiness === 'cold') {
      this.#close(now, 'shutdown')
      return
    }
    const type = readiness === 'warm' ? 'hangUp' : 'call'
    for (const { id } of race.attempts) this.#actions.push({ type, id })
    if (readiness === 'warm' && opened) this.#state = this.#openState(now, opened, false)
  }

  #attemptEnded(
    now: Millis,
    { race, opened }: DialerState<'dialling'>,
    { id, readdressed }: Omit<DialerInput<'ended'>, 'type'>,
  ): void {
    if (!race.end(now, id)) return
    // The path is as good as before: it deserves a whole round.
    if (readdressed && race.attempts.length === 0) this.#dial(now)
    else if (opened?.id === id) this.#state = { name: 'dialling', race, opened: undefined }
  }

  /** Its server does not want us: another one may. */
  #sessionRefused(now: Millis, state: DialerState<'dialling'>, id: number): void {
    if (!state.race.find(id)) return
    this.#actions.push({ type: 'close', id, reason: 'reconnect' })
    this.#attemptEnded(now, state, { id })
  }

  #diallingUplinks(now: Millis, state: DialerState<'dialling'>): void {
    for (const { id } of state.race.attempts.filter(({ uplink }) => !this.#usable(uplink))) {
      this.#actions.push({ type: 'close', id, reason: 'uplinkGone' })
      this.#attemptEnded(now, state, { id })
    }
    if (this.#uplinks.length === 0) this.#state = { name: 'stranded' }
    else state.race.round.update(now, this.#uplinks)
  }

  // ---- open

  #openState(now: Millis, attempt: Attempt, session: boolean): DialerState<'open'> {
    const going = this.#returns.settle(now, this.#uplinks, attempt)
    return { name: 'open', attempt, session, since: now, going }
  }

  #openWant(now: Millis, state: DialerState<'open'>, readiness: Readiness): void {
    if (readiness === 'cold') this.#close(now, 'shutdown')
    else if (readiness === 'warm' && state.session) {
      this.#actions.push({ type: 'hangUp', id: state.attempt.id })
      this.#state = { ...state, session: false, since: now }
    } else if (readiness === 'session' && !state.session) {
      this.#dropReturn(state)
      this.#recall(now, state.attempt)
    }
  }

  #sessionEnded(
    now: Millis,
    state: DialerState<'open'>,
    { id, elsewhere }: DialerInput<'sessionEnded'>,
  ): void {
    if (!state.session || state.attempt.id !== id) return
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

  #lost(now: Millis, state: DialerState<'open'>, { id, readdressed }: DialerInput<'ended'>): void {
    if (state.attempt.id === id) {
      this.#dropReturn(state)
      this.#dialAfter(now, readdressed ? 0 : this.#backoff.afterSession(now - state.since))
    } else if (state.going?.step === 'proving') {
      state.going.race.end(now, id)
    }
  }

  #openUplinks(now: Millis, state: DialerState<'open'>): void {
    if (!this.#usable(state.attempt.uplink)) {
      this.#dropReturn(state)
      this.#actions.push({ type: 'close', id: state.attempt.id, reason: 'uplinkGone' })
      this.#dial(now)
      return
    }
    if (state.going && this.#usable(state.going.uplink)) return
    this.#dropReturn(state)
    this.#settle(now, state)
  }

  // ---- going back to a more preferred uplink

  #settle(now: Millis, state: DialerState<'open'>): void {
    this.#state = { ...state, going: this.#returns.settle(now, this.#uplinks, state.attempt) }
  }

  #prove(now: Millis, state: DialerState<'open'>, uplink: DialUplink): void {
    const race = new Race(this.#rounds.begin(now, [uplink]))
    this.#state = { ...state, going: { step: 'proving', race, uplink } }
  }

  #unproved(now: Millis, state: DialerState<'open'>): void {
    this.#returns.vain()
    this.#settle(now, state)
  }

  /** The better uplink carries a control connection: the session moves there. */
  #proved(now: Millis, state: DialerState<'open'>, id: number): void {
    if (state.going?.step !== 'proving') return
    const { race } = state.going
    const proved = race.find(id)
    if (!proved) return
    this.#returns.proved()
    this.#actions.push({ type: 'close', id: state.attempt.id, reason: 'moved' })
    this.#decide(now, race, proved)
    if (state.session) this.#recall(now, proved)
    else this.#state = this.#openState(now, proved, false)
  }

  #dropReturn({ going }: DialerState<'open'>): void {
    if (going?.step !== 'proving') return
    for (const { id } of going.race.attempts) this.#actions.push({ type: 'close', id, reason: 'moved' })
  }

  // ---- calling again through an open control connection

  #recall(now: Millis, attempt: Attempt): void {
    const race = new Race(this.#rounds.begin(after(now, RECALL_GRACE), this.#uplinks))
    race.adopt(attempt)
    this.#actions.push({ type: 'call', id: attempt.id })
    this.#state = { name: 'dialling', race, opened: undefined }
  }

  #recallingUplinks(now: Millis, { attempt }: DialerState<'recalling'>): void {
    if (this.#usable(attempt.uplink)) return
    this.#actions.push({ type: 'close', id: attempt.id, reason: 'uplinkGone' })
    this.#dial(now)
  }

  /** The control connection goes too: a fresh one is dialled when the call was due, no sooner. */
  #recallingEnded(
    now: Millis,
    { attempt, at }: DialerState<'recalling'>,
    { id, readdressed }: DialerInput<'ended'>,
  ): void {
    if (attempt.id === id) this.#dialAfter(now, readdressed ? 0 : at - now)
  }

  // ---- ending

  #close(now: Millis, reason: CloseReason): void {
    const ids = new Set(attemptsOf(this.#state).map(({ id }) => id))
    for (const id of ids) this.#actions.push({ type: 'close', id, reason })
    this.#backoff.reset()
    if (ids.size === 0) this.#closed(now)
    else this.#state = { name: 'closing', ids, until: after(now, CLOSE_LIMIT) }
  }

  #oneClosed(now: Millis, { ids }: DialerState<'closing'>, id: number): void {
    ids.delete(id)
    if (ids.size === 0) this.#closed(now)
  }

  #closed(now: Millis): void {
    if (this.#wanted === 'cold') this.#state = { name: 'cold' }
    else this.#dial(now)
  }

  #usable(uplink: DialUplink): boolean {
    return this.#uplinks.some(({ id }) => id === uplink.id)
  }
}
