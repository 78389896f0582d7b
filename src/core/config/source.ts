/** A configuration as it was written, in whichever notation, before any of it is understood. */

/** Where there are problems, what could be read is here all the same. */
export interface Source {
  readonly sections: readonly SourceSection[]
  readonly problems: readonly SourceProblem[]
}

/** What the notation has to know of the types of section: JSON writes those of which there is one without a name too. */
export type SectionTypes = Readonly<Record<string, SectionType>>

/** What has to be known of a type of section to read it from JSON. */
export interface SectionType {
  /** There is one such section at most. */
  readonly single: boolean
  readonly options: readonly string[]
}

/** What is wrong with the writing itself. */
export interface SourceProblem {
  /** An error if left out. */
  readonly severity?: 'warning'
  readonly line: number
  readonly section?: string
  readonly option?: string
  readonly reason: string
  readonly allowed?: string
}

/** A section as it is written, before anything is made of it. */
export interface SourceSection {
  readonly type: string
  /** Undefined for an anonymous section of UCI. */
  readonly name: string | undefined
  /** From 1. */
  readonly line: number
  readonly options: readonly SourceOption[]
}

/** An option as it is written. */
export interface SourceOption {
  readonly name: string
  /** One or more; none only where what stands there is no value at all, which is a problem of the source. */
  readonly values: readonly SourceValue[]
}

/** A value as it is written, on its line, from 1. */
export interface SourceValue {
  readonly text: string
  readonly line: number
  /** Written as `true` or `false` in JSON. */
  readonly boolean?: true
}
