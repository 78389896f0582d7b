import assert from 'node:assert/strict'
import { it } from 'node:test'
import { failoverConfig } from '../../core/system/failover-samples.ts'
import { run } from '../process.ts'
import { waitFor } from '../wait.ts'
import { House, SESSION } from './house.ts'

it('without file descriptors the daemon lives, says so, and mends its filters once it has some', {
  timeout: 120_000,
}, async () => {
  const house = await House.build()
  try {
    const daemon = house.daemon()
    await daemon.ask({ do: 'configure', config: failoverConfig() })
    await daemon.ask({ do: 'show', tunnel: 'aaisp', session: SESSION })
    const { pid } = daemon.process
    const rules = async () => (await house.router.run(['nft', 'list', 'ruleset'])).stdout
    assert.match(await rules(), /table inet lifeline/)
    const limit = (number: number) => run(['prlimit', `--pid=${pid}`, `--nofile=${number}:4096`])
    // Those that are open stay, and no number is free.
    await limit(3)
    await house.router.nft('flush ruleset')
    await daemon.process.waitForOutput(/could not be started: this process has no file descriptors left/)
    assert.ok(daemon.process.running)
    await limit(1024)
    await waitFor('the filters to be mended', async () => /table inet lifeline/.test(await rules()))
  } finally {
    await house.close()
  }
})
