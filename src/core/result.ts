/** The outcome of an operation that can fail for reasons that are not our bugs. */
export type Result<T, E> = Ok<T> | Err<E>
/** It went well, and gives a value. */
export type Ok<T> = { readonly ok: true; readonly value: T }
/** It did not, for a reason that code can tell from others. */
export type Err<E> = { readonly ok: false; readonly error: E }

/** A value as a result. */
export function ok<T>(value: T): Ok<T> {
  return { ok: true, value }
}

/** A reason as a result. */
export function err<E>(error: E): Err<E> {
  return { ok: false, error }
}

/** Why bytes could not be decoded. `offset` is in octets from the start of what the decoder was given. */
export interface DecodeError {
  readonly code: string
  readonly offset: number
  readonly message: string
}

/** For the default branch of an exhaustive switch: a value here is our own bug. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`)
}
