/** A configuration as it was written, in whichever notation, before any of it is understood. */

export interface SourceSection {
  readonly type: string
  /** Undefined for an anonymous section of UCI. */
  readonly name: string | undefined
  /** From 1. */
  readonly line: number
  readonly options: readonly SourceOption[]
}

export interface SourceOption {
  readonly name: string
  /** One or more. */
  readonly values: readonly SourceValue[]
}

export interface SourceValue {
  readonly text: string
  readonly line: number
  /** Written as `true` or `false` in JSON. */
  readonly boolean?: true
}
