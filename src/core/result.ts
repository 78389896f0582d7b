/** The outcome of an operation that can fail for reasons that are not our bugs. */
export type Result<T, E> = Ok<T> | Err<E>
export type Ok<T> = { readonly ok: true; readonly value: T }
export type Err<E> = { readonly ok: false; readonly error: E }

export function ok<T>(value: T): Ok<T> {
  return { ok: true, value }
}

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
