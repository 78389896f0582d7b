import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DnsOffers } from '../../../src/app/kernel/dns-offers.ts'
import { type SystemDns, SystemError } from '../../../src/app/ports.ts'
import { StatusStore } from '../../../src/app/status-store.ts'
import type { TunnelConfig } from '../../../src/core/config/types.ts'
import type { Facts } from '../../../src/core/system/facts.ts'
import { toldPath } from '../../core/status/status-samples.ts'
import { configOf, linkOf, SYSTEM, tunnelOf } from '../../core/system/samples.ts'
import { MemoryFiles } from '../../memory-files.ts'
import { MemoryLog } from '../../memory-log.ts'
import { Network } from '../../sim/network.ts'

const DNS = ['198.51.100.53', '198.51.100.54']

/** A service that takes 20 ms for everything. */
class FakeDns implements SystemDns {
  readonly done: string[] = []
  refuse: string | undefined
  busy = 0
  readonly #network: Network

  constructor(network: Network) {
    this.#network = network
  }

  offer(device: string, servers: readonly string[]): Promise<void> {
    return this.#take(`offer ${device} ${servers.join(' ')}`)
  }

  withdraw(device: string): Promise<void> {
    return this.#take(`withdraw ${device}`)
  }

  #take(what: string): Promise<void> {
    this.busy++
    assert.equal(this.busy, 1, 'one at a time')
    return new Promise((resolve, reject) => {
      this.#network.schedule(this.#network.now + 20, () => {
        this.busy--
        if (this.refuse !== undefined) reject(new SystemError('EINVAL', this.refuse))
        else {
          this.done.push(what)
          resolve()
        }
      })
    })
  }
}

function make(options: { files?: MemoryFiles; tunnels?: readonly TunnelConfig[] } = {}) {
  const { files = new MemoryFiles(), tunnels = [tunnelOf('aaisp', { peerdns: true })] } = options
  const network = new Network(1, { delay: 1 })
  const status = new StatusStore(network.clock, '0.1.0')
  let config = configOf(tunnels)
  status.configure({ node: 'router', tunnels, uplinks: [] })
  const dns = new FakeDns(network)
  const log = new MemoryLog()
  let listener = () => {}
  const watcher = {
    facts: withDevice(7),
    onChange(run: (facts: Facts) => void) {
      listener = () => run(watcher.facts)
      return () => {
        listener = () => {}
      }
    },
  }
  const offers = new DnsOffers({
    status,
    watcher,
    dns,
    files,
    clock: network.clock,
    log,
    config: () => config,
  })
  const run = (span: number) => network.run(network.now + span)
  return {
    status,
    dns,
    log,
    files,
    offers,
    run,
    up: () => status.tunnel('aaisp', { state: 'up', dns: DNS }),
    down: () => status.tunnel('aaisp', { state: 'waiting' }),
    device: (index: number | undefined) => {
      watcher.facts = withDevice(index)
      listener()
    },
    reload: (next: readonly TunnelConfig[]) => {
      config = configOf(next)
      status.configure({ node: 'router', tunnels: next, uplinks: [] })
    },
  }
}

function withDevice(index: number | undefined): Facts {
  return index === undefined ? SYSTEM : { ...SYSTEM, links: [...SYSTEM.links, linkOf(index, 'l2tp-aaisp')] }
}

const OFFER = `offer l2tp-aaisp ${DNS.join(' ')}`

test('offered when the tunnel comes up, withdrawn when it goes', async () => {
  const { up, down, dns, run } = make()
  await run(100)
  assert.deepEqual(dns.done, [])
  up()
  await run(100)
  assert.deepEqual(dns.done, [OFFER])
  down()
  await run(100)
  assert.deepEqual(dns.done, [OFFER, 'withdraw l2tp-aaisp'])
})

test('changes that mean nothing for it cause nothing', async () => {
  const { up, status, dns, device, run } = make()
  up()
  await run(100)
  status.tunnel('aaisp', { rtt_ms: 8 })
  device(7)
  await run(100)
  assert.deepEqual(dns.done, [OFFER])
})

test('other resolvers replace those before', async () => {
  const { up, status, dns, run } = make()
  up()
  await run(100)
  status.tunnel('aaisp', { dns: ['203.0.113.53'] })
  await run(100)
  assert.deepEqual(dns.done, [OFFER, 'offer l2tp-aaisp 203.0.113.53'])
})

test('a device that was made anew needs its resolvers anew', async () => {
  const { up, dns, device, run } = make()
  up()
  await run(100)
  device(9)
  await run(100)
  assert.deepEqual(dns.done, [OFFER, OFFER])
  device(undefined)
  await run(100)
  device(10)
  await run(100)
  assert.deepEqual(dns.done.slice(2), ['withdraw l2tp-aaisp', OFFER])
})

test('only what is wanted last counts of all that comes while a program runs', async () => {
  const { up, down, status, dns, run } = make()
  up()
  await run(5)
  down()
  status.tunnel('aaisp', { state: 'up', dns: ['203.0.113.1'] })
  status.tunnel('aaisp', { state: 'up', dns: ['203.0.113.2'] })
  await run(100)
  assert.deepEqual(dns.done, [OFFER, 'offer l2tp-aaisp 203.0.113.2'])
})

test('with failover it follows the path in use', async () => {
  const { up, status, dns, run } = make()
  const path = toldPath({ readiness: 'hot', reason: '', rtt_ms: null, loss: null })
  status.failover({ active: 'fibre', path: { fibre: path, aaisp: path } })
  up()
  await run(100)
  assert.deepEqual(dns.done, [])
  status.failover({ active: 'aaisp' })
  await run(100)
  status.failover({ active: 'fibre' })
  await run(100)
  assert.deepEqual(dns.done, [OFFER, 'withdraw l2tp-aaisp'])
})

test('a reload that turns peerdns off, and one that takes the tunnel away', async () => {
  for (const next of [[tunnelOf('aaisp')], []]) {
    const { up, dns, reload, run } = make()
    up()
    await run(100)
    reload(next)
    await run(100)
    assert.deepEqual(dns.done, [OFFER, 'withdraw l2tp-aaisp'])
  }
})

test('what a killed process has left is withdrawn at the start, and nothing else', async () => {
  const killed = make()
  killed.up()
  await killed.run(10)
  assert.deepEqual(killed.dns.done, [], 'killed in the middle')
  const { dns, up, run } = make({ files: killed.files })
  await run(100)
  assert.deepEqual(dns.done, ['withdraw l2tp-aaisp'])
  up()
  await run(100)
  assert.equal(dns.done.at(-1), OFFER)
  const clean = make()
  await clean.run(100)
  assert.deepEqual(clean.dns.done, [])
})

test('close withdraws everything, and what happens after it changes nothing', async () => {
  const { up, dns, offers, files, device, run } = make()
  up()
  await run(100)
  const closing = offers.close()
  await run(100)
  await closing
  device(9)
  up()
  await run(60_000)
  assert.deepEqual(dns.done, [OFFER, 'withdraw l2tp-aaisp'])
  const next = make({ files })
  await next.run(100)
  assert.deepEqual(next.dns.done, [])
})

test('close in the middle of an offer', async () => {
  const { up, dns, offers, run } = make()
  up()
  await run(5)
  const closing = offers.close()
  await run(100)
  await closing
  assert.deepEqual(dns.done, [OFFER, 'withdraw l2tp-aaisp'])
})

test('what is refused is told once and tried again after 30 s', async () => {
  const { up, dns, log, run } = make()
  dns.refuse = 'not now'
  up()
  await run(100_000)
  assert.equal(log.complaints.length, 1)
  dns.refuse = undefined
  await run(31_000)
  assert.deepEqual(dns.done, [OFFER])
  await run(100_000)
  assert.deepEqual(dns.done, [OFFER])
})

test('a refusal at the end does not keep the daemon', async () => {
  const { up, dns, offers, run } = make()
  up()
  await run(100)
  dns.refuse = 'not now'
  const closing = offers.close()
  await run(100)
  await closing
  await run(100_000)
  assert.equal(dns.busy, 0)
})
