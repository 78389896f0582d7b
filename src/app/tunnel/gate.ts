/** What must be in place before the first message of a dial leaves. */
import type { Failure } from '../../core/failure.ts'
import { err, ok, type Result } from '../../core/result.ts'
import { after } from '../../core/time.ts'
import type { Cancel, Clock } from '../ports.ts'

/** A dial whose socket is open and has sent nothing yet. */
export interface PendingDial {
  /** Device of the uplink that the socket is bound to. */
  readonly device: string
  readonly localPort: number
  /** Literal address of the LNS. */
  readonly server: string
  /** A firewall section covers the uplink: the port is reached by its LNS alone. */
  readonly guarded: boolean
}

/** Something that has to be there before the first message of a dial leaves. */
export interface Gate {
  /** Shown in the log. */
  readonly name: string
  /** Resolves once the dial may go on, with what gives back what is held for it, if anything is. */
  open(dial: PendingDial): Promise<Cancel | undefined>
  /** What is told where `open` rejected with this error. Throws it if it is none that a system makes. */
  refused(error: unknown, dial: PendingDial): Failure
  /** What is told where it has not opened after so many ms. */
  late(patience: number): Failure
}

/** The gate that keeps a dial from beginning, and what is told of it. */
export interface ShutGate {
  readonly gate: string
  readonly failure: Failure
}

/** ms that a dial waits for all its gates, which take a few, until it says that they do not open. */
const PATIENCE = 1500

/**
 * Opens gates one after the other; with what gives all of it back once the socket is closed, or the one that stays
 * shut. `onLate` is told once what is waited for too long; what opens after that still counts.
 */
export async function openGates(
  gates: readonly Gate[],
  dial: PendingDial,
  clock: Clock,
  onLate: (shut: ShutGate) => void,
): Promise<Result<Cancel, ShutGate>> {
  const releases: Cancel[] = []
  const release = () => {
    for (const each of releases.splice(0)) each()
  }
  let waiting: Gate | undefined
  const impatient = clock.alarm(after(clock.now(), PATIENCE), () => {
    if (waiting) onLate({ gate: waiting.name, failure: waiting.late(PATIENCE) })
  })
  try {
    for (const gate of gates) {
      waiting = gate
      const giveBack = await gate.open(dial)
      if (giveBack) releases.push(giveBack)
    }
    return ok(release)
  } catch (error) {
    release()
    if (waiting === undefined) throw error
    return err({ gate: waiting.name, failure: waiting.refused(error, dial) })
  } finally {
    impatient()
  }
}
