import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resolution } from '../../../src/app/ports.ts'
import { type Found, Names } from '../../../src/app/tunnel/names.ts'
import { millis } from '../../../src/core/time.ts'
import { MemoryFiles } from '../../memory-files.ts'
import { Network } from '../../sim/network.ts'

const LNS = '198.51.100.1'
const PORTAL = '192.0.2.80'

/** Names of a start with these files, over an uplink whose resolver says what it is told to. */
function make(files: MemoryFiles) {
  const { clock } = new Network(1, { delay: 10 })
  const says = { address: LNS }
  const resolution = (): Resolution => ({ addresses: [says.address], ttl: millis(60_000) })
  const names = new Names({ resolve: async () => resolution() }, files, clock)
  const carrier = {
    name: 'fibre',
    resolvers: () => [],
    uplink: { device: 'eth0', source: undefined, ways: [{ family: 4 }] },
  } as unknown as Parameters<Names['lookUp']>[1]
  const lookUp = async (): Promise<(readonly string[])[]> => {
    const told: Found[] = []
    names.lookUp('lns.example', carrier, (found) => told.push(found))
    await new Promise((resolve) => setImmediate(resolve))
    return told.map((found) => (found.ok ? found.value : []))
  }
  const carried = (address: string) =>
    names.carried({ attempt: { server: { host: 'lns.example', port: 1701 }, address }, carrier })
  return { says, lookUp, carried }
}

test('a resolver that lies for a while displaces no address that has carried a session, over restarts', async () => {
  const files = new MemoryFiles()
  const first = make(files)
  assert.deepEqual(await first.lookUp(), [[LNS]])
  first.carried(LNS)
  first.says.address = PORTAL
  assert.deepEqual(await first.lookUp(), [[LNS], [PORTAL, LNS]])
  for (const start of [make(files), make(files)]) {
    start.says.address = PORTAL
    assert.deepEqual((await start.lookUp())[0], [LNS, PORTAL], 'tried first')
  }
  const moved = make(files)
  moved.says.address = '198.51.100.2'
  await moved.lookUp()
  moved.carried('198.51.100.2')
  assert.deepEqual(await moved.lookUp(), [['198.51.100.2']])
})
