declare const unit: unique symbol

/** Milliseconds: an instant on the monotonic clock, or a span between two. May be fractional; never the wall clock. */
export type Millis = number & { readonly [unit]: 'ms' }

/** A number of milliseconds, marked as such. */
export function millis(value: number): Millis {
  return value as Millis
}

/** A number of seconds in milliseconds. */
export function seconds(value: number): Millis {
  return (value * 1000) as Millis
}

/** The instant `span` milliseconds after `instant`. */
export function after(instant: Millis, span: number): Millis {
  return (instant + span) as Millis
}

/** The earliest of some deadlines; undefined ones are not armed. */
export function earliest(...deadlines: readonly (Millis | undefined)[]): Millis | undefined {
  let first: Millis | undefined
  for (const deadline of deadlines) {
    if (deadline !== undefined && (first === undefined || deadline < first)) first = deadline
  }
  return first
}
