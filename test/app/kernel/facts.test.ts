import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FactsWatcher, readFacts } from '../../../src/app/kernel/facts.ts'
import { SystemError } from '../../../src/app/ports.ts'
import { encodeNewRoute, encodeRouteRemoval } from '../../../src/core/netlink/route.ts'
import { encodeNewRule, encodeRuleRemoval } from '../../../src/core/netlink/rule.ts'
import type { Facts } from '../../../src/core/system/facts.ts'
import { lookup } from '../../../src/core/system/lookup.ts'
import { defaultOver, SYSTEM } from '../../core/system/samples.ts'
import { MemoryLog } from '../../memory-log.ts'
import { FakeSystem, idle } from '../fake-system.ts'

const FULL: Facts = { ...SYSTEM, rules: [lookup(4, 31000, 254), lookup(6, 31000, 254)] }

const RTM_GETROUTE = 26
const RTM_GETRULE = 34

async function watching(system: FakeSystem) {
  const watcher = new FactsWatcher(system, new MemoryLog())
  const seen: Facts[] = []
  await watcher.start()
  watcher.onChange((facts) => seen.push(facts))
  return { watcher, seen }
}

describe('readFacts', () => {
  it('reads everything once', async () => {
    assert.deepEqual(await readFacts(new FakeSystem(FULL)), FULL)
  })
})

describe('FactsWatcher', () => {
  it('begins with a dump', async () => {
    const { watcher } = await watching(new FakeSystem(FULL))
    assert.deepEqual(watcher.facts, FULL)
  })

  it('knows of a change that is announced during the dump, after what the dump says', async () => {
    const system = new FakeSystem(FULL)
    const watcher = new FactsWatcher(system, new MemoryLog())
    system.onRequest = (type) => {
      // The rules of IPv4 are asked for: links have been read already.
      if (type === RTM_GETRULE) system.setLink('usb0', {})
    }
    await watcher.start()
    assert.ok(watcher.facts.links.some(({ name }) => name === 'usb0'))
  })

  it('tells of each change, with the facts after it', async () => {
    const system = new FakeSystem(FULL)
    const { seen } = await watching(system)
    system.setLink('eth0', { mtu: 1400 })
    system.setLink('eth0', { mtu: 1400 })
    assert.deepEqual(
      seen.map(({ links }) => links.find(({ name }) => name === 'eth0')?.mtu),
      [1400],
    )
  })

  it('stops telling who does not want to hear any more', async () => {
    const system = new FakeSystem(FULL)
    const { watcher } = await watching(system)
    let heard = 0
    const cancel = watcher.onChange(() => heard++)
    system.setLink('eth0', { mtu: 1400 })
    cancel()
    system.setLink('eth0', { mtu: 1300 })
    assert.equal(heard, 1)
  })

  it('reads everything again where announcements were lost', async () => {
    const system = new FakeSystem(FULL)
    const { watcher, seen } = await watching(system)
    system.inSilence((facts) => ({ ...facts, rules: [], addresses: [] }))
    system.loseAnnouncements()
    await idle()
    assert.deepEqual(watcher.facts, { ...FULL, rules: [], addresses: [] })
    assert.equal(seen.length, 1)
  })

  it('goes on with what is announced where reading everything again failed, until that works', async () => {
    const system = new FakeSystem(FULL)
    const { watcher } = await watching(system)
    system.inSilence((facts) => ({ ...facts, rules: [] }))
    system.onRequest = () => {
      throw new SystemError('ENOBUFS', 'no room')
    }
    system.loseAnnouncements()
    system.setLink('eth0', { mtu: 1400 })
    await idle()
    assert.equal(watcher.facts.links.find(({ name }) => name === 'eth0')?.mtu, 1400)
    system.setLink('eth0', { mtu: 1300 })
    assert.equal(watcher.facts.links.find(({ name }) => name === 'eth0')?.mtu, 1300)
    system.onRequest = () => {}
    system.loseAnnouncements()
    await idle()
    assert.deepEqual(watcher.facts.rules, [])
  })

  it('reads everything once more where announcements were lost while it was reading', async () => {
    const system = new FakeSystem(FULL)
    const { watcher } = await watching(system)
    system.loseAnnouncements()
    system.onRequest = (type) => {
      if (type !== RTM_GETRULE) return
      system.onRequest = () => {}
      system.inSilence((facts) => ({ ...facts, addresses: [] }))
      system.loseAnnouncements()
    }
    await idle()
    assert.deepEqual(watcher.facts.addresses, [])
  })

  it('lets nothing that was announced before it reads once more undo what it then reads', async () => {
    const system = new FakeSystem(FULL)
    const { watcher } = await watching(system)
    system.loseAnnouncements()
    system.onRequest = (type) => {
      if (type !== RTM_GETRULE) return
      system.onRequest = () => {}
      system.setLink('usb0', {})
      system.inSilence(() => FULL)
      system.loseAnnouncements()
    }
    await idle()
    assert.deepEqual(watcher.facts, FULL)
  })

  it('reads the routes again after a link went down, since the kernel is silent about them', async () => {
    const system = new FakeSystem(FULL)
    const { watcher } = await watching(system)
    system.inSilence((facts) => ({ ...facts, routes: [] }))
    assert.equal(watcher.facts.routes.length, 2)
    system.setLink('eth0', { up: false })
    await idle()
    assert.deepEqual(watcher.facts.routes, [])
  })

  it('reads the routes again after a link went down while everything was being read', async () => {
    const system = new FakeSystem(FULL)
    const { watcher } = await watching(system)
    system.loseAnnouncements()
    system.onRequest = (type) => {
      // Routes have been read already.
      if (type !== RTM_GETRULE) return
      system.onRequest = () => {}
      system.inSilence((facts) => ({ ...facts, routes: [] }))
      system.setLink('eth0', { up: false })
    }
    await idle()
    assert.deepEqual(watcher.facts.routes, [])
  })

  it('reads the routes at the next announcement where reading them failed', async () => {
    const system = new FakeSystem(FULL)
    const { watcher } = await watching(system)
    system.inSilence((facts) => ({ ...facts, routes: [] }))
    const asked: number[] = []
    system.onRequest = (type) => {
      asked.push(type)
      throw new SystemError('ENOBUFS', 'no room')
    }
    system.setLink('eth0', { up: false })
    await idle()
    assert.deepEqual(asked, [RTM_GETROUTE])
    assert.equal(watcher.facts.routes.length, 2)
    system.onRequest = () => {}
    system.setLink('usb0', {})
    await idle()
    assert.deepEqual(watcher.facts.routes, [])
  })

  it('keeps what is announced while the routes are read again', async () => {
    const system = new FakeSystem(FULL)
    const { watcher } = await watching(system)
    system.setLink('eth0', { up: false })
    system.setLink('usb0', {})
    await idle()
    assert.ok(watcher.facts.links.some(({ name }) => name === 'usb0'))
    assert.equal(watcher.facts.links.find(({ name }) => name === 'eth0')?.up, false)
  })

  it('keeps a route that comes while an older state of the routes is being read', async () => {
    const system = new FakeSystem(FULL)
    const { watcher } = await watching(system)
    const route = { ...defaultOver(2, '192.0.2.9'), metric: 7 }
    system.onRequest = (type) => {
      if (type !== RTM_GETROUTE) return
      system.onRequest = () => {}
      // After the answer was made, before it arrives.
      queueMicrotask(() => system.announce(encodeNewRoute(route)))
    }
    system.setLink('usb0', {})
    system.removeLink('usb0')
    await idle()
    assert.ok(watcher.facts.routes.some(({ metric }) => metric === 7))
  })

  it('knows its own changes before they are announced, and not those that are refused', async () => {
    const system = new FakeSystem(FULL)
    const { watcher } = await watching(system)
    const route = { ...defaultOver(2, '192.0.2.1'), table: 17060, protocol: 108, metric: 1 }
    await watcher.change(encodeNewRoute(route))
    assert.ok(watcher.facts.routes.some(({ table }) => table === 17060))
    system.refuse = () => 'EPERM'
    await assert.rejects(watcher.change(encodeRuleRemoval(lookup(4, 31000, 254))), { code: 'EPERM' })
    assert.equal(watcher.facts.rules.length, 2)
  })

  it('knows that somebody undid its change before the answer to it arrived', async () => {
    const system = new FakeSystem(FULL)
    const { watcher } = await watching(system)
    const route = { ...defaultOver(2, '192.0.2.1'), table: 17060, protocol: 108, metric: 1 }
    const written = watcher.change(encodeNewRoute(route))
    system.announce(encodeRouteRemoval(route))
    await written
    assert.deepEqual(watcher.facts, system.facts)
    assert.ok(!watcher.facts.routes.some(({ table }) => table === 17060))

    const rule = lookup(4, 31000, 254)
    const removed = watcher.change(encodeRuleRemoval(rule))
    system.announce(encodeNewRule(rule))
    await removed
    assert.ok(watcher.facts.rules.some(({ family }) => family === 4))
  })

  it('knows of a link that went before the answer about it arrived', async () => {
    const system = new FakeSystem(FULL)
    const { watcher } = await watching(system)
    const found = watcher.lookUpLink('eth0')
    system.removeLink('eth0')
    await found
    assert.ok(!watcher.facts.links.some(({ name }) => name === 'eth0'))
  })
})
