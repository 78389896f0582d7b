/** The code that V8 keeps between starts: taken where it fits, made again where it does not, missed by nobody. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, type TestContext, test } from 'node:test'
import { dial, LINE, lineOf, subscriber, TUNNEL_SECRET } from './scenario.ts'
import { buildNetwork, type Network } from './topology.ts'
import { waitFor } from './wait.ts'

const alice = subscriber('alice', 1)

describe('compiled code', { timeout: 600_000 }, () => {
  let net: Network
  let folder: string
  let file: string
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET })
    folder = join(net.router.cacheFolder, 'lifeline')
    file = join(folder, 'code')
  })
  after(() => net.close())
  beforeEach(() => rmSync(folder, { recursive: true, force: true }))

  /** A tunnel comes up and goes down in good order. */
  async function live(t: TestContext): Promise<void> {
    const { lifeline } = await dial(t, net, alice)
    assert.equal(await lifeline.stop(), 0)
  }

  /** Which file it is, and since when. */
  const identity = () => {
    const { ino, mtimeMs } = statSync(file)
    return `${ino} ${mtimeMs}`
  }

  test('is kept at a clean stop, and V8 takes it at the next start: else it would be written again', async (t) => {
    await live(t)
    const kept = identity()
    await live(t)
    assert.equal(identity(), kept)
  })

  test('is kept by a daemon that stays, ten seconds after its start, and fits the next', async (t) => {
    const { lifeline } = await dial(t, net, alice)
    await waitFor('the code', () => statSync(file, { throwIfNoEntry: false }) !== undefined)
    const kept = identity()
    await lifeline.kill9()
    await live(t)
    assert.equal(identity(), kept)
  })

  test('is made again where it is damaged, cut short, of another build, or open to others', async (t) => {
    await live(t)
    const whole = readFileSync(file)
    const damaged = Buffer.from(whole)
    damaged.fill(0x55, whole.length / 2, whole.length / 2 + 1000)
    const spoils: (() => void)[] = [
      () => writeFileSync(file, damaged),
      () => writeFileSync(file, whole.subarray(0, whole.length - 4096)),
      () => writeFileSync(file, Buffer.concat([Buffer.alloc(32), whole.subarray(32)])),
      () => chmodSync(file, 0o666),
    ]
    for (const spoil of spoils) {
      spoil()
      const spoilt = identity()
      await live(t)
      assert.notEqual(identity(), spoilt)
      assert.equal(statSync(file).mode & 0o022, 0)
    }
  })

  test('is not used again by the next start where a start with it ended in a crash', async (t) => {
    await live(t)
    const crashing = identity()
    const { lifeline } = await dial(t, net, alice)
    await lifeline.kill9()
    assert.deepEqual(readdirSync(folder), ['code.tried'])
    await live(t)
    assert.deepEqual(readdirSync(folder), ['code'])
    assert.notEqual(identity(), crashing)
  })

  test('that another node made is not touched: V8 would take it, and crash', async (t) => {
    await live(t)
    const ofOne = identity()
    const bin = join(net.folder, 'bin')
    mkdirSync(bin)
    copyFileSync(process.execPath, join(bin, 'node'))
    const env = { PATH: `${bin}:${process.env.PATH}` }
    const lifeline = net.router.lifeline({ config: lineOf(alice), env })
    await lifeline.waitForUp(LINE)
    assert.equal(identity(), ofOne)
    await lifeline.stop()
    const ofOther = identity()
    assert.notEqual(ofOther, ofOne)
    await live(t)
    assert.notEqual(identity(), ofOther)
  })

  test('is not missed where it cannot be kept', async (t) => {
    mkdirSync(file, { recursive: true })
    await live(t)
    assert.ok(statSync(file).isDirectory())
  })
})
