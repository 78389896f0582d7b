import type { Announced } from '../../core/homeassistant/discovery.ts'
import type { StateFiles } from '../ports.ts'

/** What a broker keeps of ours, so that a later configuration can take it back. */
export interface Remembered {
  /** The broker, and where the device was announced; undefined if it was not. */
  readonly broker: string
  readonly discoveryTopic: string | undefined
  readonly announced: Announced
  /** Paths that an entity may be told to have as its state. */
  readonly paths: readonly string[]
  /** Topics with a retained state. */
  readonly retained: readonly string[]
}

/** More entities or topics than anyone has; older ones are forgotten. */
const MAX_ENTRIES = 500

/** Kept in `state_dir`, in a file for each broker. */
export class BrokerMemory {
  readonly #files: StateFiles
  readonly #file: string

  constructor(files: StateFiles, section: string) {
    this.#files = files
    this.#file = `mqtt-${section}.json`
  }

  read(broker: string): Remembered {
    const nothing = { broker, discoveryTopic: undefined, announced: {}, paths: [], retained: [] }
    try {
      const value = JSON.parse(this.#files.read(this.#file) ?? 'null')
      return value?.broker === broker ? { ...nothing, ...decode(value) } : nothing
    } catch {
      // Not as we wrote it: memory is a help, not a promise.
      return nothing
    }
  }

  write({ announced, paths, retained, ...rest }: Remembered): void {
    const kept = {
      ...rest,
      paths: paths.slice(-MAX_ENTRIES),
      announced: Object.fromEntries(Object.entries(announced).slice(-MAX_ENTRIES)),
      retained: retained.slice(-MAX_ENTRIES),
    }
    this.#files.write(this.#file, `${JSON.stringify(kept)}\n`)
  }
}

const PLATFORMS = ['binary_sensor', 'sensor', 'event', 'button', 'switch', 'select']

function decode(value: Readonly<Record<string, unknown>>): Partial<Remembered> {
  const { discoveryTopic, announced, paths, retained } = value
  const entities = typeof announced === 'object' && announced !== null ? Object.entries(announced) : []
  const texts = (list: unknown) =>
    (Array.isArray(list) ? list : []).filter(
      (text): text is string => typeof text === 'string' && text !== '',
    )
  return {
    discoveryTopic: typeof discoveryTopic === 'string' ? discoveryTopic : undefined,
    announced: Object.fromEntries(entities.filter(([, platform]) => PLATFORMS.includes(platform))),
    paths: texts(paths),
    retained: texts(retained),
  }
}
