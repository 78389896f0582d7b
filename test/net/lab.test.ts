/** `npm run lab` as a user starts it: it ends well by itself, and at Ctrl-C nothing of it stays. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { startScript } from './script.ts'
import { tracesOf } from './traces.ts'
import { waitFor } from './wait.ts'

/** ms, on a machine that has much else to do. */
const LIMIT = 240_000

test('the story of a tunnel is told to its end', { timeout: LIMIT }, async (t) => {
  const lab = startLab(t)
  const code = await lab.ended
  const output = lab.output()
  assert.equal(code, 0, output)
  assert.match(output.trimEnd(), /\n (\d+) of \1 steps succeeded in [\d.]+ s; nothing is left behind\.$/)
  for (const state of ['resolving', 'dialling', 'authenticating', 'configuring'])
    assert.match(output, new RegExp(`^ +[\\d.]+ +${state}: [\\d.]+ m?s$`, 'm'))
  assert.match(output, /✓ the LNS drops the session: up again after \d+ ms/)
  assert.deepEqual(tracesOf(lab.names), [])
})

test('Ctrl-C in the middle leaves no namespace, process or folder', { timeout: LIMIT }, async (t) => {
  const lab = startLab(t)
  await waitFor('the tunnel to be used', () => /ping .* through the tunnel \.\.\./.test(lab.output()), {
    within: LIMIT / 2,
    explain: lab.output,
  })
  assert.notDeepEqual(tracesOf(lab.names), [])
  lab.child.kill('SIGINT')
  assert.equal(await lab.ended, 130, lab.output())
  await waitFor('the last process to be gone', () => tracesOf(lab.names).length === 0, {
    explain: () => tracesOf(lab.names).join('\n'),
  })
  assert.doesNotMatch(lab.output(), /nothing is left behind/)
})

function startLab(t: TestContext) {
  const child = startScript('lab', ['--tunnel'])
  t.after(() => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  return {
    child,
    output: () => output,
    ended: once(child, 'close').then(([code]) => code),
    /** What the names of its namespaces and folders begin with. */
    names: `lifeline-net-${child.pid}-`,
  }
}
