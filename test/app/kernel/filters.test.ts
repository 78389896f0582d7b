import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Filters } from '../../../src/app/kernel/filters.ts'
import { type Nft, SystemError } from '../../../src/app/ports.ts'
import type { GuardedPort } from '../../../src/core/firewall/guard.ts'
import { replaceTable } from '../../../src/core/firewall/ruleset.ts'

const TABLE = replaceTable([{ name: 'guard', rules: [] }])
const PORT: GuardedPort = { device: 'wan-4g', localPort: 50123, server: '198.51.100.1' }
const OTHER: GuardedPort = { device: 'eth0', localPort: 50124, server: '2001:db8::1' }

/** An nft that finishes a script when the test says so; `rules` are those of the guard in the last one. */
class SlowNft implements Nft {
  readonly scripts: string[] = []
  #finish: (() => void)[] = []
  refuse = false

  load(script: string): Promise<void> {
    this.scripts.push(script)
    if (this.refuse) return Promise.reject(new SystemError('EINVAL', 'refused'))
    return new Promise((done) => this.#finish.push(done))
  }

  async check(): Promise<void> {}

  async list(): Promise<unknown> {
    return {}
  }

  /** Ends the oldest script under way. */
  async finish(): Promise<void> {
    this.#finish.shift()?.()
    await turn()
  }

  get rules(): string[] {
    return (this.scripts.at(-1) ?? '').split('\n').filter((line) => line.startsWith('add rule'))
  }
}

function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done))
}

async function loaded() {
  const nft = new SlowNft()
  const broken = { times: 0 }
  const filters = new Filters(nft, () => broken.times++)
  const loading = filters.load(TABLE)
  await turn()
  await nft.finish()
  await loading
  return { nft, filters, broken }
}

describe('a guarded port', () => {
  it('is guarded when the promise resolves, and no more after it is closed', async () => {
    const { nft, filters } = await loaded()
    let guarded = false
    const guarding = filters.guard(PORT).then((cancel) => {
      guarded = true
      return cancel
    })
    await turn()
    assert.equal(nft.rules.length, 2)
    assert.equal(guarded, false)
    await nft.finish()
    const cancel = await guarding
    cancel()
    await turn()
    assert.equal(nft.scripts.at(-1), 'flush chain inet lifeline guard\n')
    assert.equal(filters.loaded, TABLE)
  })

  it('comes with the table that is being loaded, and with each that replaces it', async () => {
    const nft = new SlowNft()
    const filters = new Filters(nft, () => {})
    await filters.guard(PORT)
    assert.deepEqual(nft.scripts, [])
    void filters.load(TABLE)
    await turn()
    assert.match(nft.scripts.at(0) ?? '', /^table inet lifeline\ndelete/)
    assert.equal(nft.rules.length, 2)
    await nft.finish()
    void filters.load(`${TABLE} `)
    await turn()
    assert.equal(nft.rules.length, 2)
  })

  it('is not lost to a table whose loading began before', async () => {
    const nft = new SlowNft()
    const filters = new Filters(nft, () => {})
    void filters.load(TABLE)
    await turn()
    const guarding = filters.guard(PORT)
    await turn()
    assert.equal(nft.scripts.length, 1)
    await nft.finish()
    assert.deepEqual([nft.scripts.length, nft.rules.length], [2, 2])
    await nft.finish()
    await guarding
  })

  it('is one of several: who comes and goes together is written once', async () => {
    const { nft, filters } = await loaded()
    const first = filters.guard(PORT)
    const second = filters.guard(OTHER)
    await turn()
    assert.equal(nft.rules.length, 4)
    await nft.finish()
    await Promise.all([first, second])
    assert.equal(nft.scripts.length, 2)
  })

  it('that nft refuses is none', async () => {
    const { nft, filters } = await loaded()
    nft.refuse = true
    await assert.rejects(filters.guard(PORT), { code: 'EINVAL' })
    nft.refuse = false
    void filters.load(TABLE)
    await turn()
    assert.deepEqual(nft.rules, [])
  })

  it('counts as a change of ours, and mends no table that somebody else has changed', async () => {
    const { nft, filters, broken } = await loaded()
    filters.changed(1)
    const guarding = filters.guard(PORT)
    await turn()
    await nft.finish()
    await guarding
    filters.changed(1)
    assert.equal(broken.times, 0)
    const other = filters.guard(OTHER)
    await turn()
    filters.changed(2)
    assert.equal(broken.times, 0)
    await nft.finish()
    await other
    assert.equal(broken.times, 1)
    assert.equal(filters.broken, true)
    assert.equal(filters.loaded, '')
  })
})

describe('announcements that were lost while a table is loaded', () => {
  async function lostWhileLoading(announced: number) {
    const { nft, filters, broken } = await loaded()
    filters.changed(1)
    const loading = filters.load(TABLE)
    await turn()
    filters.changed(announced)
    filters.forget()
    await nft.finish()
    await loading
    return { filters, broken }
  }

  it('leave it to be loaded again, and let the next change of somebody else be seen', async () => {
    const { filters, broken } = await lostWhileLoading(0)
    assert.equal(filters.loaded, '')
    assert.equal(broken.times, 0)
    filters.changed(1)
    assert.equal(broken.times, 1)
  })

  it('do not hide a change of somebody else that was announced before', async () => {
    const { broken } = await lostWhileLoading(2)
    assert.equal(broken.times, 1)
  })
})
