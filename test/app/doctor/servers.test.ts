import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkUplinks } from '../../../src/app/doctor/servers.ts'
import { situation } from './situation.ts'

test('an uplink without the address of its option source is not one without any', () => {
  const uplink = { fibre: { device: 'eth0', source: '10.9.9.9' }, lte: { device: 'wwan0' } }
  const [fibre, lte] = checkUplinks(situation(JSON.stringify({ uplink })))
  assert.deepEqual(fibre, {
    severity: 'warning',
    subject: 'uplink fibre',
    message: 'eth0 does not have the address 10.9.9.9 (option source), but 192.0.2.7',
    advice: 'correct option source, or leave it out',
  })
  assert.equal(lte?.severity, 'ok')
})
