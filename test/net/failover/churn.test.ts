/** Hundreds of failovers in a row, by command and by accident: what belongs to others is never touched, nothing is left. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { ofKind } from '../../events.ts'
import { seededRandom } from '../../sim/random.ts'
import * as common from '../addresses.ts'
import { ask } from '../control.ts'
import { type KernelState, kernelState, settled } from '../kernel-state.ts'
import type { Lifeline } from '../lifeline.ts'
import { partOf, settleOthers, watchChanges } from '../others.ts'
import { ping } from '../ping.ts'
import { waitFor } from '../wait.ts'
import { DEVICE, LOGIN, SECRET, start, TUNNEL, waitForPath } from './scenario.ts'
import { buildProvider, type Provider } from './topology.ts'

/** Counted are those to a less preferred path; there are about as many ways back. */
const FAILOVERS = Number(process.env.LIFELINE_FAILOVERS ?? 200)
/** How often the whole kernel is compared, in failovers. */
const STEP = 20
const SEED = Number(process.env.LIFELINE_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** Verdicts come at once, and going back is never delayed. */
const CHANGES = {
  failover: { failback_delay: '0', probe_interval: '0.2', probe_up: 1 },
  lte: { metered: false },
  redirect: { web: { proto: 'tcp', src_dport: '8000', dest_ip: common.lan.ipv4, dest_port: '80' } },
}

const PATHS = ['fibre', TUNNEL, 'lte']

type Deed = (net: Provider, lifeline: Lifeline, random: () => number) => Promise<void>

/** Each ends on another path than it began with, or back on fibre after at least two switches. */
const DEEDS: readonly Deed[] = [
  byCommand,
  byCommand,
  byCommand,
  byCommand,
  byCommand,
  byCommand,
  byCommand,
  async function cut(net, lifeline) {
    await accident(net, lifeline, () => net.fibre.cut())
  },
  async function silence(net, lifeline) {
    await accident(net, lifeline, () => net.fibre.silence())
  },
  async function remove(net, lifeline) {
    await accident(net, lifeline, () => net.fibre.remove())
  },
]

async function byCommand(_net: Provider, lifeline: Lifeline, random: () => number): Promise<void> {
  const active = (await lifeline.status())?.failover?.active
  const others = PATHS.filter((name) => name !== active)
  const path = others[Math.floor(random() * others.length)] ?? 'fibre'
  await ask(lifeline.socket, 'use', { path })
  await waitForPath(lifeline, path)
}

async function accident(net: Provider, lifeline: Lifeline, harm: () => Promise<void>): Promise<void> {
  await ask(lifeline.socket, 'use', { path: 'auto' })
  await waitForPath(lifeline, 'fibre')
  await harm()
  await waitForPath(lifeline, TUNNEL)
  await net.fibre.heal()
  await waitForPath(lifeline, 'fibre')
}

describe(`${FAILOVERS} failovers`, { timeout: 600_000 }, () => {
  let net: Provider
  before(async () => {
    net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET, lte: { delay: 1 } })
    await settleOthers(net.router.namespace)
  })
  after(() => net.close())

  test(`leave others alone and nothing behind, seed ${SEED}`, async (t) => {
    const { namespace } = net.router
    const random = seededRandom(SEED)
    const clean = await settledState(net)
    const theirs = JSON.stringify(partOf(clean, 'theirs', [DEVICE]))
    let monitors = await watchChanges(namespace, [DEVICE])
    let changed = 0
    const untouched = async () => {
      const { changes, foreign } = await monitors.stop()
      changed += changes
      // What the test itself does to fibre shows up as well.
      assert.deepEqual(
        foreign.filter((line) => !/\bpppoe-aaisp\b/.test(line)),
        [],
      )
    }
    const lifeline = await start(t, net, CHANGES)
    const switches = new Switches(lifeline)
    let compared = 0
    let files = 0
    while ((await switches.failovers()) < FAILOVERS) {
      const deed = DEEDS[Math.floor(random() * DEEDS.length)] ?? byCommand
      await deed(net, lifeline, random)
      const done = await switches.failovers()
      if (done < (compared + 1) * STEP) continue
      compared = Math.floor(done / STEP)
      await assertCarries(net)
      const now = JSON.stringify(partOf(await settledState(net), 'theirs', [DEVICE]))
      assert.equal(now, theirs, `after ${done} failovers, seed ${SEED}`)
      await untouched()
      monitors = await watchChanges(namespace, [DEVICE])
      if (compared === 1) files = openFiles(lifeline)
    }
    await ask(lifeline.socket, 'use', { path: 'auto' })
    await waitForPath(lifeline, 'fibre')
    t.diagnostic(
      `${switches.described()}; ${openFiles(lifeline)} open files, ${files} after the first ${STEP}`,
    )
    assert.ok(openFiles(lifeline) < files + 10, 'files are left open')
    assert.doesNotMatch(lifeline.log, /^.*(error:|was not completed).*$/m)
    await waitFor('nothing left to change', async () =>
      /^Nothing would change\./.test((await lifeline.cli('plan')).stdout),
    )
    assert.equal(await lifeline.stop(), 0)
    assert.deepEqual(await settledState(net), clean)
    await untouched()
    t.diagnostic(`${changed} changes in the kernel`)
    assert.ok(changed > FAILOVERS)
  })
})

/** The switches that a daemon has told of; it keeps the last events only. */
class Switches {
  readonly #lifeline: Lifeline
  readonly #seen = new Map<number, { kind: string; worse: boolean }>()

  constructor(lifeline: Lifeline) {
    this.#lifeline = lifeline
  }

  /** How many led to a less preferred path. */
  async failovers(): Promise<number> {
    const events = await this.#lifeline.events()
    for (const kind of ['failover', 'failback', 'manual'] as const)
      for (const { seq, from, to } of ofKind(events, kind))
        this.#seen.set(seq, { kind, worse: PATHS.indexOf(to) > PATHS.indexOf(String(from)) })
    return [...this.#seen.values()].filter(({ worse }) => worse).length
  }

  described(): string {
    const kinds = [...this.#seen.values()].map(({ kind }) => kind)
    return [...new Set(kinds)]
      .map((kind) => `${kinds.filter((other) => other === kind).length} times ${kind}`)
      .join(', ')
  }
}

async function settledState({ router }: Provider): Promise<KernelState> {
  return settled(await kernelState(router.namespace))
}

async function assertCarries(net: Provider): Promise<void> {
  await waitFor(
    'the internet to answer the LAN',
    async () => (await ping(net.lan, common.internet.ipv4)).received === 1,
  )
}

function openFiles({ process: { pid } }: Lifeline): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
