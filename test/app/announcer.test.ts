import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Announcer } from '../../src/app/announcer.ts'
import type { ServiceManager } from '../../src/app/ports.ts'
import { StatusStore } from '../../src/app/status-store.ts'
import { millis } from '../../src/core/time.ts'

const START = Date.parse('2026-03-01T12:00:00Z')

function make() {
  const clock = { now: () => millis(5000), wall: () => new Date(START), alarm: () => () => {} }
  const status = new StatusStore(clock, '0.1.0')
  const tunnels = [
    { name: 'aaisp', device: 'l2tp-aaisp', defaultroute: true, enabled: true },
    { name: 'office', device: 'l2tp-office', defaultroute: false, enabled: false },
  ]
  status.configure({ node: 'router', tunnels, uplinks: [] })
  const told: string[] = []
  const manager: ServiceManager = {
    ready: () => told.push('READY'),
    reloading: () => told.push('RELOADING'),
    stopping: () => told.push('STOPPING'),
    status: (text) => told.push(text),
  }
  return { status, told, announcer: new Announcer(manager, status) }
}

test('the service is ready once it is announced, with all tunnels in one line', () => {
  assert.deepEqual(make().told, ['aaisp: waiting; office: disabled', 'READY'])
})

test('each change is told once, in words that stay true', () => {
  const { status, told } = make()
  told.length = 0
  status.tunnel('aaisp', { state: 'dialling', uplink: 'wan0' })
  status.tunnel('aaisp', { rtt_ms: 7 })
  status.event('reloaded', { changes: [] })
  status.tunnel('aaisp', { state: 'up' })
  assert.deepEqual(told, ['aaisp: dialling; office: disabled', 'aaisp: up over wan0; office: disabled'])
})

test('a tunnel that waits says why', () => {
  const { status, told } = make()
  told.length = 0
  status.tunnel('aaisp', { state: 'dialling' })
  status.failed('aaisp', { code: 'secret_wrong' })
  status.tunnel('aaisp', { state: 'waiting' })
  assert.equal(
    told.at(-1),
    'aaisp: waiting (the LNS uses another tunnel secret: option tunnel_secret is wrong on one of the two sides); office: disabled',
  )
})

test('a reload is announced at its beginning and its end, also where it fails', async () => {
  const { told, announcer } = make()
  told.length = 0
  let finish = (): void => {}
  const reload = new Promise<void>((resolve) => {
    finish = resolve
  })
  const announced = announcer.reloading(reload)
  assert.deepEqual(told, ['RELOADING'])
  finish()
  await announced
  assert.deepEqual(told, ['RELOADING', 'READY'])
  await assert.rejects(announcer.reloading(Promise.reject(new Error('no'))))
  assert.deepEqual(told.slice(2), ['RELOADING', 'READY'])
  announcer.stopping()
  assert.equal(told.at(-1), 'STOPPING')
})
