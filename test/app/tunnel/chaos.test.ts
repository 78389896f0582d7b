/** Everything goes wrong at random for ten minutes; then it must all be well again, with nothing left over. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimLns } from '../../sim/lns.ts'
import { Network } from '../../sim/network.ts'
import { seededRandom } from '../../sim/random.ts'
import { SimRouter } from '../../sim/router.ts'
import { CLIENT, GOOD_PATH } from '../../sim/world.ts'

const LTE = '198.51.100.2'
const SECOND_LNS = '192.0.2.9'
const NAME = 'l2tp.example.net'
const SEEDS = 120
const TROUBLE = 600_000
/** The longest back-off, a vain dial begun just before, and the dial itself. */
const CALM = 60_000 + 12_000 + 5_000
/** Every attempt of a round, and those that still say goodbye. */
const MOST_SOCKETS = 20
/** Datagrams of ours in one second: dials of several addresses, echoes, answers to both LNSes. */
const MOST_PER_SECOND = 120

class Trouble {
  readonly network: Network
  readonly router: SimRouter
  readonly lnses: readonly SimLns[]
  readonly story: string[] = []
  /** A user has said `down`. */
  down = false
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.network = new Network(seed, GOOD_PATH)
    this.lnses = ['192.0.2.1', SECOND_LNS].map(
      (host, index) => new SimLns(this.network, seed + index, { address: { host, port: 1701 } }),
    )
    const servers = [
      { host: NAME, port: 1701 },
      { host: SECOND_LNS, port: 1701 },
    ]
    const localPort = seed % 4 === 0 ? 1701 : 0
    this.router = new SimRouter(this.network, seed, { servers, localPort })
    this.router.resolver.names.set(NAME, ['192.0.2.1'])
    this.router.machine.add('fibre', [CLIENT])
    this.router.machine.add('lte', [LTE])
    this.router.supervisor.want('session')
  }

  /** Something happens. */
  strike(): void {
    const { network, router } = this
    const { machine, supervisor, resolver } = router
    const names = ['fibre', 'lte'] as const
    const uplink = this.#pick(names) ?? 'fibre'
    const lns = this.#pick(this.lnses)
    const things: Readonly<Record<string, () => void>> = {
      'path cut': () => {
        network.cut = true
      },
      'path back': () => {
        network.cut = false
      },
      'path bad': () => {
        network.path = { delay: 20, jitter: 100, loss: 0.3, duplicate: 0.1 }
      },
      'path good': () => {
        network.path = GOOD_PATH
      },
      'fibre leads nowhere': () => {
        network.paths.set(CLIENT, { delay: 20, loss: 1 })
      },
      'fibre leads somewhere': () => {
        network.paths.clear()
      },
      'uplink gone': () => machine.remove(uplink),
      'uplink there': () => machine.add(uplink, [uplink === 'fibre' ? CLIENT : LTE]),
      'cable pulled': () => machine.setUp(uplink, false),
      'cable plugged': () => machine.setUp(uplink, true),
      'other address': () => machine.readdress('lte', [`198.51.100.${Math.floor(this.#random() * 250)}`]),
      'LNS restarted': () => lns?.restart(),
      'LNS gone': () => lns?.crash(),
      'sessions dropped': () => lns?.command({ type: 'dropSessions' }),
      'tunnels dropped': () => lns?.command({ type: 'dropTunnels' }),
      'resolver silent': () => resolver.names.set(NAME, 'silent'),
      'resolver back': () => resolver.names.set(NAME, ['192.0.2.1']),
      reconnect: () => supervisor.reconnect(),
      down: () => {
        this.down = true
        void supervisor.down()
      },
      up: () => {
        this.down = false
        supervisor.up()
      },
      warm: () => supervisor.want('warm'),
      session: () => supervisor.want('session'),
    }
    const name = this.#pick(Object.keys(things)) ?? ''
    this.story.push(`${Math.round(network.now)} ${name} ${uplink}`)
    things[name]?.()
  }

  /** Until the next strike: mostly soon, sometimes long after. */
  pause(): number {
    return this.#random() < 0.3 ? this.#random() * 200 : this.#random() ** 3 * 60_000
  }

  /** All is put right again, except what the client has to do by itself. */
  mend(): void {
    const { network, router } = this
    network.cut = false
    network.path = GOOD_PATH
    network.paths.clear()
    for (const lns of this.lnses) lns.restart()
    router.resolver.names.set(NAME, ['192.0.2.1'])
    router.machine.add('fibre', [CLIENT])
    router.supervisor.want('session')
    if (this.down) router.supervisor.up()
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)]
  }
}

for (const [first, last] of [
  [1, SEEDS / 2],
  [SEEDS / 2 + 1, SEEDS],
] as const) {
  test(`ten minutes of trouble of every kind, seeds ${first} to ${last}`, async () => {
    let slowest = 0
    let strikes = 0
    for (let seed = first; seed <= last; seed++) {
      const trouble = new Trouble(seed)
      const { network, router } = trouble
      const where = () =>
        JSON.stringify(
          { seed, now: network.now, story: trouble.story.slice(-12), shown: router.shown },
          null,
          1,
        )
      let sent = 0
      let second = 0
      network.onSend = ({ host }) => {
        if (Math.floor(network.now / 1_000) !== second) {
          second = Math.floor(network.now / 1_000)
          sent = 0
        }
        if (host === CLIENT || host.startsWith('198.51.100.')) sent++
        assert.ok(sent <= MOST_PER_SECOND, `a storm: ${where()}`)
      }
      while (network.now < TROUBLE) {
        trouble.strike()
        strikes++
        await network.run(network.now + trouble.pause())
        assert.ok(router.machine.openSockets <= MOST_SOCKETS, `sockets leak: ${where()}`)
        if (router.up) assert.equal(router.device.carrier, true, `up without carrier: ${where()}`)
      }
      trouble.mend()
      const mended = network.now
      const up = await network.run(mended + CALM, () => router.up && router.shown.uplink !== null)
      assert.ok(up, `not up after all was well again: ${where()}`)
      slowest = Math.max(slowest, network.now - mended)
      // Back to the first uplink, at the latest after the longest pause between two tries.
      await network.run(mended + 1_300_000)
      assert.ok(router.up, where())
      assert.equal(router.shown.uplink, 'fibre', where())
      assert.equal(router.machine.openSockets, 1, where())
      assert.equal(
        trouble.lnses.reduce((sum, { peers }) => sum + peers, 0),
        1,
        where(),
      )
      assert.deepEqual(router.log.complaints, [], where())
    }
    console.log(`# ${strikes} strikes; up again ${Math.round(slowest)} ms after the last at worst`)
  })
}
