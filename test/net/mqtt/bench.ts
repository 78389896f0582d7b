/** A namespace with the program, a broker and nothing else. */
import type { TestContext } from 'node:test'
import type { Lifeline } from '../lifeline.ts'
import { type Namespace, NamespaceGroup } from '../namespace.ts'
import { Router } from '../router.ts'
import { Mosquitto, type MosquittoOptions } from './mosquitto.ts'

export const BASE = 'lifeline/router'
export const DISCOVERY = 'homeassistant/device/lifeline_router/config'

export class Bench {
  readonly namespace: Namespace
  readonly router: Router
  readonly folder: string
  readonly #group: NamespaceGroup

  private constructor(group: NamespaceGroup, namespace: Namespace) {
    this.#group = group
    this.namespace = namespace
    this.folder = group.folder
    this.router = new Router(namespace, [])
  }

  static async create(): Promise<Bench> {
    const group = new NamespaceGroup()
    const [namespace] = await group.add('router')
    if (namespace === undefined) throw new Error('there is no namespace')
    await namespace.ip('link set lo up')
    return new Bench(group, namespace)
  }

  async broker(t: TestContext, options: MosquittoOptions): Promise<Mosquitto> {
    const broker = new Mosquitto(this.namespace, options)
    await broker.start()
    t.after(() => broker.stop('SIGKILL'))
    return broker
  }

  /** Runs lifeline with a tunnel that has no way out, and a broker, until the end of the test. */
  run(t: TestContext, mqtt: Readonly<Record<string, unknown>>): Lifeline {
    const lifeline = this.router.lifeline({ config: configOf(mqtt) })
    t.after(() => lifeline.stop())
    return lifeline
  }

  async close(): Promise<void> {
    await this.router.stopAll()
    this.#group.remove()
  }
}

export function configOf(mqtt: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    lifeline: { main: { node: 'router' } },
    tunnel: { aaisp: { server: '192.0.2.1', username: 'alice', password: 'wonderland' } },
    mqtt: { home: mqtt },
  }
}
