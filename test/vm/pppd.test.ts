/** Logins and links at a real pppd behind xl2tpd, with the PPP and L2TP of Debian's own kernel, in a virtual machine. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { build } from 'esbuild'
import { DIALS, LOGINS, type OTHERS, PPPD_METHODS } from './cases.ts'
import { prepareKernel, whyNoMachine } from './kernel.ts'
import { OUT, runInMachine } from './machine.ts'
import type { Outcome } from './outcome.ts'

/** ms until the machine counts as hung; all takes some minutes on an idle one with two cores. */
const HUNG = 5_400_000
/** pppd's methods in the words of lifeline's sentences. */
const NAMES = { pap: 'PAP', chap: 'CHAP', mschap: 'MS-CHAPv1', 'mschap-v2': 'MS-CHAPv2', eap: 'EAP' } as const

describe('a real pppd', { timeout: HUNG, skip: whyNoMachine() }, () => {
  const kept = process.env.LIFELINE_VM_OUT
  const folder = kept === undefined ? mkdtempSync(join(tmpdir(), 'lifeline-vm-')) : resolve(kept)
  let outcomes: Readonly<Record<string, Outcome>> = {}

  before(async () => {
    mkdirSync(folder, { recursive: true })
    const kernel = prepareKernel()
    const entry = { entryPoints: ['test/vm/inside.ts'], outfile: join(folder, 'inside.cjs') }
    // In one file: to read hundreds through the slow machine takes long.
    await build({ ...entry, bundle: true, platform: 'node', target: 'node20', logLevel: 'warning' })
    await runInMachine(kernel, folder, `${process.execPath} ${OUT}/inside.cjs`, HUNG)
    outcomes = JSON.parse(readFileSync(join(folder, 'outcomes.json'), 'utf8'))
  })
  after(() => {
    if (kept === undefined) rmSync(folder, { recursive: true })
  })

  /** Came up, or failed, as is expected of this dial; says how. */
  function judged(t: TestContext, name: string): Outcome {
    const outcome = outcomes[name]
    const expected = DIALS[name]?.expected
    assert.ok(outcome && expected, 'it was not dialled')
    const { state, auth, problem, last_error: error } = outcome.tunnel
    t.diagnostic(problem ?? (state === 'up' ? `up (${auth})` : (error?.message ?? state)))
    if ('problem' in expected) assert.match(problem ?? '', expected.problem, `${state}: ${error?.message}`)
    else if ('up' in expected) assert.deepEqual([state, auth], ['up', expected.up], error?.message)
    else assert.equal(error?.code, expected.fails, `${state}: ${error?.message}`)
    return outcome
  }

  function messageOf(t: TestContext, name: keyof typeof OTHERS): string {
    return judged(t, name).tunnel.last_error?.message ?? ''
  }

  for (const method of PPPD_METHODS) {
    test(`that asks for ${method}: no order of auth keeps out whom one method would let in`, async (t) => {
      for (const [name, dial] of Object.entries(LOGINS).filter(([one]) => one.startsWith(`${method},`))) {
        await t.test(name, (each) => {
          const { carries, tunnel } = judged(each, name)
          if ('up' in dial.expected) return assert.ok(carries, 'no packet comes back')
          const { message = '' } = tunnel.last_error ?? {}
          assert.ok(message.startsWith(`the LNS wants a login by ${NAMES[method]} and only `), message)
          // Advice that cannot help is none.
          assert.equal(message.endsWith('see option auth'), !['mschap', 'eap'].includes(method), message)
        })
      }
    })
  }

  for (const name of ['several methods, auth by default', 'several methods, auth pap'] as const) {
    test(name, (t) => assert.ok(judged(t, name).carries))
  }

  for (const method of ['pap', 'chap', 'mschap-v2'] as const) {
    test(`a wrong password, by ${method}`, (t) => {
      assert.match(messageOf(t, `wrong password, ${method}`), /^the LNS refused user name or password/)
    })
  }

  test('with noip, and no router behind it: a session without an address is no way to the internet', (t) => {
    const { status, tunnel, text } = judged(t, 'noip')
    assert.notEqual(tunnel.state, 'up')
    assert.deepEqual([status.internet.path, status.internet.ipv4], ['wan0', '192.0.2.200'])
    assert.ok(text.includes(tunnel.problem ?? 'a problem'), text)
  })

  test('with noip, and IPv6 not wanted: what became of each family is the reason', (t) => {
    assert.match(
      messageOf(t, 'noip, ipv6 0'),
      /IPv4: the LNS does not have it; IPv6: it is off here \(option ipv6\)/,
    )
  })

  test('with +ipv6, and no router behind it: IPv4 is used, and what became of IPv6 is told', (t) => {
    const { status, tunnel, carries, text } = judged(t, '+ipv6')
    assert.equal(tunnel.state, 'up')
    assert.ok(carries)
    assert.equal(status.internet.ipv4, tunnel.ipv4.address)
    assert.ok(text.includes(`none (${tunnel.ipv6.reason})`), text)
  })

  test('mtu 1200: IPv4 is used, IPv6 is not opened', (t) => {
    const { tunnel, carries } = judged(t, 'mtu 1200')
    assert.deepEqual([tunnel.state, tunnel.mtu, tunnel.ipv6.interface_id], ['up', 1200, null])
    assert.ok(carries)
  })

  test("Debian's kernel refuses nothing of what the daemon writes", () => {
    const logs = readdirSync(folder).filter((name) => /^lifeline-\d+\.log$/.test(name))
    assert.ok(logs.length > 1)
    for (const name of logs) {
      const refused = readFileSync(join(folder, name), 'utf8').match(/^.*the system refused a change.*$/m)
      assert.equal(refused, null, name)
    }
  })

  test('MPPE that it requires is told as the reason', (t) => {
    assert.match(messageOf(t, 'require-mppe'), /was denied encryption by MPPE/)
  })

  test('its LCP echoes are answered, and ours by it: the session lasts', (t) => {
    const { tunnel, carries } = judged(t, 'lcp-echo')
    assert.ok(carries)
    // Had it ended meanwhile, there would be a reason.
    assert.equal(tunnel.last_error, null)
    assert.ok(tunnel.rtt_ms !== null && tunnel.rtt_ms > 0, `${tunnel.rtt_ms} ms`)
  })

  test('mtu 1280: packets of that size pass, IPv6 is opened', (t) => {
    const { tunnel, carries } = judged(t, 'mtu 1280')
    assert.equal(tunnel.mtu, 1280)
    assert.ok(carries)
    assert.ok(tunnel.ipv6.interface_id !== null)
  })
})
