/** What of the lab needs no network: its options, and a picture that fits a small terminal. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differences, type KernelState } from '../net/kernel-state.ts'
import { parseOptions } from './options.ts'
import { render } from './screen.ts'
import { Teller } from './story.ts'

test('options are taken in any order, and nothing else is', () => {
  const none = { keep: false, tunnel: false, mqtt: undefined }
  assert.deepEqual(parseOptions([]), none)
  assert.deepEqual(parseOptions(['--mqtt', 'heard.txt', '--keep']), {
    ...none,
    keep: true,
    mqtt: 'heard.txt',
  })
  assert.deepEqual(parseOptions(['--tunnel', '--keep']), { ...none, keep: true, tunnel: true })
  for (const words of [
    ['--mqtt'],
    ['--mqtt', ''],
    ['--mqtt', '--keep'],
    ['--tunnel', '--mqtt', 'heard.txt'],
    ['--fast'],
    ['burn', 'fibre'],
  ])
    assert.equal(parseOptions(words), undefined, words.join(' '))
})

test('24 rows have room for all steps of failover and the last MQTT messages', async () => {
  const teller = new Teller(() => {})
  for (let step = 1; step <= 8; step++) await teller.step(`step ${step}`, async () => `result ${step}`)
  teller.picture(['fibre', 'tunnel', '4G', '', 'traffic goes over fibre'])
  teller.meters(['download', 'outage'])
  for (let count = 1; count <= 9; count++)
    teller.message(
      `lifeline/router/event {"event_type":"failover","at":"2026-11-20T11:40:42.463Z","count":${count}}`,
    )
  const lines = render(teller.story, 23)
  assert.ok(lines.length <= 23)
  assert.deepEqual(
    lines.slice(-3),
    [7, 8, 9].map((count) => ` mqtt event {"event_type":"failover","count":${count}}`),
  )
  for (let step = 1; step <= 8; step++) assert.ok(lines.some((line) => line.includes(`step ${step}`)))
  assert.ok(render(teller.story, 22).every((line) => !line.includes('mqtt')))
})

test('what a router has after that it had not before is named, and the other way round', () => {
  const before: KernelState = {
    links: [{ ifname: 'wan0' }],
    addresses: [],
    routes: [[{ dst: 'default', dev: 'wan0' }, { dst: '192.0.2.0/24' }], []],
    rules: [[{ priority: 0 }], [{ priority: 0 }]],
    nft: { nftables: [] },
    sysctls: ['net.ipv4.ip_forward = 1'],
  }
  const moved = { ...before, routes: [[{ dst: '192.0.2.0/24' }, { dst: 'default', dev: 'wan0' }], []] }
  assert.deepEqual(differences(before, moved), [])
  const after = {
    ...before,
    rules: [[{ priority: 0 }, { priority: 0 }], [{ priority: 0 }]],
    nft: { nftables: [{ table: { name: 'lifeline' } }] },
    sysctls: [],
  }
  assert.deepEqual(differences(before, after), [
    'new: rules {"priority":0}',
    'new: nft {"nftables":[{"table":{"name":"lifeline"}}]}',
    'gone: nft {"nftables":[]}',
    'gone: sysctls net.ipv4.ip_forward = 1',
  ])
})
