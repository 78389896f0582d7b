/** Debian's broker, and those who listen and speak there. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Namespace } from '../namespace.ts'
import type { Process } from '../process.ts'
import { waitFor } from '../wait.ts'
import type { KeyPair } from './certificates.ts'

export interface MosquittoOptions {
  readonly port: number
  /** The certificate that it shows; without one it speaks in the clear. */
  readonly tls?: KeyPair
  /** Clients must show a certificate that this authority has signed. */
  readonly clientCa?: string
  /** Nobody else may come in. */
  readonly users?: Readonly<Record<string, string>>
  /** The text of an ACL file. */
  readonly acl?: string
  readonly more?: readonly string[]
}

export class Mosquitto {
  readonly #namespace: Namespace
  readonly #options: MosquittoOptions
  #process: Process | undefined

  constructor(namespace: Namespace, options: MosquittoOptions) {
    this.#namespace = namespace
    this.#options = options
  }

  get log(): string {
    return this.#process?.output ?? ''
  }

  async start(): Promise<void> {
    const file = await this.#configure()
    this.#process = this.#namespace.start('mosquitto', ['mosquitto', '-c', file, '-v'])
    await this.#process.waitForOutput(/mosquitto version \S+ running/)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#process?.stop(signal)
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.signal(signal)
  }

  async #configure(): Promise<string> {
    const { port, tls, clientCa, users, acl, more = [] } = this.#options
    const at = (name: string) => join(this.#namespace.folder, `mosquitto-${port}.${name}`)
    const lines = [`listener ${port}`, 'user root', 'persistence false', ...more]
    if (tls) lines.push(`certfile ${tls.cert}`, `keyfile ${tls.key}`)
    if (clientCa) lines.push(`cafile ${clientCa}`, 'require_certificate true')
    if (users) {
      const file = write(at('users'), '')
      for (const [name, password] of Object.entries(users))
        await this.#namespace.run(['mosquitto_passwd', '-b', file, name, password])
      lines.push(`password_file ${file}`, 'allow_anonymous false')
    } else lines.push('allow_anonymous true')
    if (acl !== undefined) lines.push(`acl_file ${write(at('acl'), acl)}`)
    return write(at('conf'), `${lines.join('\n')}\n`)
  }
}

function write(file: string, text: string): string {
  writeFileSync(file, text)
  chmodSync(file, 0o600)
  return file
}

export interface Heard {
  /** ms since 1970, by the clock of this machine. */
  readonly at: number
  readonly retained: boolean
  readonly topic: string
  readonly payload: string
}

export interface Login {
  readonly port: number
  readonly host?: string
  readonly words?: readonly string[]
}

/** Listens to everything, as `mosquitto_sub -v -t '#'` does. */
export class Listener {
  readonly #process: Process

  private constructor(process: Process) {
    this.#process = process
  }

  static async start(namespace: Namespace, login: Login): Promise<Listener> {
    const process = namespace.start('mosquitto_sub', [
      'stdbuf',
      '-oL',
      'mosquitto_sub',
      ...wordsOf(login),
      '-d',
      '-q',
      '1',
      '-t',
      '#',
      '-F',
      'message %U %r %t %p',
    ])
    await process.waitForOutput(/received SUBACK/)
    return new Listener(process)
  }

  get heard(): readonly Heard[] {
    return this.#process.output.split('\n').flatMap((line) => {
      const [, at, retained, topic = '', payload = ''] =
        /^message ([\d.]+) ([01]) (\S+) ?(.*)$/.exec(line) ?? []
      return at === undefined ? [] : [{ at: Number(at) * 1000, retained: retained === '1', topic, payload }]
    })
  }

  on(topic: string): readonly Heard[] {
    return this.heard.filter((message) => message.topic === topic)
  }

  json(topic: string): readonly Record<string, unknown>[] {
    return this.on(topic).map(({ payload }) => JSON.parse(payload))
  }

  /** Waits for a message that fits, from the first one on. */
  waitFor(
    topic: string,
    fits: (payload: string, at: number) => boolean = () => true,
    within = 20_000,
  ): Promise<Heard> {
    return waitFor(
      `a message on ${topic}`,
      () => this.on(topic).find(({ payload, at }) => fits(payload, at)),
      {
        within,
        every: 10,
        explain: () => this.heard.map(({ topic: t, payload }) => `${t} ${payload}`).join('\n'),
      },
    )
  }

  async stop(): Promise<void> {
    await this.#process.stop()
  }
}

export async function publish(
  namespace: Namespace,
  login: Login,
  topic: string,
  payload: string,
  ...words: readonly string[]
): Promise<void> {
  await namespace.run(['mosquitto_pub', ...wordsOf(login), '-q', '1', '-t', topic, '-m', payload, ...words])
}

function wordsOf({ port, host = '127.0.0.1', words = [] }: Login): string[] {
  return ['-V', 'mqttv5', '-h', host, '-p', String(port), ...words]
}
