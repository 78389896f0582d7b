import { DEFAULT_PROBE } from '../../../src/core/config/probe.ts'
import type { ProbeConfig, ProbeTarget } from '../../../src/core/config/types.ts'
import { PathHealth } from '../../../src/core/failover/health.ts'
import { type Probe, targetKey } from '../../../src/core/failover/probing.ts'
import { type Millis, millis } from '../../../src/core/time.ts'

export const RESOLVER: ProbeTarget = { kind: 'dns', address: '192.0.2.53', port: 53 }
export const ANYCAST: ProbeTarget = { kind: 'icmp', address: '198.51.100.1' }
export const WEB: ProbeTarget = { kind: 'tcp', address: '203.0.113.80', port: 443 }
export const TARGETS = [RESOLVER, ANYCAST, WEB]

/** When `PathScript.up` hands over, half an interval after a probe that was answered. */
export const SETTLED = 10_500

interface Sent {
  readonly at: Millis
  readonly target: string
}

/** A path in virtual time: how it answers may change at any moment. */
export class PathScript {
  readonly health: PathHealth
  /** Each probe so far. */
  readonly sent: Sent[] = []
  /** Each change, as `up`, with its instant. */
  readonly changes: { readonly at: Millis; readonly health: string; readonly reason: string }[] = []
  /** Round-trip time in ms of a probe, undefined if it is lost. */
  answer: (probe: Probe) => number | undefined = () => 20
  now: Millis
  readonly #answers: { readonly at: Millis; readonly id: number }[] = []

  constructor(config: Partial<ProbeConfig> = {}, start = 0) {
    this.health = new PathHealth({ ...DEFAULT_PROBE, ...config })
    this.now = millis(start)
  }

  /** The link is up, targets are known by these keys, and the first answers have come. */
  static up(config: Partial<ProbeConfig> = {}, targets: readonly ProbeTarget[] = TARGETS): PathScript {
    const script = new PathScript(config)
    script.link(true)
    script.targets(targets)
    script.run(SETTLED)
    return script
  }

  link(up: boolean, reason?: string): void {
    this.health.link(this.now, up, reason)
    this.drain()
  }

  targets(targets: readonly ProbeTarget[], known: readonly ProbeTarget[] = targets): void {
    this.health.targets(this.now, targets, new Set(known.map(targetKey)))
    this.drain()
  }

  /** All is lost from now on. */
  silence(): void {
    this.answer = () => undefined
  }

  /** Lets time pass; `each` is called before each step, which is at most `tick` ms long. */
  run(span: number, each?: (now: Millis) => void, tick = Number.POSITIVE_INFINITY): void {
    const end = this.now + span
    while (true) {
      const next = Math.min(
        end,
        this.now + tick,
        this.health.pollTimeout() ?? end,
        ...this.#answers.map(({ at }) => at),
      )
      this.now = millis(Math.max(this.now, next))
      each?.(this.now)
      for (const answer of this.#answers.filter(({ at }) => at <= this.now)) {
        this.#answers.splice(this.#answers.indexOf(answer), 1)
        this.health.answered(this.now, answer.id)
      }
      this.health.timeout(this.now)
      this.drain()
      if (this.now >= end) return
    }
  }

  /** When the health became so after `from`; undefined if it did not. */
  became(health: string, from: number): number | undefined {
    return this.changes.find((change) => change.health === health && change.at >= from)?.at
  }

  /** Targets probed in [from, to), in order. */
  probed(from: number, to: number): string[] {
    return this.sent.filter(({ at }) => at >= from && at < to).map(({ target }) => target)
  }

  drain(): void {
    for (let probe = this.health.pollProbe(); probe; probe = this.health.pollProbe()) {
      this.sent.push({ at: this.now, target: targetKey(probe.target) })
      const rtt = this.answer(probe)
      if (rtt !== undefined) this.#answers.push({ at: millis(this.now + rtt), id: probe.id })
    }
    for (let change = this.health.pollChange(); change; change = this.health.pollChange())
      this.changes.push({ at: this.now, ...change })
  }
}
