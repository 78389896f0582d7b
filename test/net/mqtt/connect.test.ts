/** The built program with Debian's mosquitto: ways to connect, and what is said where there is none. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { run } from '../process.ts'
import { waitFor } from '../wait.ts'
import { BASE, Bench, configOf, DISCOVERY } from './bench.ts'
import { Authority, type KeyPair } from './certificates.ts'
import { Listener } from './mosquitto.ts'

describe('a broker', () => {
  let bench: Bench
  let authority: Authority
  let server: KeyPair
  let client: KeyPair
  before(async () => {
    bench = await Bench.create()
    authority = await Authority.create(bench.folder, 'home')
    server = await authority.sign('broker', ['DNS:broker.example', 'IP:127.0.0.1'])
    client = await authority.sign('router', [])
  })
  after(() => bench.close())

  /** Connects, tells, and says goodbye. */
  async function works(
    t: TestContext,
    mqtt: Readonly<Record<string, unknown>>,
    words: readonly string[] = [],
  ) {
    const port = Number(/:(\d+)$/.exec(String(mqtt.url))?.[1])
    const listener = await Listener.start(bench.namespace, { port, words })
    t.after(() => listener.stop())
    const lifeline = bench.run(t, mqtt)
    await listener.waitFor(`${BASE}/status`, (payload) => payload === 'online')
    await listener.waitFor(DISCOVERY, (payload) => 'aaisp_works' in JSON.parse(payload).components)
    await listener.waitFor(`${BASE}/tunnel/aaisp/state`)
    await listener.waitFor(`${BASE}/tunnel/aaisp/stats`)
    const code = await lifeline.stop()
    assert.equal(code, 0)
    await listener.waitFor(`${BASE}/status`, (payload) => payload === 'offline')
  }

  for (const protocol of ['5', '3.1.1']) {
    test(`over TCP, MQTT ${protocol}`, async (t) => {
      await bench.broker(t, { port: 1883 })
      await works(t, { url: 'mqtt://127.0.0.1:1883', protocol })
    })
  }

  test('over TCP with user name and password', async (t) => {
    await bench.broker(t, { port: 1883, users: { router: 'wonderland', reader: 'x' } })
    const password_file = bench.router.secretFile('mqtt-password', 'wonderland')
    await works(t, { url: 'mqtt://127.0.0.1:1883', username: 'router', password_file }, [
      '-u',
      'reader',
      '-P',
      'x',
    ])
  })

  test('over TLS with an authority of its own', async (t) => {
    await bench.broker(t, { port: 8883, tls: server })
    await works(t, { url: 'mqtts://127.0.0.1:8883', ca_file: authority.ca }, ['--cafile', authority.ca])
  })

  test('over TLS by another name than that of the URL', async (t) => {
    await bench.broker(t, { port: 8883, tls: server })
    const mqtt = { url: 'mqtts://127.0.0.2:8883', ca_file: authority.ca, server_name: 'broker.example' }
    await works(t, mqtt, ['--cafile', authority.ca])
  })

  test('over mutual TLS', async (t) => {
    await bench.broker(t, { port: 8883, tls: server, clientCa: authority.ca })
    const mqtt = {
      url: 'mqtts://127.0.0.1:8883',
      ca_file: authority.ca,
      cert_file: client.cert,
      key_file: client.key,
    }
    await works(t, mqtt, ['--cafile', authority.ca, '--cert', client.cert, '--key', client.key])
  })

  test('that anyone may be, where the user says so', async (t) => {
    await bench.broker(t, { port: 8883, tls: server })
    await works(t, { url: 'mqtts://127.0.0.3:8883', accept_any_certificate: 1 }, ['--cafile', authority.ca])
  })

  /** Does not connect, says why, and goes on as before. */
  async function fails(t: TestContext, mqtt: Readonly<Record<string, unknown>>, why: RegExp): Promise<void> {
    const lifeline = bench.run(t, { password: 'looking-glass', username: 'alice', ...mqtt })
    await lifeline.process.waitForOutput(why)
    assert.equal((await lifeline.status())?.tunnel.aaisp?.state, 'waiting')
    assert.doesNotMatch(lifeline.log, /looking-glass/)
    assert.doesNotMatch(lifeline.log, /error:/)
    await lifeline.stop()
    const tried = await tryIt(mqtt)
    assert.equal(tried.code, 1)
    assert.match(tried.stdout, why)
  }

  function tryIt(mqtt: Readonly<Record<string, unknown>>) {
    const file = join(bench.folder, 'try.json')
    writeFileSync(file, JSON.stringify(configOf({ password: 'looking-glass', username: 'alice', ...mqtt })), {
      mode: 0o600,
    })
    return bench.namespace.run(['dist/lifeline', 'mqtt', 'test', '-c', file], { mayFail: true })
  }

  test('where nothing listens', async (t) => {
    await fails(t, { url: 'mqtt://127.0.0.1:1884' }, /nothing listens at 127\.0\.0\.1:1884/)
  })

  test('to which there is no way', async (t) => {
    await fails(t, { url: 'mqtt://192.0.2.77' }, /cannot be reached: there is no network/)
  })

  test('whose name nobody knows', async (t) => {
    await fails(
      t,
      { url: 'mqtt://broker.example' },
      /broker's name broker\.example (does not exist|cannot be looked up)/,
    )
  })

  for (const protocol of ['5', '3.1.1']) {
    test(`that refuses the login, MQTT ${protocol}`, async (t) => {
      await bench.broker(t, { port: 1883, users: { router: 'wonderland' } })
      const mqtt = { url: 'mqtt://127.0.0.1:1883', username: 'router', protocol }
      await fails(t, mqtt, /does not let us in: user name or password|refused user name or password/)
    })
  }

  test('whose certificate is for another name', async (t) => {
    await bench.broker(t, { port: 8883, tls: server })
    const mqtt = { url: 'mqtts://127.0.0.2:8883', ca_file: authority.ca }
    await fails(t, mqtt, /is for broker\.example, 127\.0\.0\.1 and not for 127\.0\.0\.2/)
  })

  test('whose certificate nobody here trusts', async (t) => {
    await bench.broker(t, { port: 8883, tls: server })
    await fails(
      t,
      { url: 'mqtts://127.0.0.1:8883' },
      /signed by nobody that is trusted here .* option ca_file/,
    )
  })

  test('that wants a certificate of ours', async (t) => {
    await bench.broker(t, { port: 8883, tls: server, clientCa: authority.ca })
    const mqtt = { url: 'mqtts://127.0.0.1:8883', ca_file: authority.ca }
    await fails(t, mqtt, /does not take our certificate .*cert_file and key_file/)
  })

  test('that does not take our certificate', async (t) => {
    await bench.broker(t, { port: 8883, tls: server, clientCa: authority.ca })
    const other = await (await Authority.create(bench.folder, 'stranger')).sign('stranger-router', [])
    const mqtt = {
      url: 'mqtts://127.0.0.1:8883',
      ca_file: authority.ca,
      cert_file: other.cert,
      key_file: other.key,
    }
    await fails(t, mqtt, /does not take our certificate/)
  })

  test('called over TLS where it speaks in the clear', async (t) => {
    await bench.broker(t, { port: 1883 })
    await fails(t, { url: 'mqtts://127.0.0.1:1883' }, /does not speak TLS: use mqtt:/)
  })

  test('called in the clear where it speaks TLS', async (t) => {
    await bench.broker(t, { port: 8883, tls: server })
    await fails(t, { url: 'mqtt://127.0.0.1:8883' }, /may want TLS/)
  })

  test('with files that are wrong', async (t) => {
    await bench.broker(t, { port: 8883, tls: server })
    const url = 'mqtts://127.0.0.1:8883'
    await fails(
      t,
      { url, ca_file: '/nowhere/ca.pem' },
      /\/nowhere\/ca\.pem cannot be used: there is no such file/,
    )
    await fails(t, { url, ca_file: client.key }, /it holds no certificate in PEM form \(option ca_file\)/)
    const { cert: cert_file } = client
    await fails(t, { url, cert_file, key_file: server.key }, /it does not belong to the certificate/)
  })

  test('that talks nonsense', async (t) => {
    const server = bench.namespace.start('nonsense', [
      'socat',
      '-d',
      '-d',
      'TCP-LISTEN:1885,fork,reuseaddr',
      'SYSTEM:head -c 200000 /dev/zero; sleep 30',
    ])
    t.after(() => server.stop('SIGKILL'))
    await server.waitForOutput(/listening on/)
    await fails(t, { url: 'mqtt://127.0.0.1:1885' }, /what the broker sends is not MQTT/)
  })

  test('that is no broker', async (t) => {
    const server = bench.namespace.start('web', [
      'socat',
      '-d',
      '-d',
      'TCP-LISTEN:1886,fork,reuseaddr',
      'SYSTEM:echo HTTP/1.0 400 Bad Request',
    ])
    t.after(() => server.stop('SIGKILL'))
    await server.waitForOutput(/listening on/)
    await fails(t, { url: 'mqtt://127.0.0.1:1886' }, /is not MQTT|without a word/)
  })

  test('whose certificate is not valid yet: tried again when the clock is set', async (t) => {
    await bench.broker(t, { port: 8883, tls: server })
    // libfaketime looks into this file at each question for the time of day: at first it is 2001, then it is now.
    const clock = join(bench.folder, 'clock')
    writeFileSync(clock, '-25y\n')
    const lifeline = bench.router.lifeline({
      config: configOf({ url: 'mqtts://127.0.0.1:8883', ca_file: authority.ca }),
      env: {
        LD_PRELOAD: await fakeTime(),
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    })
    t.after(() => lifeline.stop())
    await lifeline.process.waitForOutput(/clock not set/)
    writeFileSync(clock, '+0\n')
    await lifeline.process.waitForOutput(/connected to the broker/)
  })
})

test('a broker that is away costs nothing but a line in the log', async (t) => {
  const bench = await Bench.create()
  t.after(() => bench.close())
  const lifeline = bench.run(t, { url: 'mqtt://127.0.0.1:1884' })
  await lifeline.process.waitForOutput(/nothing listens/)
  await new Promise((resolve) => setTimeout(resolve, 5000))
  const lines = lifeline.log.split('\n').filter((line) => / (info|warn|error): .*broker/.test(line))
  assert.equal(lines.length, 1, lifeline.log)
  await waitFor('the status', async () => (await lifeline.status()) !== undefined)
})

/** Where Debian has libfaketime. */
async function fakeTime(): Promise<string> {
  const { stdout } = await run(['dpkg', '-L', 'libfaketime'])
  const library = stdout.split('\n').find((file) => file.endsWith('/libfaketime.so.1'))
  assert.ok(library, 'libfaketime is not installed')
  return library
}
