import { type Millis, millis } from '../../src/core/time.ts'

interface Entry {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

/** Virtual time: what is to happen, earliest first, and what was asked for first among equals (a binary heap). */
export class Timeline {
  now: Millis = millis(0)
  readonly #heap: Entry[] = []
  #order = 0

  /** Runs it `delay` ms from now, unless the function returned is called before. */
  after(delay: number, run: () => void): () => void {
    return this.at(this.now + delay, run)
  }

  at(when: number, run: () => void): () => void {
    const entry: Entry = { at: Math.max(when, this.now), order: this.#order++, run }
    this.#push(entry)
    return () => {
      entry.run = undefined
    }
  }

  /** Whether anything is to happen by `end`. */
  isDue(end: number): boolean {
    for (;;) {
      const [first] = this.#heap
      if (!first || first.at > end) return false
      if (first.run) return true
      this.#pop()
    }
  }

  /** Runs what comes next if it is due by `end`; whether there was any. */
  step(end: number): boolean {
    const [first] = this.isDue(end) ? this.#heap : []
    if (!first) {
      this.now = millis(Math.max(this.now, end))
      return false
    }
    this.#pop()
    this.now = millis(first.at)
    first.run?.()
    return true
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let index = heap.push(entry) - 1
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above] as Entry
      if (before(parent, entry)) break
      heap[index] = parent
      index = above
    }
    heap[index] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Entry
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let below = 2 * index + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && before(heap[below + 1] as Entry, heap[below] as Entry)) below++
      if (before(last, heap[below] as Entry)) break
      heap[index] = heap[below] as Entry
      index = below
    }
    heap[index] = last
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
