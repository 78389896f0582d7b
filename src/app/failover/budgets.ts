import type { Config, UplinkConfig } from '../../core/config/types.ts'
import {
  Budget,
  type BudgetLimit,
  formatBudgets,
  parseBudgets,
  type SavedBudget,
} from '../../core/failover/budget.ts'
import type { Uplink } from '../../core/system/uplinks.ts'
import { after } from '../../core/time.ts'
import type { Cancel, Clock, Counters, StateFiles } from '../ports.ts'
import type { StatusWriter } from '../status-store.ts'

const FILE = 'budgets.json'
/** ms between two looks at the counters. */
const INTERVAL = 10_000

/** What counting budgets takes: the time, the counters of devices, the status that shows them, the files that keep them. */
export interface BudgetPorts {
  readonly clock: Clock
  readonly counters: Counters
  readonly status: StatusWriter
  readonly files: StateFiles
}

/** Counts what metered uplinks carry, warns, and says which of them must not be used any more this month. */
export class Budgets {
  readonly #ports: BudgetPorts
  readonly #onCutOff: () => void
  /** Those of uplinks that are gone from the configuration too: they may come back this month. */
  readonly #saved: Map<string, SavedBudget>
  readonly #budgets = new Map<string, Budget>()
  #uplinks: readonly Uplink[] = []
  #cutOff: ReadonlySet<string> = new Set()
  #cancel: Cancel | undefined

  /** `onCutOff` is called when, by itself, an uplink may no longer be used or may be again. */
  constructor(ports: BudgetPorts, onCutOff: () => void) {
    this.#ports = ports
    this.#onCutOff = onCutOff
    this.#saved = parseBudgets(ports.files.read(FILE))
  }

  /** Uplinks that must not be used until the month ends. */
  get cutOff(): ReadonlySet<string> {
    return this.#cutOff
  }

  /** Hardly anything of the uplink's budget is left. */
  short(uplink: string | undefined): boolean {
    return this.#budgets.get(uplink ?? '')?.short ?? false
  }

  configure({ uplinks }: Pick<Config, 'uplinks'>): void {
    const counted = uplinks.filter(({ metered, monthlyBudget }) => metered || monthlyBudget !== undefined)
    for (const [name, budget] of this.#budgets) {
      if (counted.some((uplink) => uplink.name === name)) continue
      this.#saved.set(name, budget.save(this.#ports.clock.now()))
      this.#budgets.delete(name)
      this.#ports.status.uplink(name, { budget: null })
    }
    for (const uplink of counted) this.#begin(uplink)
    this.#look()
  }

  /** The uplinks as the system has them now. */
  uplinksChanged(uplinks: readonly Uplink[]): void {
    this.#uplinks = uplinks
    this.#look()
  }

  /** Writes what is not written yet. */
  close(): void {
    this.#cancel?.()
    this.#count()
    this.#save()
  }

  #begin({ name, monthlyBudget, budgetCutoff }: UplinkConfig): void {
    const limit: BudgetLimit = { octets: monthlyBudget, cutoff: budgetCutoff }
    const known = this.#budgets.get(name)
    if (known) known.setLimit(limit)
    else this.#budgets.set(name, new Budget(limit, this.#saved.get(name)))
  }

  #look(): void {
    this.#count()
    const { clock } = this.#ports
    const now = clock.now()
    if ([...this.#budgets.values()].some((budget) => budget.saveDue(now))) this.#save()
    this.#cancel?.()
    this.#cancel =
      this.#budgets.size === 0 ? undefined : clock.alarm(after(now, INTERVAL), () => this.#tick())
  }

  #tick(): void {
    const before = this.#cutOff
    this.#look()
    const same = before.size === this.#cutOff.size && [...before].every((name) => this.#cutOff.has(name))
    if (!same) this.#onCutOff()
  }

  #count(): void {
    const { clock, counters, status } = this.#ports
    if (this.#budgets.size === 0 && this.#cutOff.size === 0) return
    const traffic = counters.read()
    for (const [name, budget] of this.#budgets) {
      const { device = '', link } = this.#uplinks.find((uplink) => uplink.name === name) ?? {}
      const carried = traffic.get(device)
      if (link !== undefined && carried !== undefined) {
        const instance = `${counters.bootId}/${link.index}`
        const { receivedOctets: received, sentOctets: sent } = carried
        budget.count(clock.now(), clock.wall().getTime(), { instance, received, sent })
      }
      for (let warning = budget.pollWarning(); warning; warning = budget.pollWarning())
        status.event('budget', { uplink: name, ...warning })
      const shown = {
        used: budget.used,
        limit: budget.limit ?? null,
        period_start: budget.periodStart ?? null,
      }
      status.uplink(name, { budget: shown })
    }
    this.#cutOff = new Set([...this.#budgets].filter(([, budget]) => budget.cutOff).map(([name]) => name))
  }

  #save(): void {
    const { clock, files } = this.#ports
    if (this.#budgets.size === 0 && this.#saved.size === 0) return
    for (const [name, budget] of this.#budgets) this.#saved.set(name, budget.save(clock.now()))
    files.write(FILE, formatBudgets(this.#saved))
  }
}
