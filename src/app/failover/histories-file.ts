import type { SavedBin, SavedHistory } from '../../core/failover/history.ts'

/** What the file in `state_dir` holds. */
export interface SavedHistories {
  /** When it was saved, in ms since 1970. */
  readonly at: number
  readonly records: ReadonlyMap<string, SavedHistory>
}

/** One line of JSON, which `decodeHistories` reads. */
export function encodeHistories({ at, records }: SavedHistories): string {
  return `${JSON.stringify({ at, records: Object.fromEntries(records) })}\n`
}

/** Anything that is not as we wrote it is left out: a history is a help, not a promise. */
export function decodeHistories(text: string | undefined): SavedHistories | undefined {
  if (text === undefined) return undefined
  try {
    const { at, records } = record(JSON.parse(text))
    if (!isTime(at)) return undefined
    const known = Object.entries(record(records)).map(([name, value]): [string, SavedHistory] => {
      const { bins, events } = record(value)
      return [name, { bins: list(bins).filter(isBin), events: list(events).filter(isEvent) }]
    })
    return { at, records: new Map(known) }
  } catch {
    return undefined
  }
}

function isBin(value: unknown): value is SavedBin {
  return Array.isArray(value) && value.length === 6 && value.every(isTime)
}

function isEvent(value: unknown): value is SavedHistory['events'][number] {
  if (!Array.isArray(value) || value.length !== 3) return false
  return isTime(value[0]) && typeof value[1] === 'string' && typeof value[2] === 'string'
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
