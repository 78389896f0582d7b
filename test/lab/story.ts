/** What the lab shows: a picture of the network, its steps, the pings. Whoever draws it is told of each change. */
import type { StatusEvent } from '../../src/core/status/event.ts'

export type StepState = 'running' | 'done' | 'failed'

export interface Step {
  readonly title: string
  readonly state: StepState
  /** ms since it began, or that it took. */
  readonly startedAt: number
  readonly took: number | undefined
  /** The short result behind the title. */
  readonly result: string
  /** Lines below the title. */
  readonly details: readonly Detail[]
}

export interface Detail {
  readonly text: string
  /** ms, shown at the right. */
  readonly took?: number
}

/** The answer to one ping in ms, or undefined if none came. */
export type Pong = number | undefined

export interface Story {
  readonly steps: readonly Step[]
  /** The network as it stands, drawn. */
  readonly picture: readonly string[]
  /** Lines that change all the time, below the steps. */
  readonly meters: readonly string[]
  readonly pings: readonly Pong[]
  readonly events: readonly StatusEvent[]
  /** What a broker was told, each message as `mosquitto_sub -v` prints it. */
  readonly messages: readonly string[]
}

/** A change, for those who write lines instead of drawing. */
export type Change =
  | { readonly kind: 'began' | 'ended'; readonly step: Step }
  | { readonly kind: 'detail'; readonly step: Step; readonly detail: Detail }
  | { readonly kind: 'event'; readonly event: StatusEvent }
  | { readonly kind: 'message'; readonly message: string }
  | { readonly kind: 'other' }

/** Writes the story, one step after another. */
export class Teller {
  #story: Story = { steps: [], picture: [], meters: [], pings: [], events: [], messages: [] }
  readonly #onChange: (story: Story, change: Change) => void

  constructor(onChange: (story: Story, change: Change) => void) {
    this.#onChange = onChange
  }

  get story(): Story {
    return this.#story
  }

  /** Runs one step; its text result is shown behind the title. A failure is shown and thrown again. */
  async step(title: string, run: () => Promise<string>): Promise<void> {
    const startedAt = performance.now()
    const begun: Step = { title, state: 'running', startedAt, took: undefined, result: '', details: [] }
    this.#tell({ steps: [...this.#story.steps, begun] }, { kind: 'began', step: begun })
    try {
      const result = await run()
      this.#end({ state: 'done', took: performance.now() - startedAt, result })
    } catch (error) {
      const result = error instanceof Error ? error.message : String(error)
      this.#end({ state: 'failed', took: performance.now() - startedAt, result })
      throw error
    }
  }

  /** Adds a line below the step that runs now. */
  detail(detail: Detail): void {
    const step = this.#change((current) => ({ ...current, details: [...current.details, detail] }))
    if (step !== undefined) this.#onChange(this.#story, { kind: 'detail', step, detail })
  }

  picture(picture: readonly string[]): void {
    this.#tell({ picture }, { kind: 'other' })
  }

  meters(meters: readonly string[]): void {
    this.#tell({ meters }, { kind: 'other' })
  }

  pings(pings: readonly Pong[]): void {
    this.#tell({ pings }, { kind: 'other' })
  }

  event(event: StatusEvent): void {
    this.#tell({ events: [...this.#story.events, event] }, { kind: 'event', event })
  }

  message(message: string): void {
    this.#tell({ messages: [...this.#story.messages, message] }, { kind: 'message', message })
  }

  #end(ending: Pick<Step, 'state' | 'took' | 'result'>): void {
    const step = this.#change((current) => ({ ...current, ...ending }))
    if (step !== undefined) this.#onChange(this.#story, { kind: 'ended', step })
  }

  #change(change: (step: Step) => Step): Step | undefined {
    const last = this.#story.steps.at(-1)
    if (last === undefined) return undefined
    const step = change(last)
    this.#story = { ...this.#story, steps: [...this.#story.steps.slice(0, -1), step] }
    return step
  }

  #tell(part: Partial<Story>, change: Change): void {
    this.#story = { ...this.#story, ...part }
    this.#onChange(this.#story, change)
  }
}
