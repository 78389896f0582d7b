import type { PathHistory } from './history.ts'

/** Some bins beside one another, as one column of a graph. */
export interface Column {
  /** Undefined where every probe was lost. */
  readonly rtt: { readonly min: number; readonly mean: number; readonly max: number } | undefined
  /** 0 to 1. */
  readonly loss: number
  readonly probes: number
}

/** A history cut into columns of equal length. */
export interface Columns {
  /** Oldest first; undefined where nothing was probed. */
  readonly columns: readonly (Column | undefined)[]
  /** When the first one begins, in ms since 1970. */
  readonly start: number
  /** Length of each in ms. */
  readonly span: number
}

/** Numbers of bins that make columns of whole minutes or hours, or nearly so. */
const STEPS = [1, 2, 3, 6, 9, 12, 18, 36, 72, 108, 216, 432, 864]

/** The history in at most `count` columns, each of the same number of bins, up to now. */
export function columnsOf(history: PathHistory, count: number): Columns {
  const bin = history.interval * 1000
  const now = Date.parse(history.at)
  const first = history.bins[0]
  const start = first === undefined ? now : Date.parse(first.at)
  const bins = Math.max(1, Math.ceil((now - start) / bin))
  const step = STEPS.find((candidate) => bins <= candidate * count) ?? Math.ceil(bins / count)
  const span = step * bin
  const columns = Array.from({ length: Math.ceil(bins / step) }, (_, i) =>
    fold(history, start + i * span, start + (i + 1) * span),
  )
  return { columns, start, span }
}

/** The bins that begin in [from, to). */
function fold({ bins }: PathHistory, from: number, to: number): Column | undefined {
  let probes = 0
  let lost = 0
  let sum = 0
  let answered = 0
  let min = Number.POSITIVE_INFINITY
  let max = 0
  for (const bin of bins) {
    const at = Date.parse(bin.at)
    if (at < from || at >= to) continue
    probes += bin.probes
    const gone = Math.round(bin.loss * bin.probes)
    lost += gone
    if (bin.min === null || bin.mean === null || bin.max === null) continue
    answered += bin.probes - gone
    sum += bin.mean * (bin.probes - gone)
    min = Math.min(min, bin.min)
    max = Math.max(max, bin.max)
  }
  if (probes === 0) return undefined
  return { rtt: answered > 0 ? { min, mean: sum / answered, max } : undefined, loss: lost / probes, probes }
}
