import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusalOf } from '../../../src/app/kernel/apply-failure.ts'
import { Devices } from '../../../src/app/kernel/devices.ts'
import { SocketErrors } from '../../../src/app/socket-errors.ts'
import type { StatusWriter } from '../../../src/app/status-store.ts'
import type { AttemptRunner } from '../../../src/app/tunnel/attempt.ts'
import { SessionSlot } from '../../../src/app/tunnel/session-slot.ts'
import { type Failure, failureMessage } from '../../../src/core/failure.ts'
import type { Change } from '../../../src/core/system/change.ts'
import { SYSTEM, tunnelOf } from '../../core/system/samples.ts'
import { MemoryLog } from '../../memory-log.ts'
import { MemorySocket } from '../../memory-tuns.ts'
import { seededEntropy } from '../../sim/random.ts'
import { FakeClock, FakeSystem, idle } from '../fake-system.ts'

const DEVICE = 'l2tp-aaisp'
const PEER = { host: '198.51.100.1', port: 1701 }
const KEYS = { localTunnel: 1, localSession: 2, peerTunnel: 3, peerSession: 4, peer: PEER, sequencing: false }

/** What users are told of a session whose change the kernel refused. */
async function told(change: Change, code: string): Promise<Failure[]> {
  const failures: Failure[] = []
  const system = new FakeSystem(SYSTEM)
  const refused: number[] = []
  const runner = {
    mtu: 1462,
    carrier: { uplink: { device: 'eth0' } },
    attempt: { address: PEER.host },
    socket: new MemorySocket(),
    command: () => {},
  }
  const slot = new SessionSlot(
    {
      tunnel: tunnelOf('aaisp', { device: DEVICE }),
      surroundings: () => ({ links: [], hosts: [] }),
      onSession: () => Promise.reject(refusalOf({ change, code, message: 'these words' })),
      onApplied: () => assert.fail('nothing is applied'),
      onRefused: (id) => refused.push(id),
      onStatistics: () => {},
      onStanding: () => {},
      onEchoed: () => {},
    },
    {
      clock: new FakeClock(),
      datagrams: { open: () => assert.fail(), openIcmp: () => assert.fail() },
      entropy: seededEntropy(1),
      log: new MemoryLog(),
      errors: new SocketErrors(new FakeClock(), new MemoryLog()),
      refusals: { refusedAddresses: () => new Map(), onWritten: () => () => {} },
      devices: new Devices(system.tuns, system.tuns),
      status: { failed: (_tunnel: string, failure: Failure) => void failures.push(failure) } as StatusWriter,
    },
  )
  assert.ok(slot.adopt(7, runner as unknown as AttemptRunner))
  slot.live?.onEvent({ type: 'sessionOpened', keys: KEYS })
  slot.live?.onEvent({ type: 'ipv4Opened', address: '203.0.113.10', peer: undefined, dns: [] })
  await idle()
  assert.deepEqual(refused, [7])
  return failures
}

test('a session that the kernel cannot hold is given back, and the status says what was refused', async () => {
  const device: Change = { kind: 'createDevice', device: DEVICE }
  assert.deepEqual((await told({ kind: 'loadNft', text: '' }, 'EPERM')).map(failureMessage), [
    'the firewall rules could not be loaded, so the tunnel stays closed: these words',
  ])
  assert.deepEqual((await told(device, 'EIO')).map(failureMessage), [
    'the system refused to set up the device l2tp-aaisp: these words',
  ])
  assert.deepEqual((await told(device, 'EPERM')).map(failureMessage), [
    'this process may not set up the device l2tp-aaisp: run it as root or with CAP_NET_ADMIN and CAP_NET_RAW',
  ])
})

/** A slot whose device tells what was done to it, and sessions of attempts that open as they are adopted. */
function slotOf() {
  const clock = new FakeClock()
  const system = new FakeSystem(SYSTEM)
  const slot = new SessionSlot(
    {
      tunnel: tunnelOf('aaisp', { device: DEVICE }),
      surroundings: () => ({ links: [], hosts: [] }),
      onStanding: () => {},
      onSession: async () => {},
      onApplied: () => {},
      onRefused: () => assert.fail('nothing is refused'),
      onStatistics: () => {},
      onEchoed: () => {},
    },
    {
      clock,
      datagrams: { open: () => assert.fail(), openIcmp: () => assert.fail() },
      entropy: seededEntropy(1),
      log: new MemoryLog(),
      errors: new SocketErrors(clock, new MemoryLog()),
      refusals: { refusedAddresses: () => new Map(), onWritten: () => () => {} },
      devices: new Devices(system.tuns, system.tuns),
      status: { failed: () => assert.fail('nothing fails') } as unknown as StatusWriter,
    },
  )
  const adopt = (id: number) => {
    const socket = new MemorySocket()
    const runner = {
      mtu: 1462,
      carrier: { uplink: { device: 'eth0' } },
      attempt: { address: PEER.host },
      socket,
      command: () => {},
    }
    assert.ok(slot.adopt(id, runner as unknown as AttemptRunner))
    slot.live?.onEvent({ type: 'sessionOpened', keys: KEYS })
    slot.live?.onEvent({ type: 'ipv4Opened', address: '203.0.113.10', peer: undefined, dns: [] })
    return socket
  }
  const deviceOf = () => {
    const tun = system.tuns.devices.get(DEVICE)
    assert.ok(tun)
    return tun
  }
  return { slot, clock, adopt, deviceOf }
}

test('a session that lingers is over when the next one gets the device, before its time', async () => {
  const { slot, clock, adopt, deviceOf } = slotOf()
  adopt(1)
  const device = deviceOf()
  const first = device.session?.socket
  slot.linger(1000)
  slot.drop(1)
  assert.equal(device.session?.socket, first, 'its last packets are still taken')
  const second = adopt(2)
  assert.equal(device.session?.socket, second)
  await clock.pass(5_000)
  assert.equal(device.session?.socket, second, 'the end of the first is not that of the second')
})

test('a session without a successor lingers for its time, and no longer', async () => {
  const { slot, clock, adopt, deviceOf } = slotOf()
  adopt(1)
  const device = deviceOf()
  slot.linger(1000)
  slot.drop(1)
  await clock.pass(900)
  assert.notEqual(device.session, undefined)
  await clock.pass(200)
  assert.equal(device.session, undefined)
})

test('what LCP agrees upon anew is at once what the attached data path carries', () => {
  const { slot, adopt, deviceOf } = slotOf()
  adopt(1)
  const device = deviceOf()
  assert.equal(device.session?.mtu, 1462)
  for (const [mru, ourMru, mtu] of [
    [1400, 1462, 1400],
    [1500, 1300, 1300],
    [1500, 1500, 1462],
  ] as const) {
    slot.live?.onEvent({ type: 'lcpOpened', mru, ourMru })
    assert.equal(device.session?.mtu, mtu)
  }
  slot.live?.onEvent({ type: 'sequencingChanged', sequencing: true })
  assert.equal(device.session?.sequencing, true)
})
