/** What of the lab needs no network: its options, and a picture that fits a small terminal. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
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
