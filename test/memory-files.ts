import type { StateFiles } from '../src/app/ports.ts'

/** State files in memory, which outlive whoever wrote them. */
export class MemoryFiles implements StateFiles {
  readonly texts: Map<string, string>
  /** How often something was written that differed. */
  writes = 0

  /** `texts`: what a process before this one left behind. */
  constructor(texts: Iterable<readonly [string, string]> = []) {
    this.texts = new Map(texts)
  }

  read(name: string): string | undefined {
    return this.texts.get(name)
  }

  write(name: string, text: string): void {
    if (this.texts.get(name) === text) return
    this.writes++
    this.texts.set(name, text)
  }

  async settled(): Promise<void> {}
}
