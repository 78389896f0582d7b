/** Brokers with rules: the least that lifeline needs, and what is said where it has less. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { BASE, Bench, configOf, DISCOVERY } from './bench.ts'
import { Listener, publish } from './mosquitto.ts'

const USERS = { lifeline: 'wonderland', reader: 'x' }
/** The listener of the test is no part of what is tested. */
const READER = '\nuser reader\ntopic readwrite #\n'
const LOGIN = { url: 'mqtt://127.0.0.1:1883', username: 'lifeline', password: 'wonderland' }
const READ = { port: 1883, words: ['-u', 'reader', '-P', 'x'] }

/** The rules that the documentation prints, for the node of the test. */
function documentedAcl(): string {
  const [, acl] =
    /^```\n(user lifeline\n[^`]*)```$/m.exec(readFileSync('docs/home-assistant.md', 'utf8')) ?? []
  assert.ok(acl, 'docs/home-assistant.md prints no rules')
  return acl
}

describe('the rules of docs/home-assistant.md', () => {
  let bench: Bench
  before(async () => {
    bench = await Bench.create()
  })
  after(() => bench.close())

  for (const protocol of ['5', '3.1.1']) {
    test(`are enough, MQTT ${protocol}`, async (t) => {
      await bench.broker(t, { port: 1883, users: USERS, acl: documentedAcl() + READER })
      const listener = await Listener.start(bench.namespace, READ)
      t.after(() => listener.stop())
      const lifeline = bench.run(t, { ...LOGIN, protocol, commands: ['down', 'reconnect'] })
      await listener.waitFor(`${BASE}/tunnel/aaisp/state`)
      await listener.waitFor(DISCOVERY)
      const announced = listener.on(DISCOVERY).length
      await publish(bench.namespace, READ, 'homeassistant/status', 'online')
      await listener.waitFor(DISCOVERY, () => listener.on(DISCOVERY).length > announced)
      await publish(bench.namespace, READ, `${BASE}/cmd/down`, '{"tunnel":"aaisp"}')
      await listener.waitFor(`${BASE}/event`, (payload) => JSON.parse(payload).event_type === 'command_done')
      await listener.waitFor(
        `${BASE}/tunnel/aaisp/state`,
        (payload) => JSON.parse(payload).state === 'disabled',
      )
      assert.doesNotMatch(lifeline.log, /warn:.*broker/)
      await lifeline.stop()
      await listener.waitFor(`${BASE}/status`, (payload) => payload === 'offline')
      const tried = await tryIt(bench, { protocol, commands: ['down'] })
      assert.equal(tried.code, 0, tried.stdout)
      assert.match(tried.stdout, /what was written was read back/)
    })
  }

  test('are not more than enough: nothing else is allowed', async (t) => {
    await bench.broker(t, { port: 1883, users: USERS, acl: documentedAcl() + READER })
    const listener = await Listener.start(bench.namespace, READ)
    t.after(() => listener.stop())
    const lifeline = { port: 1883, words: ['-u', 'lifeline', '-P', 'wonderland'] }
    for (const topic of [
      'other',
      'lifeline/other/state',
      'homeassistant/status',
      'homeassistant/device/other/config',
    ])
      await publish(bench.namespace, lifeline, topic, 'x').catch(() => {})
    await publish(bench.namespace, lifeline, `${BASE}/last`, 'x')
    await listener.waitFor(`${BASE}/last`)
    assert.deepEqual(
      listener.heard.map(({ topic }) => topic),
      [`${BASE}/last`],
    )
  })
})

describe('mqtt test', () => {
  let bench: Bench
  before(async () => {
    bench = await Bench.create()
  })
  after(() => bench.close())

  async function said(t: TestContext, acl: string, mqtt: object = {}): Promise<string> {
    const broker = await bench.broker(t, { port: 1883, users: USERS, acl })
    const { stdout } = await tryIt(bench, mqtt)
    await broker.stop()
    return stdout
  }

  test('says that discovery is not allowed', async (t) => {
    const stdout = await said(t, `user lifeline\ntopic readwrite ${BASE}/#\n`)
    assert.match(stdout, /ok {7}lifeline\/router\/#: what was written was read back/)
    assert.match(
      stdout,
      /problem {2}homeassistant\/device\/lifeline_router\/config: the broker does not allow us/,
    )
    assert.match(stdout, /-> let it write homeassistant\/device\/lifeline_router\/config/)
  })

  test('says that MQTT 3.1.1 cannot tell whether discovery is allowed', async (t) => {
    const stdout = await said(t, `user lifeline\ntopic readwrite ${BASE}/#\n`, { protocol: '3.1.1' })
    assert.match(stdout, /note.*only with protocol 5/)
  })

  for (const protocol of ['5', '3.1.1']) {
    test(`says that the base topic is not allowed, MQTT ${protocol}`, async (t) => {
      const stdout = await said(t, 'user lifeline\ntopic readwrite other/#\n', { protocol })
      assert.match(stdout, /problem {2}lifeline\/router\/#: .*\(ACL\)/)
      assert.match(stdout, /-> let it read and write lifeline\/router\/#/)
    })

    test(`says that the base topic may only be written, MQTT ${protocol}`, async (t) => {
      const stdout = await said(t, `user lifeline\ntopic write ${BASE}/#\n`, { protocol })
      assert.match(stdout, /problem {2}lifeline\/router\/#: .*\(ACL\)/)
    })
  }

  test('does not disturb a daemon that runs, nor what the broker keeps', async (t) => {
    await bench.broker(t, { port: 1883, users: USERS })
    const listener = await Listener.start(bench.namespace, READ)
    t.after(() => listener.stop())
    const lifeline = bench.run(t, LOGIN)
    await listener.waitFor(`${BASE}/tunnel/aaisp/state`)
    const { code } = await tryIt(bench, {})
    assert.equal(code, 0)
    const late = await Listener.start(bench.namespace, READ)
    t.after(() => late.stop())
    await late.waitFor(`${BASE}/tunnel/aaisp/state`)
    assert.equal(late.on(`${BASE}/status`)[0]?.payload, 'online')
    assert.equal(late.on(`${BASE}/test`).length, 0)
    assert.equal(late.on(DISCOVERY)[0]?.payload, listener.on(DISCOVERY)[0]?.payload)
    assert.doesNotMatch(lifeline.log, /no connection/)
  })

  test('names a section that is not there', async () => {
    const { code, stdout } = await tryIt(bench, {}, ['office'])
    assert.equal(code, 1)
    assert.match(stdout, /there is no mqtt section 'office'/)
  })
})

function tryIt(bench: Bench, mqtt: object, words: readonly string[] = []) {
  const file = join(bench.folder, 'try.json')
  writeFileSync(file, JSON.stringify(configOf({ ...LOGIN, ...mqtt })), { mode: 0o600 })
  return bench.namespace.run(['dist/lifeline', 'mqtt', 'test', ...words, '-c', file], { mayFail: true })
}
