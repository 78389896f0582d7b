import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusalOf } from '../../src/app/apply-failure.ts'
import type { AttemptRunner } from '../../src/app/attempt.ts'
import { Devices } from '../../src/app/devices.ts'
import { SessionSlot } from '../../src/app/session-slot.ts'
import { SocketErrors } from '../../src/app/socket-errors.ts'
import type { StatusWriter } from '../../src/app/status-store.ts'
import { type Failure, failureMessage } from '../../src/core/failure.ts'
import type { Change } from '../../src/core/system/change.ts'
import { seconds } from '../../src/core/time.ts'
import { SYSTEM } from '../core/system/samples.ts'
import { seededEntropy } from '../sim/random.ts'
import { FakeClock, FakeSystem, idle, logInto } from './fake-system.ts'

const DEVICE = 'l2tp-aaisp'
const PEER = { host: '198.51.100.1', port: 1701 }
const KEYS = { localTunnel: 1, localSession: 2, peerTunnel: 3, peerSession: 4, peer: PEER, sequencing: false }

/** What users are told of a session whose change the kernel refused. */
async function told(change: Change, code: string): Promise<Failure[]> {
  const failures: Failure[] = []
  const refused: number[] = []
  const runner = {
    mtu: 1462,
    carrier: { uplink: { device: 'eth0' } },
    attempt: { address: PEER.host },
    socket: {},
    command: () => {},
  }
  const slot = new SessionSlot(
    {
      tunnel: 'aaisp',
      device: DEVICE,
      echoInterval: seconds(1),
      onSession: () => Promise.reject(refusalOf({ change, code, message: 'these words' })),
      onApplied: () => assert.fail('nothing is applied'),
      onRefused: (id) => refused.push(id),
      onStatistics: () => {},
      onEchoed: () => {},
    },
    {
      clock: new FakeClock(),
      datagrams: { open: () => assert.fail(), openIcmp: () => assert.fail() },
      entropy: seededEntropy(1),
      log: logInto([]),
      errors: new SocketErrors(new FakeClock(), logInto([])),
      devices: new Devices(new FakeSystem(SYSTEM)),
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
