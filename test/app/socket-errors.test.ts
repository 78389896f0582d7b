import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SocketErrors } from '../../src/app/socket-errors.ts'
import { seconds } from '../../src/core/time.ts'
import { MemoryLog } from '../memory-log.ts'
import { VirtualClock } from '../virtual-clock.ts'

function teller() {
  const log = new MemoryLog()
  const clock = new VirtualClock()
  return { errors: new SocketErrors(clock, log), log, clock }
}

test('what this machine itself forbids is a warning that says so; what the network answers is information', () => {
  const { errors, log } = teller()
  errors.tell('router discovery', 'EPERM', { device: 'l2tp-aaisp' })
  errors.tell('L2TP', 'EHOSTUNREACH')
  errors.tell('L2TP', 'EINVAL')
  assert.deepEqual(log.lines, [
    "warn router discovery: this machine refuses a packet of lifeline's own: a firewall rule of this machine forbids it",
    'info L2TP: the network does not take a packet',
    "warn L2TP: this machine refuses a packet of lifeline's own",
  ])
  assert.deepEqual(log.entries[0]?.fields, { device: 'l2tp-aaisp', code: 'EPERM' })
})

test('the same error is told once in ten minutes, with how often it came; another one, or of another socket, at once', () => {
  const { errors, log, clock } = teller()
  for (let second = 0; second < 600; second++) {
    errors.tell('probes', 'EPERM')
    clock.advance(seconds(1))
  }
  assert.equal(log.entries.length, 1)
  errors.tell('probes', 'ENOBUFS')
  errors.tell('L2TP', 'EPERM')
  assert.equal(log.entries.length, 3)
  errors.tell('probes', 'EPERM')
  assert.deepEqual(log.entries[3]?.fields, { code: 'EPERM', repeated: 599 })
})

test('errors of ever new kinds cannot fill the memory', () => {
  const { errors, log } = teller()
  for (let kind = 0; kind < 10_000; kind++) errors.tell(`kind ${kind}`, 'EPERM')
  assert.equal(log.entries.length, 10_000)
})
