import type { Zone } from '../core/amounts.ts'
import type { Paint, Tone } from '../core/paint.ts'

/** Where a command writes. */
export interface Terminal {
  /** Octets are written as they are. */
  out(text: string | Uint8Array): void
  err(text: string): void
  /** Standard output is a terminal that can be drawn anew. */
  readonly interactive: boolean
  /** Characters in a line of it; 80 where there is none. */
  readonly columns: number
  /** Colours for tones, or the text as it is. */
  readonly paint: Paint
}

// ECMA-48 SGR: green, yellow, red, faint.
const SGR: Readonly<Record<Tone, number>> = { good: 32, busy: 33, bad: 31, quiet: 2 }

/** What a terminal is made of: the standard output and error of a process, and its environment. */
export interface Surroundings {
  readonly output: {
    write(text: string | Uint8Array): void
    /** Characters in a line of the terminal, 0 where it does not say; undefined if it is no terminal. */
    readonly columns: number | undefined
    onGone(run: () => void): void
  }
  readonly complaints: { write(text: string): void }
  readonly environment: { readonly [name: string]: string | undefined }
  exit(code: number): void
}

/** The terminal of a process; colours obey https://no-color.org and TERM=dumb. */
export function processTerminal({ output, complaints, environment, exit }: Surroundings): Terminal {
  // `lifeline events | head`: whoever closes the pipe has seen enough.
  output.onGone(() => exit(0))
  const { columns } = output
  const drawn = columns !== undefined && environment.TERM !== 'dumb'
  return {
    out: (text) => output.write(text),
    err: (text) => complaints.write(text),
    interactive: drawn,
    columns: columns || 80,
    paint:
      drawn && !environment.NO_COLOR
        ? (tone, text) => `\x1b[${SGR[tone]}m${text}\x1b[0m`
        : (_tone, text) => text,
  }
}

/** The time zone of this process, which TZ may name. */
export const localZone: Zone = (at) => -at.getTimezoneOffset()

/** Moves to the top, writes each line over what was there, and clears the rest. */
export function redraw(text: string): string {
  return `\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[J`
}
