import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PlanReport, Refusal } from '../../src/app/answers.ts'
import type { Finding } from '../../src/app/doctor/finding.ts'
import { SystemError } from '../../src/app/ports.ts'
import type { CliContext, DaemonOptions } from '../../src/cli/context.ts'
import type { Connection } from '../../src/cli/daemon.ts'
import { runCli } from '../../src/cli/program.ts'
import type { PathHistory } from '../../src/core/failover/history.ts'
import { err, ok, type Result } from '../../src/core/result.ts'
import type { StatusEvent } from '../../src/core/status/event.ts'
import { loadConfig, readFile } from '../../src/host/config-files.ts'
import { NOW, sampleStatus, UP } from '../core/status/status-samples.ts'

type Answer = (method: string, params: unknown) => unknown

/** Runs one command line against a daemon that answers by `answer`, or against none. */
class Bench {
  out = ''
  err = ''
  asked: unknown[][] = []
  sockets: string[] = []
  started: DaemonOptions[] = []
  planned: string[] = []
  /** Files of the usual names. */
  files: string[] = []
  plan: Result<PlanReport, Refusal> = ok({ changes: ['add device l2tp-aaisp'], nft: '', warnings: [] })
  findings: Finding[] = []
  interactive = false
  startDaemon = async (options: DaemonOptions): Promise<number> => {
    this.started.push(options)
    return 42
  }
  notify: (event: StatusEvent) => void = () => {}
  #answer: Answer | undefined
  #gone: () => void = () => {}

  constructor(answer?: Answer) {
    this.#answer = answer
  }

  run(...args: string[]): Promise<number> {
    const context: CliContext = {
      version: '1.2.3',
      terminal: {
        out: (text) => {
          this.out += typeof text === 'string' ? text : Buffer.from(text).toString('latin1')
        },
        err: (text) => {
          this.err += text
        },
        interactive: this.interactive,
        columns: 60,
        paint: (_tone, text) => text,
      },
      connect: async (socket) => this.#connect(socket),
      startDaemon: (options) => this.startDaemon(options),
      planAtStart: async (file) => {
        this.planned.push(file)
        return this.plan
      },
      examine: async (file, tell) => {
        this.planned.push(file)
        for (const finding of this.findings) tell(finding)
        return ok(this.findings.every(({ severity }) => severity !== 'problem'))
      },
      tryBrokers: async (file, name, tell) => {
        this.planned.push(name === undefined ? file : `${file} ${name}`)
        for (const finding of this.findings) tell(finding)
        return ok(this.findings.every(({ severity }) => severity !== 'problem'))
      },
      realPath: (file) => (this.files.includes(file) ? file : undefined),
      readFile,
      loadConfig,
      now: () => NOW,
      every: (span, run) => {
        const timer = setInterval(run, span)
        return () => clearInterval(timer)
      },
    }
    return runCli(args, context)
  }

  leave(): void {
    this.#gone()
  }

  #connect(socket: string): Connection {
    this.sockets.push(socket)
    const answer = this.#answer
    if (answer === undefined) throw new SystemError('ECONNREFUSED', 'refused')
    const connection: Connection = {
      request: async (method, params) => {
        this.asked.push(params === undefined ? [method] : [method, params])
        return answer(method, params)
      },
      onNotification: () => {},
      closed: new Promise((resolve) => {
        this.#gone = resolve
      }),
      close: () => this.#gone(),
    }
    this.notify = (event) => connection.onNotification('event', event)
    return connection
  }
}

class Refused extends Error {
  readonly code: number
  readonly problems: readonly string[]
  constructor(code: number, message: string, problems: readonly string[] = []) {
    super(message)
    this.code = code
    this.problems = problems
  }
}

/** Lets everything that is ready run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

const STATUS = sampleStatus({ aaisp: UP }, { state: 'ok', path: 'aaisp', ipv4: '203.0.113.10' })
const EVENT: StatusEvent = {
  seq: 1,
  at: '2026-03-01T12:00:00.000Z',
  event: 'state',
  tunnel: 'aaisp',
  state: 'up',
  from: 'configuring',
  cause: null,
}

test('status asks the daemon at the usual socket, or at the one named', async () => {
  const bench = new Bench(() => STATUS)
  assert.equal(await bench.run('status'), 0)
  assert.match(
    bench.out,
    /^The internet is reached through the tunnel aaisp as 203\.0\.113\.10, for 1 h\.\n\ntunnel aaisp: up/,
  )
  assert.equal(await bench.run('status', '--socket', '/tmp/x'), 0)
  process.env.LIFELINE_SOCKET = '/tmp/y'
  try {
    assert.equal(await bench.run('status'), 0)
  } finally {
    delete process.env.LIFELINE_SOCKET
  }
  assert.deepEqual(bench.sockets, ['/run/lifeline/control.sock', '/tmp/x', '/tmp/y'])
})

test('status --json prints the contract', async () => {
  const bench = new Bench(() => STATUS)
  assert.equal(await bench.run('status', '--json'), 0)
  assert.deepEqual(JSON.parse(bench.out), STATUS)
})

test('status tells monitoring by its exit code how the internet is reached', async () => {
  for (const [state, exitCode] of [
    ['ok', 0],
    ['backup', 20],
    ['down', 21],
  ] as const) {
    const status = sampleStatus({ aaisp: UP }, { state, path: 'aaisp' })
    const bench = new Bench(() => status)
    assert.equal(await bench.run('status', '--exit-code', '--json'), exitCode)
    assert.deepEqual(JSON.parse(bench.out), status)
    // Only where it was asked for.
    assert.equal(await bench.run('status'), 0)
  }
  // The tunnel of a server that goes out by its own line.
  const waiting = { ...UP, state: 'waiting' as const }
  const ok = { state: 'ok', path: 'eth0' } as const
  const server = sampleStatus({ aaisp: waiting }, ok)
  assert.equal(await new Bench(() => server).run('status', '--exit-code'), 21)
  const off = sampleStatus({ aaisp: { ...UP, state: 'disabled' } }, ok)
  assert.equal(await new Bench(() => off).run('status', '--exit-code'), 0)
  const standby = { ...server, failover: { path: { aaisp: {} } } }
  assert.equal(await new Bench(() => standby).run('status', '--exit-code', '--json'), 0)
  assert.equal(await new Bench().run('status', '--exit-code'), 3)
  assert.equal(await new Bench(() => STATUS).run('status', '--exit-code', '--watch'), 2)
})

test('without a name the daemon takes the only tunnel, and the answer names it', async () => {
  const bench = new Bench(() => ({ tunnel: 'aaisp' }))
  for (const command of ['up', 'down', 'reconnect']) assert.equal(await bench.run(command), 0)
  assert.deepEqual(bench.asked, [
    ['up', {}],
    ['down', {}],
    ['reconnect', {}],
  ])
  assert.match(bench.out, /^The tunnel aaisp is switched on\.\nThe tunnel aaisp is switched off/)
})

test('without a daemon the exit code is 3, and the message says what to do', async () => {
  for (const args of [['status'], ['up', 'aaisp'], ['events'], ['reload'], ['status', '--watch']]) {
    const bench = new Bench()
    assert.equal(await bench.run(...args), 3)
    assert.equal(
      bench.err,
      'lifeline: no daemon runs (nothing answers at /run/lifeline/control.sock)\n  Start it with `lifeline run`, or name its socket with --socket or LIFELINE_SOCKET.\n',
    )
  }
})

test('up, down and reconnect pass the name on', async () => {
  const bench = new Bench(() => ({}))
  assert.equal(await bench.run('up', 'aaisp'), 0)
  assert.equal(await bench.run('down', 'aaisp'), 0)
  assert.equal(await bench.run('reconnect', 'aaisp'), 0)
  assert.deepEqual(bench.asked, [
    ['up', { tunnel: 'aaisp' }],
    ['down', { tunnel: 'aaisp' }],
    ['reconnect', { tunnel: 'aaisp' }],
  ])
  assert.match(bench.out, /^The tunnel aaisp is switched on\.\n/)
})

test('what the daemon refuses is shown with its lines; wrong names and configurations are usage errors', async () => {
  const cases: [number, number][] = [
    [-32001, 2],
    [-32002, 2],
    [-32003, 1],
    [-32602, 2],
    [-32603, 1],
    [0, 3],
  ]
  for (const [code, exitCode] of cases) {
    const bench = new Bench(() => {
      throw new Refused(code, 'no', ['line 3: mtu'])
    })
    assert.equal(await bench.run('reload'), exitCode)
    assert.equal(bench.err, 'lifeline: no\n  line 3: mtu\n')
  }
})

test('reload asks, or forces', async () => {
  const bench = new Bench(() => ({ changes: ['tunnel aaisp removed'], warnings: [] }))
  assert.equal(await bench.run('reload'), 0)
  assert.equal(await bench.run('reload', '--force'), 0)
  assert.deepEqual(bench.asked, [['reload'], ['reload', { force: true }]])
})

test('wrong usage is told on standard error, with exit code 2', async () => {
  for (const args of [
    ['use'],
    ['up', 'a', 'b'],
    ['frobnicate'],
    ['status', '--jsn'],
    ['events', '-n', 'x'],
    [],
  ]) {
    const bench = new Bench()
    assert.equal(await bench.run(...args), 2, args.join(' '))
    assert.notEqual(bench.err, '')
    assert.equal(bench.out, '')
  }
})

test('every command has help with an example', async () => {
  const top = new Bench()
  assert.equal(await top.run('--help'), 0)
  const names = [...top.out.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name]) => name ?? '')
  assert.ok(names.includes('run') && names.includes('reconnect'), names.join())
  for (const name of names.filter((one) => one !== 'help')) {
    const bench = new Bench()
    assert.equal(await bench.run(name, '--help'), 0)
    assert.match(bench.out, new RegExp(`Examples?:\\n {2}lifeline ${name}`))
  }
})

test('help of a command inside another, and of one that does not exist', async () => {
  const inside = new Bench()
  assert.equal(await inside.run('help', 'mqtt', 'test'), 0)
  assert.match(inside.out, /^Usage: lifeline mqtt test /)
  const top = new Bench()
  assert.equal(await top.run('help'), 0)
  assert.match(top.out, /^Usage: lifeline /)
  for (const words of [['nonsense'], ['mqtt', 'nonsense'], ['run', 'nonsense']]) {
    const wrong = new Bench()
    assert.equal(await wrong.run('help', ...words), 2)
    assert.equal(
      wrong.err,
      `lifeline: there is no command '${words.join(' ')}'\n  \`lifeline help\` lists all commands.\n`,
    )
    assert.equal(wrong.out, '')
  }
})

test('history draws a path within the width of the terminal, or prints JSON', async () => {
  const at = '2026-03-01T12:00:00.000Z'
  const bin = { at: '2026-03-01T11:58:20.000Z', min: 8, mean: 9, max: 20, loss: 0.01, probes: 100 }
  const history: PathHistory = { path: 'fibre', interval: 100, at, bins: [bin], events: [] }
  const bench = new Bench(() => history)
  assert.equal(await bench.run('history', 'fibre'), 0)
  assert.match(
    bench.out,
    /^fibre: round trip 8\.0 \/ 9\.0 \/ 20\.0 ms, 1\.0 % lost, 100 probes in 1 min 40 s;/,
  )
  assert.deepEqual(bench.asked, [['history', { path: 'fibre' }]])
  bench.out = ''
  assert.equal(await bench.run('history', 'fibre', '--json'), 0)
  assert.deepEqual(JSON.parse(bench.out), history)
  assert.equal(await bench.run('history'), 0)
  assert.deepEqual(bench.asked.at(-1), ['history', {}])
  const unknown = new Bench(() => {
    throw new Refused(-32005, 'there is no path "dsl": configured are fibre')
  })
  assert.equal(await unknown.run('history', 'dsl'), 2)
})

test('version', async () => {
  const bench = new Bench()
  assert.equal(await bench.run('version'), 0)
  assert.equal(await bench.run('--version'), 0)
  assert.equal(bench.out, '1.2.3\n1.2.3\n')
})

test('run hands over configuration and socket, and ends as the daemon ends', async () => {
  const bench = new Bench()
  assert.equal(await bench.run('run', '-c', 'x.json', '--socket', '/tmp/s'), 42)
  const [{ notices, ...started } = { notices: () => ['none'] }] = bench.started
  assert.deepEqual(started, { configFile: 'x.json', socket: '/tmp/s' })
  assert.deepEqual(notices(), [])
})

test('run, check, plan, doctor and mqtt test tell of a second configuration', async () => {
  const sentence =
    'there are two configurations: /etc/config/lifeline is read, and /etc/lifeline/lifeline.conf has no effect'
  for (const args of [['run'], ['check'], ['plan'], ['doctor'], ['doctor', '--json'], ['mqtt', 'test']]) {
    const bench = new Bench()
    bench.files = ['/etc/lifeline/lifeline.conf', '/etc/config/lifeline']
    await bench.run(...args)
    const told = [bench.out, bench.err, ...bench.started.flatMap(({ notices }) => notices())].join()
    assert.ok(told.includes(sentence), `${args.join(' ')}: ${told}`)
    // Said of nothing where a file is named.
    const named = new Bench()
    named.files = bench.files
    await named.run(...args, '-c', 'x.json')
    const other = [named.out, named.err, ...named.started.flatMap(({ notices }) => notices())].join()
    assert.ok(!other.includes('two configurations'), `${args.join(' ')}: ${other}`)
  }
})

test('doctor, plan and check take the file as an argument', async () => {
  const bench = new Bench()
  assert.equal(await bench.run('doctor', 'x.json'), 0)
  assert.equal(await bench.run('plan', 'y.json'), 0)
  assert.deepEqual(bench.planned, ['x.json', 'y.json'])
})

test('plan asks the daemon; with -c or without a daemon it compares by itself', async () => {
  const running = new Bench(() => ({
    changes: [],
    nft: 'table inet lifeline {\n}\n',
    warnings: ['strict rp_filter'],
  }))
  assert.equal(await running.run('plan'), 0)
  assert.equal(running.out, 'Nothing would change.\n\n# nftables\ntable inet lifeline {\n}\n')
  assert.equal(running.err, 'lifeline: warning: strict rp_filter\n')

  assert.equal(await running.run('plan', '-c', 'x.json'), 0)
  assert.deepEqual(running.planned, ['x.json'])

  const alone = new Bench()
  alone.plan = err({ code: 'config_invalid', message: 'wrong', problems: ['line 1'] })
  assert.equal(await alone.run('plan', '-c', 'x.json'), 2)
  assert.equal(alone.err, 'lifeline: wrong\n  line 1\n')
})

test('events shows those that were and those that come, in order, until the daemon goes away', async () => {
  const at = (seconds: number) => `2026-03-01T12:00:0${seconds}.000Z`
  const second: StatusEvent = {
    seq: 2,
    at: at(1),
    event: 'failed',
    tunnel: 'aaisp',
    code: 'auth_silent',
    message: 'no word',
  }
  const bench = new Bench((_method, params) => {
    // Overtakes the answer.
    bench.notify(second)
    assert.deepEqual(params, { follow: true, limit: 10 })
    return { events: [EVENT] }
  })
  const done = bench.run('events')
  await settle()
  bench.notify({ seq: 3, at: at(2), event: 'uplink', uplink: 'fibre', state: 'down', from: 'up' })
  bench.notify({ seq: 4, at: at(3), event: 'internet', state: 'backup', path: 'lte', from: 'ok' })
  bench.notify({ seq: 5, at: at(4), event: 'internet', state: 'down', path: null, from: 'backup' })
  const newer: object = { event: 'renamed', tunnel: 'aaisp', keys: ['mtu'], why: 'by "hand"' }
  bench.notify({ seq: 6, at: at(5), ...newer } as StatusEvent)
  bench.notify({ seq: 7, at: at(6), event: 'reloaded', changes: ['a b'] })
  bench.leave()
  assert.equal(await done, 3)
  assert.deepEqual(bench.out.split('\n'), [
    `${at(0)} aaisp: up (was configuring)`,
    `${at(1)} aaisp: no word`,
    `${at(2)} uplink fibre down (was up)`,
    `${at(3)} internet over lte (backup)`,
    `${at(4)} no internet`,
    `${at(5)} aaisp: renamed keys=["mtu"] why="by \\"hand\\""`,
    `${at(6)} reloaded changes=["a b"]`,
    '',
  ])
  assert.equal(bench.err, 'lifeline: the daemon went away\n')
})

test('what the system refused the daemon is told in words', async () => {
  const bench = new Bench()
  bench.startDaemon = async () => {
    throw new SystemError('EACCES', 'cannot make the socket', { cause: new Error('permission denied') })
  }
  assert.equal(await bench.run('run', '-c', 'x.json'), 1)
  assert.equal(bench.err, 'lifeline: cannot make the socket\n  permission denied\n')
})

test('events --no-follow --json ends by itself', async () => {
  const bench = new Bench(() => ({ events: [EVENT] }))
  assert.equal(await bench.run('events', '--no-follow', '--json', '-n', '5'), 0)
  assert.deepEqual(bench.asked, [['events', { limit: 5 }]])
  assert.deepEqual(JSON.parse(bench.out), EVENT)
})

test('status --watch draws again at each event, in place on a terminal, below each other elsewhere', async () => {
  for (const interactive of [true, false]) {
    let state: 'dialling' | 'up' = 'dialling'
    const bench = new Bench((method) =>
      method === 'events' ? { events: [] } : sampleStatus({ aaisp: { ...UP, state } }),
    )
    bench.interactive = interactive
    const done = bench.run('status', '--watch')
    await settle()
    state = 'up'
    bench.notify(EVENT)
    bench.notify(EVENT)
    await settle()
    bench.leave()
    assert.equal(await done, 3)
    assert.match(bench.out, /aaisp: dialling for[\s\S]*aaisp: up for/)
    assert.equal(bench.out.startsWith('\x1b[2J\x1b[H'), interactive)
    assert.equal(bench.out.includes('\x1b'), interactive)
  }
})

test('status --watch goes on after an answer that did not come', async () => {
  let stuck = true
  const bench = new Bench((method) => {
    if (method === 'events') return { events: [] }
    if (stuck) throw new Error('the daemon does not answer')
    return sampleStatus({ aaisp: UP })
  })
  const done = bench.run('status', '--watch')
  await settle()
  stuck = false
  bench.notify(EVENT)
  await settle()
  bench.leave()
  await done
  assert.match(bench.out, /aaisp: up for/)
})

test('check prints what is in effect, or what is wrong with exit code 2', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lifeline-cli-'))
  try {
    const good = join(folder, 'good.json')
    writeFileSync(
      good,
      '{"tunnel":{"aaisp":{"server":"l2tp.aa.net.uk","username":"xx@a.1","password":"wonderland"}}}',
      { mode: 0o600 },
    )
    const bench = new Bench()
    assert.equal(await bench.run('check', '-c', good), 0)
    assert.equal(bench.err, '')
    assert.equal(JSON.parse(bench.out).tunnel.aaisp.device, 'l2tp-aaisp')
    assert.equal(bench.out.includes('wonderland'), false)

    const uci = new Bench()
    assert.equal(await uci.run('check', '-c', good, '--format', 'uci'), 0)
    assert.match(uci.out, /^config tunnel 'aaisp'$/m)

    const wrong = new Bench()
    assert.equal(await wrong.run('check', '-c', join(folder, 'missing.json')), 2)
    assert.match(wrong.err, /missing\.json.*there is no such file/)
    assert.equal(wrong.out, '')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('debug uci prints as uci show does, or fails as it does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lifeline-cli-'))
  try {
    const file = join(folder, 'network')
    writeFileSync(file, Buffer.from("config interface 'lan'\n\toption note 'caf\xe9'\n", 'latin1'))
    const bench = new Bench()
    assert.equal(await bench.run('debug', 'uci', file), 0)
    assert.equal(bench.out, "network.lan=interface\nnetwork.lan.note='caf\xe9'\n")

    writeFileSync(file, "config interface 'lan\n")
    assert.equal(await bench.run('debug', 'uci', file), 1)
    assert.match(bench.err, /^uci: Parse error \(.*\) at line 1, byte \d+\n$/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('doctor shows findings with what to do, and exits with 1 if there is a problem', async () => {
  const bench = new Bench()
  bench.findings = [{ severity: 'ok', subject: 'TUN devices', message: 'can be made' }]
  assert.equal(await bench.run('doctor', '-c', 'x.json'), 0)
  assert.deepEqual(bench.planned, ['x.json'])
  bench.findings.push({
    severity: 'problem',
    subject: 'nftables',
    message: 'not there',
    advice: 'install it',
  })
  bench.out = ''
  assert.equal(await bench.run('doctor', '-c', 'x.json'), 1)
  assert.equal(
    bench.out,
    'ok       TUN devices: can be made\nproblem  nftables: not there\n         -> install it\n',
  )
  bench.out = ''
  await bench.run('doctor', '-c', 'x.json', '--json')
  assert.deepEqual(
    bench.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    bench.findings,
  )
})

test('a drill says what it found, and one that failed ends with 1', async () => {
  const report = { path: 'lte', to: null, outage_ms: null, return_ms: null }
  const well = new Bench(() => ({ ...report, standby: { ok: true, message: 'lte works.' } }))
  assert.equal(await well.run('drill', 'lte'), 0)
  assert.equal(well.out, 'lte works.\n')
  for (const message of [
    'No drill of fibre was made, as nothing could take over: there is no other path.',
    'lte does not work.',
  ]) {
    const failed = new Bench(() => {
      throw new Refused(-32003, message)
    })
    assert.equal(await failed.run('drill', 'lte'), 1)
    assert.equal(failed.out, '')
    assert.ok(failed.err.includes(message), failed.err)
  }
})
