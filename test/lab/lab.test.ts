/** What of the lab needs no network: its options, and a picture that fits a small terminal. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differences, type KernelState } from '../net/kernel-state.ts'
import { columns } from './colours.ts'
import { promptLines, unknownWords } from './keep.ts'
import { parseOptions } from './options.ts'
import { Gaps } from './outage-clock.ts'
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

test('with many steps the oldest fold, and picture, meters and prompt stay', async () => {
  const teller = new Teller(() => {})
  for (let step = 1; step <= 40; step++)
    await teller.step(`lab cut fibre ${step}`, async () => `result ${step}`)
  teller.picture(['fibre', 'tunnel', '4G', '', 'traffic goes over fibre'])
  teller.meters(['download', 'outage', ...promptLines('', '', 80)])
  for (const rows of [18, 23, 39]) {
    const lines = render(teller.story, rows)
    assert.ok(lines.length <= rows, `${lines.length} of ${rows}`)
    for (const part of ['tunnel', 'traffic goes over fibre', 'download', 'lab>', 'result 40'])
      assert.ok(
        lines.some((line) => line.includes(part)),
        `${part} in ${rows} rows`,
      )
    const shown = lines.filter((line) => line.includes('lab cut fibre')).length
    assert.ok(
      lines.some((line) => line.includes(`… ${40 - shown} earlier steps`)),
      lines.join('\n'),
    )
  }
  // Even where nothing else has room.
  assert.ok(render(teller.story, 14).some((line) => line.includes('lab>')))
})

test('words that are no command are answered, and hints wrap', () => {
  const answer = unknownWords(' burn fibre ')
  assert.match(answer, /^'burn fibre' is no command: cut\|/)
  for (const width of [60, 80, 120]) {
    const lines = promptLines('', answer, width)
    for (const line of lines) assert.ok(columns(line) <= width, line)
    assert.match(lines.join(' '), /is no command.* lab> .*Ctrl-C ends/s)
  }
  assert.match(promptLines('cut lte', '', 80)[0] ?? '', /lab>.* cut lte$/)
})

test('a gap that goes on counts, also before the first answer', () => {
  const gaps = new Gaps(1000)
  assert.equal(gaps.longest(1100), 0)
  assert.equal(gaps.longest(3000), 2000)
  gaps.answered(3000)
  gaps.answered(3010)
  gaps.reset()
  assert.equal(gaps.running(3100), undefined)
  assert.equal(gaps.longest(3100), 0)
  assert.equal(gaps.longest(7010), 4000)
  gaps.answered(7510)
  assert.equal(gaps.longest(7520), 4500)
  gaps.reset()
  assert.equal(gaps.longest(7530), 0)
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
