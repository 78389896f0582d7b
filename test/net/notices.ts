/** What the daemon tells others of this machine: a hook that notes it, and a systemd-resolved that is not one. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LifelineOptions, Router } from './router.ts'

export class Notices {
  readonly #hooks: string
  readonly #notes: string
  readonly #calls: string
  /** What `lifeline` is to be started with. */
  readonly options: Pick<LifelineOptions, 'env' | 'mounts'>

  constructor({ namespace: { folder } }: Router) {
    this.#hooks = join(folder, 'etc/lifeline/hooks.d')
    this.#notes = join(folder, 'notes')
    this.#calls = join(folder, 'calls')
    mkdirSync(this.#hooks, { recursive: true })
    writeFileSync(join(folder, 'etc/resolv.conf'), '')
    mkdirSync(join(folder, 'bin'))
    mkdirSync(join(folder, 'run/systemd/resolve'), { recursive: true })
    const variables = ['EVENT', 'PATH', 'PREVIOUS_PATH', 'IPV4'].map((name) => `$LIFELINE_${name}`).join('|')
    this.hook('10-note', `echo "${variables}" >>${this.#notes}`)
    program(join(folder, 'bin/resolvectl'), `echo "$*" >>${this.#calls}`)
    this.options = {
      env: { PATH: `${join(folder, 'bin')}:${process.env.PATH}` },
      mounts: { '/etc': join(folder, 'etc') },
    }
    this.forget()
  }

  /** Puts a hook in place; it is left out once the returned function was called. */
  hook(name: string, body: string): () => void {
    const file = join(this.#hooks, name)
    program(file, body)
    return () => chmodSync(file, 0o644)
  }

  forget(): void {
    for (const file of [this.#notes, this.#calls]) writeFileSync(file, '')
  }

  /** `EVENT|PATH|PREVIOUS_PATH|IPV4` of each event that hooks were told of. */
  get events(): string[] {
    return lines(this.#notes)
  }

  /** How `resolvectl` was called. */
  get calls(): string[] {
    return lines(this.#calls)
  }
}

function lines(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1)
}

function program(file: string, body: string): void {
  writeFileSync(file, `#!/bin/sh\n${body}\n`)
  chmodSync(file, 0o755)
}
