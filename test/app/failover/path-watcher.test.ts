import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PathWatcher } from '../../../src/app/failover/path-watcher.ts'
import { SocketErrors } from '../../../src/app/socket-errors.ts'
import { DEFAULT_PROBE } from '../../../src/core/config/probe.ts'
import type { ProbeTarget } from '../../../src/core/config/types.ts'
import { targetKey } from '../../../src/core/failover/probing.ts'
import { reversed } from '../../core/reversed.ts'
import { MemoryLog } from '../../memory-log.ts'
import { Machine } from '../../sim/machine.ts'
import { Network } from '../../sim/network.ts'

const TARGET: ProbeTarget = { kind: 'icmp', address: '1.1.1.1' }

const WAY = { device: 'eth0', index: 2, sources: { 4: '192.0.2.2' } }

/** A path whose link is up and whose probes are never answered; `closed` hears of each socket that goes. */
function silent(known: readonly ProbeTarget[], closed = () => {}): PathWatcher {
  const network = new Network(1, { delay: 10 })
  const machine = new Machine(network)
  machine.add('eth0', ['192.0.2.2'])
  machine.icmp = () => ({ send() {}, close: closed })
  const nothing = () => {}
  const watcher = new PathWatcher(
    {
      name: 'fibre',
      probe: DEFAULT_PROBE,
      onChange: nothing,
      onAnswer: nothing,
      onSample: nothing,
      onHealth: nothing,
      received: () => undefined,
    },
    network.clock,
    {
      datagrams: machine,
      tcpProbes: { connect: () => nothing },
      entropy: (count) => new Uint8Array(count),
      errors: new SocketErrors(network.clock, new MemoryLog()),
    },
  )
  watcher.set(WAY, '', [TARGET], new Set(known.map(targetKey)))
  return watcher
}

test('where no target has ever answered the link confirms: nothing else ever would', () => {
  let confirmed = false
  silent([]).confirm(2000, () => {
    confirmed = true
  })
  assert.ok(confirmed)
})

test('where one has answered before its answer is waited for', () => {
  let confirmed = false
  silent([TARGET]).confirm(2000, () => {
    confirmed = true
  })
  assert.ok(!confirmed)
})

test('the sockets of probes stay while the way is the same, however it was written down', () => {
  let closed = 0
  const watcher = silent([TARGET], () => closed++)
  watcher.set(reversed(WAY), '', [TARGET], new Set())
  assert.equal(closed, 0)
  watcher.set({ ...WAY, sources: { 4: '192.0.2.3' } }, '', [TARGET], new Set())
  assert.equal(closed, 1)
})
