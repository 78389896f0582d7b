/** The kernel of the house: what it tells of links and addresses, and where packets go by the wish that it holds. */
import type { Devices } from '../../src/app/kernel/devices.ts'
import type { Cancel } from '../../src/app/ports.ts'
import { equal } from '../../src/core/equal.ts'
import type { Rule } from '../../src/core/netlink/rule.ts'
import { type DesiredRoute, type DesiredState, NOTHING_DESIRED } from '../../src/core/system/desired-state.ts'
import type { Facts } from '../../src/core/system/facts.ts'
import { factsOf, type Line } from './failover-line.ts'
import type { Timeline } from './timeline.ts'

export class SimKernel {
  readonly #time: Timeline
  readonly #lines: readonly Line[]
  readonly #devices: Devices
  readonly #delay: number
  readonly #listeners = new Set<(facts: Facts) => void>()
  #facts: Facts
  #wished = NOTHING_DESIRED
  #written: Promise<readonly []> = Promise.resolve([])
  /** Default routes of IPv4 by the wish that is held, in the order in which they are looked up. */
  #ways: readonly DesiredRoute[] = []
  /** Where IPv4 of the home network is to leave by the latest wish, as soon as that is known. */
  onWish: (device: string | undefined) => void = () => {}

  /** `delay`: ms that it takes for a wish. */
  constructor(time: Timeline, lines: readonly Line[], devices: Devices, delay: number) {
    this.#time = time
    this.#lines = lines
    this.#devices = devices
    this.#delay = delay
    this.#facts = factsOf(lines)
  }

  get facts(): Facts {
    return this.#facts
  }

  /** Calls `run` when the facts have changed. */
  onChange(run: (facts: Facts) => void): Cancel {
    this.#listeners.add(run)
    return () => this.#listeners.delete(run)
  }

  /** A link has come or gone. */
  linksChanged(): void {
    this.#facts = factsOf(this.#lines)
    for (const run of this.#listeners) run(this.#facts)
  }

  prepare(): void {}

  /** Holds the wish a while later. A carrier that is to be off is off when this returns. */
  want(wish: DesiredState): Promise<readonly []> {
    if (equal(wish, this.#wished)) return this.#written
    this.#wished = wish
    this.onWish(deviceOf(waysOf(wish)[0]))
    for (const { name, carrier } of wish.devices) if (!carrier) this.#devices.get(name)?.setCarrier(false)
    this.#written = new Promise((resolve) => {
      this.#time.after(this.#delay, () => {
        this.#hold(wish)
        resolve([])
      })
    })
    return this.#written
  }

  pending(): [] {
    return []
  }

  /** The device by which IPv4 of the home network leaves for the internet; undefined: it is lost. */
  get wayOut(): string | undefined {
    return deviceOf(this.#ways.find((way) => this.#leads(way)))
  }

  #hold(wish: DesiredState): void {
    this.#ways = waysOf(wish)
    for (const { name, carrier } of wish.devices) if (carrier) this.#devices.open(name).setCarrier(true)
  }

  /** Those of our devices without a carrier are passed over. */
  #leads(way: DesiredRoute): boolean {
    const device = deviceOf(way)
    const ours = device === undefined ? undefined : this.#devices.get(device)
    return ours?.carrier ?? true
  }
}

/** Default routes of IPv4 for what comes from the home network, in the order in which they are looked up. */
function waysOf({ rules, routes }: DesiredState): DesiredRoute[] {
  const defaults = routes.filter(({ family, destination }) => family === 4 && destination.length === 0)
  return rules
    .filter((rule) => rule.family === 4 && concernsAll(rule))
    .sort((one, other) => one.priority - other.priority)
    .flatMap(({ table }) =>
      defaults.filter((route) => route.table === table).sort((one, other) => one.metric - other.metric),
    )
}

function deviceOf(way: DesiredRoute | undefined): string | undefined {
  return typeof way?.via === 'string' ? undefined : way?.via.device
}

function concernsAll({ from, to, iif, oif, mark, ipProtocol }: Rule): boolean {
  return [from, to, iif, oif, mark, ipProtocol].every((selector) => selector === undefined)
}
