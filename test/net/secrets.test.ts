/** Passwords, tunnel secrets and CHAP values stay where they belong: in the configuration, in files of their own, on the wire. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ask } from './control.ts'
import type { Lifeline } from './lifeline.ts'
import { PROGRAM } from './router.ts'
import { LINE, type Options, subscriber, tunnelOf, waitForAll } from './scenario.ts'
import { buildNetwork, type Network } from './topology.ts'
import { waitFor } from './wait.ts'

const TUNNEL_SECRET = 'kee-this-Tunnel-5ecret'
const alice = { ...subscriber('alice', 1), password: 'Wonderland-Äpfel-4711' }
const bob = { ...subscriber('bob', 2), password: 'b0b-has-a-long-One' }
const WRONG = 'not-the-right-Password-1'

describe('secrets', { timeout: 300_000 }, () => {
  let net: Network
  /** What was seen, by where. */
  const seen = new Map<string, string>()
  /** CHAP challenges and responses, and those of the tunnel's authentication, as they were on the wire. */
  const wire: Buffer[] = []
  before(async () => {
    net = await buildNetwork({
      users: [alice, bob],
      tunnelSecret: TUNNEL_SECRET,
      auth: ['chap', 'pap'],
    })
  })
  after(() => net.close())

  /** Runs a daemon through a dial, watches its processes all the time, and keeps all that it says. */
  async function observe(what: string, tunnel: Options, until: (lifeline: Lifeline) => Promise<unknown>) {
    const file = `${net.folder}/${what.replaceAll(' ', '-')}.pcap`
    const capture = await net.lns.capture(file)
    const lifeline = net.router.lifeline({
      config: { lifeline: { main: { log_level: 'debug' } }, tunnel: { [LINE]: tunnel } },
    })
    const processes = watchProcesses(lifeline.process.pid)
    await until(lifeline)
    const { namespace } = net.router
    const commands = {
      'status --json': lifeline.cli('status', '--json'),
      status: lifeline.cli('status'),
      events: lifeline.cli('events', '--no-follow', '-n', '1000'),
      plan: lifeline.cli('plan'),
      doctor: namespace.run([PROGRAM, 'doctor', '-c', lifeline.file], { mayFail: true }),
      check: net.router.check(lifeline.file),
      ps: namespace.run(['ps', 'axwwe']),
    }
    for (const [name, outcome] of Object.entries(commands)) {
      const { stdout, stderr } = await outcome
      assert.notEqual(stdout, '', `${name} says something`)
      seen.set(`${what}: ${name}`, stdout + stderr)
    }
    for (const method of ['status', 'events', 'plan', 'version', 'reload']) {
      seen.set(`${what}: control socket, ${method}`, JSON.stringify(await ask(lifeline.socket, method)))
    }
    assert.equal(statSync(lifeline.socket).mode & 0o777, 0o600)
    await lifeline.stop()
    const watched = processes.stop()
    assert.ok(watched.programs.has('nft'), `nft was seen: ${[...watched.programs]}`)
    seen.set(`${what}: processes`, watched.text)
    seen.set(`${what}: log`, lifeline.log)
    await capture.stop()
    wire.push(...valuesOnTheWire(readFileSync(file)))
  }

  test('a login by CHAP, with secrets in files', async () => {
    const files = {
      password: undefined,
      password_file: net.router.secretFile('password', alice.password),
      tunnel_secret: undefined,
      tunnel_secret_file: net.router.secretFile('tunnel-secret', TUNNEL_SECRET),
    }
    await observe('CHAP', tunnelOf(alice, files), async (lifeline) => {
      assert.equal((await waitForAll(lifeline)).auth, 'chap')
    })
  })

  test('a login by PAP', async () => {
    const options = { tunnel_secret: TUNNEL_SECRET, auth: ['pap'] }
    await observe('PAP', tunnelOf(bob, options), async (lifeline) => {
      assert.equal((await waitForAll(lifeline)).auth, 'pap')
    })
  })

  test('a wrong password', async () => {
    const options = { tunnel_secret: TUNNEL_SECRET, auth: ['chap', 'pap'], password: WRONG }
    await observe('wrong password', tunnelOf(alice, options), (lifeline) => lifeline.waitForError(LINE))
  })

  test('a wrong tunnel secret', async () => {
    const options = { tunnel_secret: WRONG }
    await observe('wrong secret', tunnelOf(alice, options), (lifeline) => lifeline.waitForError(LINE))
  })

  test('a configuration that is wrong near a secret', async () => {
    for (const [what, text] of Object.entries(WRONG_CONFIGS)) {
      const file = join(net.folder, 'wrong')
      writeFileSync(file, text, { mode: 0o600 })
      const { code, stdout, stderr } = await net.router.check(file)
      assert.notEqual(code, 0, what)
      seen.set(`${what}: check`, stdout + stderr)
    }
    const lifeline = net.router.lifeline({
      config: { tunnel: { [LINE]: tunnelOf(alice, { tunnel_secret: TUNNEL_SECRET }) } },
    })
    await lifeline.waitForUp(LINE)
    const text = WRONG_CONFIGS['a stray word in JSON'] ?? ''
    lifeline.reload(text)
    await waitFor('the refusal in the log', () => /the new configuration is wrong/.test(lifeline.log))
    const { stdout, stderr } = await lifeline.cli('reload')
    seen.set('wrong reload', stdout + stderr)
    await lifeline.stop()
    seen.set('wrong reload: log', lifeline.log)
  })

  test('state files are private', () => {
    const { stateFolder } = net.router
    assert.equal(statSync(stateFolder).mode & 0o777, 0o700)
    seen.set('compiled code', readFileSync(join(net.router.cacheFolder, 'lifeline/code'), 'latin1'))
    const names = readdirSync(stateFolder, { recursive: true, encoding: 'utf8' })
    assert.notDeepEqual(names, [])
    for (const name of names) {
      assert.equal(statSync(join(stateFolder, name)).mode & 0o777, 0o600, name)
      seen.set(`state: ${name}`, readFileSync(join(stateFolder, name), 'latin1'))
    }
  })

  test('nothing of it was seen anywhere', (t) => {
    const passwords = [alice.password, bob.password, TUNNEL_SECRET, WRONG].map((text) => Buffer.from(text))
    // A challenge and a response of CHAP, and of both ends of the tunnel, at each of two logins at least.
    assert.ok(wire.length >= 8, `${wire.length} values on the wire`)
    t.diagnostic(
      `${seen.size} texts searched for ${passwords.length} secrets and ${wire.length} values of the wire`,
    )
    for (const [where, text] of seen) {
      for (const secret of [...passwords, ...wire]) {
        for (const form of formsOf(secret)) assert.equal(text.includes(form), false, `${form} in ${where}`)
      }
    }
  })

  test('they would have been found', () => {
    const everywhere = [...seen.values()].join('\n')
    assert.ok(everywhere.includes(alice.name), 'the user name is no secret')
    const processes = seen.get('CHAP: processes') ?? ''
    assert.ok(processes.includes('dist/lifeline') && processes.includes('PATH='), processes.slice(0, 500))
    for (const form of formsOf(Buffer.from('a"b'))) assert.ok(form.length > 0)
    assert.deepEqual(formsOf(Buffer.from('a"b')).slice(0, 3), ['a"b', 'a\\"b', 'YSJi'])
  })
})

const WRONG_CONFIGS: Readonly<Record<string, string>> = {
  'a stray word in JSON': `{"tunnel":{"a":{"server":"x","username":"u","password":"${WRONG}" oops}}}`,
  'an object for a password': `{"tunnel":{"a":{"server":"x","username":"u","password":{"is":"${WRONG}"}}}}`,
  'two tunnel secrets': `{"tunnel":{"a":{"server":"x","username":"u","password":"p","tunnel_secret":["${WRONG}","b"]}}}`,
  'an open quote': `config tunnel 'a'\n\toption server 'x'\n\toption username 'u'\n\toption password '${WRONG}\n`,
  'a list of passwords': `config tunnel 'a'\n\toption server 'x'\n\toption username 'u'\n\tlist password '${WRONG}'\n\tlist password 'b'\n`,
  'a misspelt option': `config tunnel 'a'\n\toption server 'x'\n\toption username 'u'\n\toption pasword '${WRONG}'\n`,
  'words after the password': `config tunnel 'a'\n\toption server 'x'\n\toption username 'u'\n\toption password '${WRONG}' x\n`,
}

/** How a value may be written. */
function formsOf(value: Buffer): string[] {
  const hex = value.toString('hex')
  const text = value.toString()
  return [
    ...new Set([
      text,
      JSON.stringify(text).slice(1, -1),
      value.toString('base64').replace(/=+$/, ''),
      value.toString('base64url'),
      encodeURIComponent(text),
      value.toString('latin1'),
      hex,
      hex.toUpperCase(),
      [...value].join(','),
      [...value].join(', '),
      hex.replace(/..(?=.)/g, '$& '),
      hex.replace(/..(?=.)/g, '$&:'),
    ]),
  ]
}

/** Looks at command line and environment of a process and its descendants as often as it can. */
function watchProcesses(root: number): { stop(): { programs: ReadonlySet<string>; text: string } } {
  const texts = new Set<string>()
  const programs = new Set<string>()
  const look = (pid: number) => {
    try {
      const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8').replaceAll('\0', ' ')
      programs.add(read('comm').trim())
      texts.add(read('cmdline'))
      texts.add(read('environ'))
      for (const child of read(`task/${pid}/children`).split(' ').filter(Boolean)) look(Number(child))
    } catch {
      // It has ended between two looks.
    }
  }
  const timer = setInterval(() => look(root), 1)
  return {
    stop() {
      clearInterval(timer)
      return { programs, text: [...texts].join('\n') }
    },
  }
}

/**
 * The values of CHAP challenges and responses (RFC 1994 section 4.1), of Challenge and Challenge Response AVPs (RFC 2661
 * section 4.4.3), found by their headers wherever they are in a recording.
 */
function valuesOnTheWire(recording: Buffer): Buffer[] {
  const values: Buffer[] = []
  for (let at = 0; at + 8 < recording.length; at++) {
    const header = recording.subarray(at)
    const isChap = header.readUInt16BE(0) === 0xc223 && [1, 2].includes(header[2] ?? 0)
    if (isChap && header[6] === 16) values.push(header.subarray(7, 23))
    const length = header.readUInt16BE(0) & 0x3ff
    const isAvp = (header.readUInt16BE(0) & 0x7c00) === 0 && header.readUInt16BE(2) === 0
    if (isAvp && [11, 13].includes(header.readUInt16BE(4)) && length === 6 + 16)
      values.push(header.subarray(6, length))
  }
  const texts = new Set(values.map((value) => value.toString('hex')))
  return [...texts].map((text) => Buffer.from(text, 'hex'))
}
