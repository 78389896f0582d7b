import { formatClock, formatLoss, formatRtt, formatSpan, type Zone } from '../amounts.ts'
import type { Paint, Tone } from '../paint.ts'
import type { HistoryEvent, PathHistory } from './history.ts'
import { type Column, type Columns, columnsOf } from './history-columns.ts'

/** How large the graph is, how it is coloured and in which time zone. */
export interface GraphOptions {
  /** Characters in a line, 40 at least. */
  readonly width: number
  /** Lines of the graph itself, 4 at least. */
  readonly height: number
  readonly paint: Paint
  readonly zone: Zone
}

/** Characters left of the graph: `1000 ms ┤`. */
const MARGIN = 10
/** Events listed below the graph. */
const LISTED = 10

interface Cell {
  readonly glyph: string
  readonly tone: Tone | undefined
}

const EMPTY: Cell = { glyph: ' ', tone: undefined }
const LOST: Cell = { glyph: '╳', tone: 'bad' }
/** Less than half a line of it. */
const HARDLY_LOST: Cell = { glyph: "'", tone: 'bad' }
const MIN: Cell = { glyph: '█', tone: 'good' }
const MEAN: Cell = { glyph: '▒', tone: 'busy' }
const MAX: Cell = { glyph: '░', tone: 'quiet' }
const UNPROBED: Cell = { glyph: '·', tone: 'quiet' }

/**
 * The last 24 h as the graph that users of FireBricks know: for each span of time the least round-trip time from below,
 * upon it the mean and the greatest one, and from above, in red, the share of probes that were lost.
 */
export function renderHistory(history: PathHistory, options: GraphOptions): string {
  const width = Math.max(40, options.width)
  const height = Math.max(4, options.height)
  const now = new Date(history.at)
  const folded = columnsOf(history, width - MARGIN)
  const lines = [summary(history, folded), '']
  if (history.bins.length > 0) {
    lines.push(...graph(folded, height, options.paint))
    lines.push(marks(history.events, folded, options.paint), times(folded, now, options.zone))
    lines.push('', legend(options.paint))
  }
  lines.push(...eventLines(history.events, now, options.zone))
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}

function summary(history: PathHistory, { span, start }: Columns): string {
  const { path, at } = history
  const all = columnsOf(history, 1).columns[0]
  if (all === undefined) return `${path}: nothing was measured yet`
  const rtt = all.rtt && `round trip ${[all.rtt.min, all.rtt.mean, all.rtt.max].map(rounded).join(' / ')} ms`
  const parts = [rtt ?? 'no answer', formatLoss(all.loss), `${all.probes} probes`]
  const period = formatSpan(Date.parse(at) - start)
  return `${path}: ${parts.join(', ')} in ${period}; a column is ${formatSpan(span)}`
}

function rounded(ms: number): string {
  return formatRtt(ms).replace(' ms', '')
}

function graph({ columns }: Columns, height: number, paint: Paint): string[] {
  const top = scaleOf(columns)
  return Array.from({ length: height }, (_, row) => {
    const cells = columns.map((column) => cellOf(column, row, height, top))
    const label = row === 0 ? top : row === Math.floor(height / 2) ? top * (1 - row / height) : undefined
    const margin =
      label === undefined ? `${' '.repeat(MARGIN - 1)}│` : `${axis(label).padStart(MARGIN - 2)} ┤`
    return margin + painted(cells, paint)
  })
}

function axis(ms: number): string {
  return `${Number(ms.toPrecision(3))} ms`
}

/** One character: the loss counts from above, the round-trip times from below. */
function cellOf(column: Column | undefined, row: number, height: number, top: number): Cell {
  if (column === undefined) return row === height - 1 ? UNPROBED : EMPTY
  const lost = column.loss * height
  if (row < Math.round(lost)) return LOST
  if (row === 0 && lost > 0) return HARDLY_LOST
  if (column.rtt === undefined) return EMPTY
  const level = height - 1 - row
  // The shortest time shows as well.
  const reaches = (ms: number) => Math.max(1, Math.round((Math.min(ms, top) / top) * height)) > level
  if (reaches(column.rtt.min)) return MIN
  if (reaches(column.rtt.mean)) return MEAN
  return reaches(column.rtt.max) ? MAX : EMPTY
}

/** A round number that shows all means, and the greatest times unless a few of them would flatten the rest. */
function scaleOf(columns: readonly (Column | undefined)[]): number {
  const times = columns.flatMap((column) => column?.rtt ?? [])
  const mean = Math.max(1, ...times.map((rtt) => rtt.mean))
  const max = Math.max(1, ...times.map((rtt) => rtt.max))
  const wanted = Math.min(max, 2.5 * mean)
  const power = 10 ** Math.floor(Math.log10(wanted))
  return (
    [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((round) => round >= wanted) ?? wanted
  )
}

/** A sign below each column in which something happened. */
function marks(events: readonly HistoryEvent[], { columns, start, span }: Columns, paint: Paint): string {
  const at = new Set(events.map((event) => Math.floor((Date.parse(event.at) - start) / span)))
  const line = columns.map((_, i) => (at.has(i) ? '▲' : '─')).join('')
  return `${' '.repeat(MARGIN - 1)}└${paint('quiet', line)}`
}

/** The time of day below about every twelfth column. */
function times({ columns, start, span }: Columns, now: Date, zone: Zone): string {
  let line = ' '.repeat(MARGIN)
  for (let i = 0; i < columns.length; i += 12) {
    const time = formatClock(new Date(start + i * span), now, zone).slice(-5)
    line = line.padEnd(MARGIN + i) + time
  }
  return line
}

function legend(paint: Paint): string {
  const entry = ({ glyph, tone }: Cell, text: string) => `${tone ? paint(tone, glyph) : glyph} ${text}`
  const entries = [entry(MIN, 'least'), entry(MEAN, 'mean'), entry(MAX, 'greatest')]
  const lost = paint('bad', `${LOST.glyph} ${HARDLY_LOST.glyph}`)
  return `${' '.repeat(MARGIN)}${entries.join('  ')}  ${lost} lost, from above  ▲ event`
}

function eventLines(events: readonly HistoryEvent[], now: Date, zone: Zone): string[] {
  if (events.length === 0) return []
  const shown = events.slice(-LISTED)
  const more = events.length - shown.length
  return [
    '',
    ...(more === 0 ? [] : [`${more} earlier events, then`]),
    ...shown.map(({ at, text }) => `${formatClock(new Date(at), now, zone)} ${text}`),
  ]
}

/** Neighbours of one tone are painted together. */
function painted(cells: readonly Cell[], paint: Paint): string {
  let line = ''
  for (let i = 0; i < cells.length; ) {
    const tone = cells[i]?.tone
    let run = ''
    for (; i < cells.length && cells[i]?.tone === tone; i++) run += cells[i]?.glyph
    line += tone === undefined ? run : paint(tone, run)
  }
  return line
}
