/** The option negotiation automaton as data: RFC 1661 section 4.1. `control-protocol.ts` gives life to it. */

/** The states of RFC 1661 section 4.2, in its order. */
export const stateNames = [
  'initial',
  'starting',
  'closed',
  'stopped',
  'closing',
  'stopping',
  'reqSent',
  'ackRcvd',
  'ackSent',
  'opened',
] as const
/** RFC 1661 section 4.2, in the order of its numbers 0 to 9. */
export type StateName = (typeof stateNames)[number]

/** RFC 1661 section 4.3. */
export type AutomatonEvent =
  | 'up'
  | 'down'
  | 'open'
  | 'close'
  /** Timeout with counter > 0. */
  | 'toPlus'
  /** Timeout with counter expired. */
  | 'toMinus'
  /** Receive-Configure-Request, acceptable. */
  | 'rcrPlus'
  /** Receive-Configure-Request, unacceptable. */
  | 'rcrMinus'
  | 'rca'
  /** Receive-Configure-Nak or -Reject. */
  | 'rcn'
  | 'rtr'
  | 'rta'
  /** Receive-Unknown-Code. */
  | 'ruc'
  /** Receive-Code-Reject or -Protocol-Reject, permitted. */
  | 'rxjPlus'
  /** The same, catastrophic. */
  | 'rxjMinus'
  /** Receive-Echo-Request, -Echo-Reply or -Discard-Request. */
  | 'rxr'

/** RFC 1661 section 4.4. */
export type Action =
  | 'tlu'
  | 'tld'
  | 'tls'
  | 'tlf'
  /** Initialize-Restart-Count. */
  | 'irc'
  /** Zero-Restart-Count. */
  | 'zrc'
  | 'scr'
  | 'sca'
  /** Send-Configure-Nak or -Reject. */
  | 'scn'
  | 'str'
  | 'sta'
  | 'scj'
  | 'ser'

/** A cell of the table: what is done, and the state after it (RFC 1661 section 4.1). */
export interface Transition {
  readonly actions: readonly Action[]
  readonly next: StateName
}

function to(state: number, ...actions: Action[]): Transition {
  return { actions, next: stateNames[state] ?? 'initial' }
}

/** "-": an illegal event; it changes nothing. */
const none = undefined

/**
 * ```
 *       | State
 *       |    0         1         2         3         4         5
 * Events| Initial   Starting  Closed    Stopped   Closing   Stopping
 * ------+-----------------------------------------------------------
 *  Up   |    2     irc,scr/6     -         -         -         -
 *  Down |    -         -         0       tls/1       0         1
 *  Open |  tls/1       1     irc,scr/6     3r        5r        5r
 *  Close|    0       tlf/0       2         2         4         4
 *       |
 *   TO+ |    -         -         -         -       str/4     str/5
 *   TO- |    -         -         -         -       tlf/2     tlf/3
 *       |
 *  RCR+ |    -         -       sta/2 irc,scr,sca/8   4         5
 *  RCR- |    -         -       sta/2 irc,scr,scn/6   4         5
 *  RCA  |    -         -       sta/2     sta/3       4         5
 *  RCN  |    -         -       sta/2     sta/3       4         5
 *       |
 *  RTR  |    -         -       sta/2     sta/3     sta/4     sta/5
 *  RTA  |    -         -         2         3       tlf/2     tlf/3
 *       |
 *  RUC  |    -         -       scj/2     scj/3     scj/4     scj/5
 *  RXJ+ |    -         -         2         3         4         5
 *  RXJ- |    -         -       tlf/2     tlf/3     tlf/2     tlf/3
 *       |
 *  RXR  |    -         -         2         3         4         5
 *
 *       | State
 *       |    6         7         8           9
 * Events| Req-Sent  Ack-Rcvd  Ack-Sent    Opened
 * ------+-----------------------------------------
 *  Up   |    -         -         -           -
 *  Down |    1         1         1         tld/1
 *  Open |    6         7         8           9r
 *  Close|irc,str/4 irc,str/4 irc,str/4 tld,irc,str/4
 *       |
 *   TO+ |  scr/6     scr/6     scr/8         -
 *   TO- | tlf/3p    tlf/3p    tlf/3p         -
 *       |
 *  RCR+ |  sca/8   sca,tlu/9   sca/8   tld,scr,sca/8
 *  RCR- |  scn/6     scn/7     scn/6   tld,scr,scn/6
 *  RCA  |  irc/7     scr/6x  irc,tlu/9   tld,scr/6x
 *  RCN  |irc,scr/6   scr/6x  irc,scr/8   tld,scr/6x
 *       |
 *  RTR  |  sta/6     sta/6     sta/6   tld,zrc,sta/5
 *  RTA  |    6         6         8       tld,scr/6
 *       |
 *  RUC  |  scj/6     scj/7     scj/8       scj/9
 *  RXJ+ |    6         6         8           9
 *  RXJ- |  tlf/3     tlf/3     tlf/3   tld,irc,str/5
 *       |
 *  RXR  |    6         7         8         ser/9
 * ```
 * The options r (restart), p (passive) and x (crossed connection) need no entry: Open while open restarts nothing, and
 * Stopped is left at a Configure-Request, as printed.
 */
const table: Readonly<Record<AutomatonEvent, readonly (Transition | undefined)[]>> = {
  up: [to(2), to(6, 'irc', 'scr'), none, none, none, none, none, none, none, none],
  down: [none, none, to(0), to(1, 'tls'), to(0), to(1), to(1), to(1), to(1), to(1, 'tld')],
  open: [to(1, 'tls'), to(1), to(6, 'irc', 'scr'), to(3), to(5), to(5), to(6), to(7), to(8), to(9)],
  close: [
    ...[to(0), to(0, 'tlf'), to(2), to(2), to(4), to(4)],
    ...[to(4, 'irc', 'str'), to(4, 'irc', 'str'), to(4, 'irc', 'str'), to(4, 'tld', 'irc', 'str')],
  ],
  toPlus: [
    ...[none, none, none, none, to(4, 'str'), to(5, 'str')],
    ...[to(6, 'scr'), to(6, 'scr'), to(8, 'scr'), none],
  ],
  toMinus: [
    ...[none, none, none, none, to(2, 'tlf'), to(3, 'tlf')],
    ...[to(3, 'tlf'), to(3, 'tlf'), to(3, 'tlf'), none],
  ],
  rcrPlus: [
    ...[none, none, to(2, 'sta'), to(8, 'irc', 'scr', 'sca'), to(4), to(5)],
    ...[to(8, 'sca'), to(9, 'sca', 'tlu'), to(8, 'sca'), to(8, 'tld', 'scr', 'sca')],
  ],
  rcrMinus: [
    ...[none, none, to(2, 'sta'), to(6, 'irc', 'scr', 'scn'), to(4), to(5)],
    ...[to(6, 'scn'), to(7, 'scn'), to(6, 'scn'), to(6, 'tld', 'scr', 'scn')],
  ],
  rca: [
    ...[none, none, to(2, 'sta'), to(3, 'sta'), to(4), to(5)],
    ...[to(7, 'irc'), to(6, 'scr'), to(9, 'irc', 'tlu'), to(6, 'tld', 'scr')],
  ],
  rcn: [
    ...[none, none, to(2, 'sta'), to(3, 'sta'), to(4), to(5)],
    ...[to(6, 'irc', 'scr'), to(6, 'scr'), to(8, 'irc', 'scr'), to(6, 'tld', 'scr')],
  ],
  rtr: [
    ...[none, none, to(2, 'sta'), to(3, 'sta'), to(4, 'sta'), to(5, 'sta')],
    ...[to(6, 'sta'), to(6, 'sta'), to(6, 'sta'), to(5, 'tld', 'zrc', 'sta')],
  ],
  rta: [
    ...[none, none, to(2), to(3), to(2, 'tlf'), to(3, 'tlf')],
    ...[to(6), to(6), to(8), to(6, 'tld', 'scr')],
  ],
  ruc: [
    ...[none, none, to(2, 'scj'), to(3, 'scj'), to(4, 'scj'), to(5, 'scj')],
    ...[to(6, 'scj'), to(7, 'scj'), to(8, 'scj'), to(9, 'scj')],
  ],
  rxjPlus: [none, none, to(2), to(3), to(4), to(5), to(6), to(6), to(8), to(9)],
  rxjMinus: [
    ...[none, none, to(2, 'tlf'), to(3, 'tlf'), to(2, 'tlf'), to(3, 'tlf')],
    ...[to(3, 'tlf'), to(3, 'tlf'), to(3, 'tlf'), to(5, 'tld', 'irc', 'str')],
  ],
  rxr: [none, none, to(2), to(3), to(4), to(5), to(6), to(7), to(8), to(9, 'ser')],
}

/** What an event does in a state; undefined where RFC 1661 calls it illegal there. */
export function transition(state: StateName, event: AutomatonEvent): Transition | undefined {
  return table[event][stateNames.indexOf(state)]
}
