/** The recording in docs/mqtt.md is in the order and shape in which lifeline tells things today. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { samplePayloads } from '../core/homeassistant/samples.ts'
import { parseCommand } from '../lab/commands.ts'
import { parseOptions } from '../lab/options.ts'

const PAGE = readFileSync('docs/mqtt.md', 'utf8')
const BASE = 'lifeline/router/'
const [, section = ''] = PAGE.split('\n## A failover, as the broker hears it\n')
const fences = [...(section.split('\n## ')[0] ?? '').matchAll(/^```\n(.*?)^```$/gms)].map(([, text = '']) =>
  text.trimEnd().split('\n'),
)
const [first, recording = [], last, table = []] = fences

interface Message {
  readonly topic: string
  readonly body: Record<string, unknown>
}

const messages = recording.map((line): Message => {
  const [, topic = '', payload = ''] = /^lifeline\/router\/(\S+) (\{.*\})$/.exec(line) ?? []
  assert.notEqual(topic, '', `no message: ${line}`)
  return { topic, body: JSON.parse(payload) }
})

/** The place of the first message from `start` on that fits. */
function place(start: number, what: string, fits: (message: Message) => boolean): number {
  const index = messages.findIndex((message, position) => position >= start && fits(message))
  assert.ok(index >= 0, `${what} is missing`)
  return index
}

test('it begins with online and ends with offline', () => {
  assert.deepEqual(first, [`${BASE}status online`])
  assert.deepEqual(last, [`${BASE}status offline`])
})

test('states have the keys of today', () => {
  const keys: Record<string, string[]> = Object.fromEntries(
    Object.entries(samplePayloads()).map(([kind, payload]) => [kind, Object.keys(Object(payload))]),
  )
  for (const { topic, body } of messages) {
    const kind = topic.replace(/\/[^/]+\//, '/')
    if (kind !== 'event') assert.deepEqual(Object.keys(body), keys[kind], topic)
  }
})

test('events come in their order and are documented', () => {
  const events = messages.filter(({ topic }) => topic === 'event').map(({ body }) => body)
  assert.ok(events.length >= 6)
  for (const { event_type: type } of events) assert.match(PAGE, new RegExp(`^\\|[^|]*\`${type}\``, 'm'))
  const instants = events.map(({ at }) => Date.parse(String(at)))
  assert.deepEqual(
    instants,
    [...instants].sort((a, b) => a - b),
  )
})

test('a failover is told with cause and outage, then the state; so is the way back', () => {
  const event = (type: string) => (message: Message) => message.body.event_type === type
  const state = (path: string) => (message: Message) =>
    message.topic === 'state' && message.body.path === path
  const down = place(0, 'uplink_down', event('uplink_down'))
  const failover = place(down, 'failover', event('failover'))
  const { from, to, cause, outage_ms } = Object(messages[failover]?.body)
  assert.deepEqual([from, to], ['fibre', 'aaisp'])
  assert.match(cause, /carrier/)
  assert.ok(outage_ms > 0)
  assert.deepEqual(
    messages.slice(0, failover).filter(state('aaisp')),
    [],
    'the event comes before the state that it explains',
  )
  const backup = place(failover, 'the state on the backup', state('aaisp'))
  const { on_backup, last_switch } = Object(messages[backup]?.body)
  assert.equal(on_backup, true)
  assert.deepEqual([last_switch.cause, last_switch.outage_ms], [cause, outage_ms])
  const failback = place(backup, 'failback', event('failback'))
  const well = place(failback, 'the state on fibre', state('fibre'))
  assert.equal(messages[well]?.body.internet, 'ok')
  const told = place(failback, 'the state that explains it', ({ topic, body }) => {
    return topic === 'state' && Object(body.last_switch).to === 'fibre'
  })
  assert.equal(messages[failback]?.body.outage_ms, Object(messages[told]?.body.last_switch).outage_ms)
})

test('the broker was told within 100 ms', () => {
  const delays = table.slice(2).map((row) => Number(/([\d.]+) ms$/.exec(row)?.[1]))
  assert.equal(delays.length, 4)
  for (const delay of delays) assert.ok(delay < 100, `${delay} ms`)
})

test('the lab takes what pages give it', () => {
  let checked = 0
  for (const page of ['README.md', 'docs/mqtt.md', 'docs/development.md'])
    for (const [, words = ''] of readFileSync(page, 'utf8').matchAll(/`npm run lab -- ([^`]+)`/g)) {
      assert.ok(parseOptions(words.split(' ')) ?? parseCommand(words), `${page}: npm run lab -- ${words}`)
      checked++
    }
  assert.ok(checked >= 3)
})
