/** Draws the story: one picture that changes in place on a terminal, lines elsewhere. */
import type { StatusEvent } from '../../src/core/status/event.ts'
import { bold, columns, cyan, dim, green, red, yellow } from './colours.ts'
import type { Change, Detail, Pong, Step, Story } from './story.ts'

export interface Screen {
  show(story: Story, change: Change): void
  /** Writes something once, above what is drawn. */
  say(text: string): void
  /** Ends the drawing; what stands there stays. */
  close(): void
}

const WIDTH = 76
const LAST_EVENTS = 4
/** As many as 24 rows have room for. */
const LAST_MESSAGES = 3
/** Columns of a message, which may be long: whole ones are in the recording. */
const MESSAGE_WIDTH = 160
const LAST_PINGS = 60
/** ms between two pictures. */
const FRAME = 80
/** The same for all stories. */
const startedAt = performance.now()

export function openScreen(): Screen {
  return process.stdout.isTTY === true ? new LiveScreen() : new LineScreen()
}

/** Redraws everything over the picture before. */
class LiveScreen implements Screen {
  #story: Story | undefined
  #drawn = 0
  #closed = false
  readonly #timer = setInterval(() => this.#draw(), FRAME)

  constructor() {
    process.stdout.write('\x1b[?25l')
  }

  show(story: Story): void {
    this.#story = story
  }

  say(text: string): void {
    process.stdout.write(`${this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A\x1b[J`}${text}\n`)
    this.#drawn = 0
  }

  /** The last picture is drawn in full: it need not be drawn over. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    this.#draw(Number.POSITIVE_INFINITY)
    process.stdout.write('\x1b[?25h')
  }

  // A picture taller than the terminal would scroll and could not be drawn over.
  #draw(rows = (process.stdout.rows || 24) - 1): void {
    if (this.#story === undefined) return
    const lines = render(this.#story, rows)
    const width = process.stdout.columns || 80
    const text = lines.map((line) => `${columns(line) > width ? cut(line, width) : line}\x1b[K\n`).join('')
    process.stdout.write(`${this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A`}${text}\x1b[J`)
    this.#drawn = lines.length
  }
}

/** Writes a line for each thing that happens. */
class LineScreen implements Screen {
  #pictured = false

  show({ picture }: Story, change: Change): void {
    if (!this.#pictured && picture.length > 0) {
      this.#pictured = true
      this.#print(picture.join('\n'))
    }
    switch (change.kind) {
      case 'began':
        this.#say(`${change.step.title} ...`)
        break
      case 'detail':
        this.#say(
          `  ${change.detail.text}${change.detail.took === undefined ? '' : `: ${time(change.detail.took)}`}`,
        )
        break
      case 'ended':
        this.#say(`${mark(change.step)} ${change.step.title}: ${result(change.step)}`)
        break
      case 'event':
        this.#say(dim(`    ${eventLine(change.event)}`))
        break
      case 'message':
        this.#say(dim(`    ${messageLine(change.message)}`))
        break
      case 'other':
    }
  }

  say(text: string): void {
    this.#print(text)
  }

  close(): void {}

  #say(text: string): void {
    this.#print(`${((performance.now() - startedAt) / 1000).toFixed(3).padStart(7)} ${text}`)
  }

  #print(text: string): void {
    process.stdout.write(`${text}\n`)
  }
}

/** The whole picture in at most so many rows: where they do not suffice, events and what lies back are left out. */
export function render(story: Story, rows = Number.POSITIVE_INFINITY): string[] {
  const head = [bold(' lifeline lab: a small internet on this machine'), '', ...story.picture, '']
  const meters = [...(story.pings.length === 0 ? [] : [pingLine(story.pings)]), ...story.meters]
  const pings = meters.length === 0 ? [] : ['', ...meters]
  const events = story.events.slice(-LAST_EVENTS).map((event) => dim(` ${eventLine(event)}`))
  const messages = story.messages.slice(-LAST_MESSAGES).map((message) => dim(` ${messageLine(message)}`))
  const steps = story.steps.map(stepLines)
  const brief = steps.map((lines, index) => (index < steps.length - 1 ? lines.slice(0, 1) : lines))
  const candidates = [
    [...head, ...steps.flat(), ...pings, ...messages, '', ...events],
    [...head, ...steps.flat(), ...pings, ...messages],
    [...head, ...brief.flat(), ...pings, ...messages],
    [...head, ...brief.flat(), ...pings],
  ]
  // The picture and the prompt stay where they are: it is the oldest steps that give way.
  for (let folded = 1; folded < brief.length; folded++)
    candidates.push([...head, foldedLine(folded), ...brief.slice(folded).flat(), ...pings])
  return candidates.find((lines) => lines.length <= rows) ?? [...head, ...pings].slice(0, rows)
}

function foldedLine(count: number): string {
  return dim(` … ${count} earlier ${count === 1 ? 'step' : 'steps'}`)
}

function stepLines(step: Step): string[] {
  const title = ` ${mark(step)} ${step.state === 'running' ? bold(step.title) : step.title}`
  const took = step.took ?? performance.now() - step.startedAt
  const paint = step.state === 'failed' ? red : cyan
  return [
    spread(title, time(took)),
    ...step.details.map(({ text, took: part }: Detail) =>
      spread(`     ${text}`, part === undefined ? '' : dim(time(part))),
    ),
    ...(step.result === '' ? [] : [`     ${paint(firstLine(step))}`]),
  ]
}

function mark(step: Step): string {
  switch (step.state) {
    case 'running':
      return yellow('·')
    case 'done':
      return green('✓')
    case 'failed':
      return red('✗')
  }
}

function result(step: Step): string {
  const took = time(step.took ?? 0)
  return step.result === '' ? took : `${firstLine(step)} (${took})`
}

function firstLine(step: Step): string {
  return step.result.split('\n')[0] ?? ''
}

function spread(left: string, right: string): string {
  return `${left}${' '.repeat(Math.max(1, WIDTH - columns(left) - columns(right)))}${right}`
}

function time(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(2)} s`
}

/** A bar for each answered ping, higher for a longer round trip, a red cross for a lost one. */
function pingLine(pings: readonly Pong[]): string {
  const shown = pings.slice(-LAST_PINGS)
  const times = shown.filter((pong) => pong !== undefined)
  const longest = Math.max(...times, 0.001)
  const bars = shown.map((pong) =>
    pong === undefined ? red('×') : green('▁▂▃▄▅▆▇█'[Math.round((pong / longest) * 7)] ?? '█'),
  )
  const last = times.at(-1)
  return ` ping ${bars.join('')} ${last === undefined ? '' : `${last.toFixed(2)} ms`}`
}

function eventLine(event: StatusEvent): string {
  const { seq: _, at, event: kind, ...fields } = event
  const tunnel = 'tunnel' in event ? event.tunnel : ''
  const others = Object.entries(fields).filter(([name]) => name !== 'tunnel')
  const words = others.map(([name, value]) =>
    name === 'message' ? `${value}` : `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return [at.slice(11, 23), tunnel, kind, ...words].filter((word) => word !== '').join(' ')
}

/** Without what is the same everywhere: where the topic begins, and the time. */
function messageLine(message: string): string {
  const line = message.replace(/^lifeline\/[^/]+\//, '').replace(/"at":"[^"]*",/, '')
  return cut(`mqtt ${line}`, MESSAGE_WIDTH)
}

/** Cuts a text with colours to a number of columns. */
function cut(text: string, width: number): string {
  let room = width
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours themselves
  return text.replaceAll(/(\x1b\[\d+m)|./gu, (piece, colour) =>
    colour !== undefined || room-- > 0 ? piece : '',
  )
}
