/**
 * A Home Assistant that is strict where the real one logs an error, for what it is told over MQTT: a state that is not
 * among the options of an enum or a select, an event of no known type, a template that meets an empty or other payload
 * than it was written for, a timestamp that is none. Typed from its documentation of the MQTT integration and of sensor
 * entities, not from our code. It works on an announcement for a while before its entities are as announced.
 */
import type { Published } from './broker.ts'

type Config = Readonly<Record<string, unknown>>
type Value = string | null

interface Entity {
  readonly config: Config
  state: Value | undefined
}

export class HomeAssistant {
  /** What the log would say, oldest first. */
  readonly errors: string[] = []
  readonly entities = new Map<string, Entity>()
  /** Retained messages, as the broker gives them to an entity that subscribes. */
  readonly #retained = new Map<string, string>()
  readonly #pending: { readonly at: number; readonly run: () => void }[] = []
  readonly #delay: number

  /** `delay` in ms: how long an announcement is worked on. */
  constructor(delay: number) {
    this.#delay = delay
  }

  /** All messages of a broker, in their order. */
  hear(messages: readonly Published[]): void {
    for (const message of messages) {
      this.#work(message.at)
      if (message.topic.startsWith('homeassistant/device/')) this.#announced(message)
      else this.#told(message.topic, message.payload)
      if (message.retain) this.#retained.set(message.topic, message.payload)
    }
    this.#work(Number.POSITIVE_INFINITY)
  }

  /** The state of an entity by the end of its id, such as `active_path`. */
  state(id: string): Value | undefined {
    return this.entities.get(id)?.state
  }

  #work(now: number): void {
    while (this.#pending[0] !== undefined && this.#pending[0].at <= now) this.#pending.shift()?.run()
  }

  #announced({ at, payload }: Published): void {
    const run = () => {
      const components: Record<string, Config> = payload === '' ? {} : JSON.parse(payload).components
      const removed = (id: string) => components[id]?.unique_id === undefined
      for (const id of [...this.entities.keys()])
        if (payload === '' || (id in components && removed(id))) this.entities.delete(id)
      for (const [id, config] of Object.entries(components)) {
        if (removed(id)) continue
        const before = this.entities.get(id)
        const entity = { config, state: before?.state }
        this.entities.set(id, entity)
        // It shows at once what it had, in its new form, and then what the broker kept.
        if (entity.state !== undefined) this.#show(id, entity, entity.state)
        const kept = this.#retained.get(String(config.state_topic))
        if (before === undefined && kept) this.#receive(id, entity, kept)
      }
    }
    this.#pending.push({ at: at + this.#delay, run })
  }

  #told(topic: string, payload: string): void {
    for (const [id, entity] of this.entities)
      if (entity.config.state_topic === topic) this.#receive(id, entity, payload)
  }

  #receive(id: string, entity: Entity, payload: string): void {
    if (payload === '') {
      this.errors.push(`${id}: its template meets an empty payload`)
      return
    }
    let value: Value
    try {
      value = render(String(entity.config.value_template), payload)
    } catch (error) {
      this.errors.push(`${id}: ${String(error)}`)
      return
    }
    if (entity.config.platform === 'event') this.#event(id, entity, value)
    else this.#show(id, entity, value)
  }

  #event(id: string, { config }: Entity, value: Value): void {
    if (value === null || value === '') return
    const type = JSON.parse(value).event_type
    if (!(config.event_types as string[]).includes(type)) this.errors.push(`${id}: no event type ${type}`)
  }

  #show(id: string, entity: Entity, value: Value): void {
    const { platform, device_class, options } = entity.config
    entity.state = value
    if (value === null) return
    if (Array.isArray(options) && !options.includes(value))
      this.errors.push(`${id}: ${value} is not among its options ${options.join(', ')}`)
    if (platform === 'binary_sensor' && value !== 'ON' && value !== 'OFF')
      this.errors.push(`${id}: ${value} is neither on nor off`)
    if (device_class === 'timestamp' && Number.isNaN(Date.parse(value)))
      this.errors.push(`${id}: ${value} is no instant`)
  }
}

/** As much of Jinja as templates of ours use: one expression, `None` being no value. */
export function render(template: string, payload: string): Value {
  const [, expression = ''] = /^\{\{ (.*) \}\}$/s.exec(template) ?? []
  if (expression === '') throw new Error(`not one expression: ${template}`)
  const value_json: unknown = payload.startsWith('{') ? JSON.parse(payload) : undefined
  const result = evaluate(expression, { value: payload, value_json })
  if (result === undefined) throw new Error(`undefined in ${template}`)
  return result === null ? null : String(result)
}

function evaluate(text: string, names: Readonly<Record<string, unknown>>): unknown {
  const conditional = /^(.*?) if (.*?) else (.*)$/s.exec(text)
  if (conditional) {
    const [, yes = '', condition = '', no = ''] = conditional
    return evaluate(truthy(evaluate(condition, names)) ? yes : no, names)
  }
  const or = /^(.*) or (.*)$/s.exec(text)
  if (or) {
    const first = evaluate(or[1] ?? '', names)
    return truthy(first) ? first : evaluate(or[2] ?? '', names)
  }
  const test = /^(.*) (is number|is none|in|!=) ?(.*)$/s.exec(text)
  if (test) {
    const [, left = '', kind, right = ''] = test
    const value = evaluate(left, names)
    if (kind === 'is number') return typeof value === 'number'
    if (kind === 'is none') return value === null
    if (kind === '!=') return value !== evaluate(right, names)
    return (JSON.parse(right) as unknown[]).includes(value)
  }
  const rounded = /^\((.*) \/ (\d+)\) \| round\(3\)$/.exec(text)
  if (rounded)
    return Math.round((Number(evaluate(rounded[1] ?? '', names)) / Number(rounded[2])) * 1000) / 1000
  if (text === 'None') return null
  if (/^'.*'$/.test(text)) return text.slice(1, -1)
  const cut = /^(.*)\[:(\d+)\]$/.exec(text)
  if (cut) return String(evaluate(cut[1] ?? '', names)).slice(0, Number(cut[2]))
  if (!/^[a-z_.0-9]+$/.test(text)) throw new Error(`not understood: ${text}`)
  let value: unknown = names
  for (const key of text.split('.')) {
    if (typeof value !== 'object' || value === null) throw new Error(`no ${text}`)
    value = (value as Record<string, unknown>)[key]
  }
  return value
}

function truthy(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false && value !== '' && value !== 0
}
