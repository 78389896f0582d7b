/** Sequence numbers of received data messages (RFC 2661 section 5.4), in C compiled with the sanitizers of gcc. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runSeed, seededRandom } from '../sim/random.ts'

const RUNS = Number(process.env.LIFELINE_FUZZ_RUNS ?? 20_000)
const SEED = runSeed()
const SANITIZED = '-std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all'
const folder = mkdtempSync(join(tmpdir(), 'lifeline-sequence-'))
const program = join(folder, 'take-numbers')
after(() => rmSync(folder, { recursive: true }))

before(() => {
  const sources = ['test/native/take-numbers.c', 'src/native/sequence.c', '-Isrc/native', '-o', program]
  const { status, stderr } = spawnSync(process.env.CC ?? 'cc', [...SANITIZED.split(' '), ...sources], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
})

interface Message {
  readonly ns: number
  /** ms */
  readonly at: number
}

/** Which of these messages are taken. */
function taken(messages: readonly Message[]): boolean[] {
  const input = messages.map(({ ns, at }) => `${ns & 0xffff} ${at}\n`).join('')
  const { status, stdout, stderr } = spawnSync(program, {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' },
  })
  assert.equal(status, 0, stderr)
  return stdout
    .trim()
    .split('\n')
    .map((line) => line === '1')
}

/** Messages with these numbers, so many ms apart. */
function every(ms: number, numbers: readonly number[]): Message[] {
  return numbers.map((ns, i) => ({ ns, at: 1_000_000 + i * ms }))
}

const lost = (messages: readonly Message[]) => taken(messages).filter((each) => !each).length
const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i)

test('no message is lost for being overtaken by those of a whole window, over the wrap too', () => {
  for (const first of [0, 1000, 65_500]) {
    for (const block of [2, 3, 10, 64]) {
      const numbers = from(0, 640).map((i) => first + (i - (i % block)) + (block - 1 - (i % block)))
      assert.equal(lost(every(1, numbers)), 0, `blocks of ${block} from ${first}`)
    }
  }
})

test('what comes twice is taken once', () => {
  const doubled = from(65_500, 200).flatMap((ns) => [ns, ns])
  assert.equal(lost(every(1, doubled)), 200)
  const later = from(100, 300).flatMap((ns) => (ns % 7 === 0 ? [ns, ns - 20] : [ns]))
  assert.equal(lost(every(1, later)), later.length - 300 - later.filter((ns) => ns < 100).length)
})

test('gaps are no reason to wait or to drop', () => {
  const numbers = from(0, 500).map((i) => i * 61)
  assert.equal(lost(every(1, numbers)), 0)
})

test('a peer that starts its numbers anew is believed after one message, or at once after a second without any', () => {
  for (const before of [1, 2, 10, 60, 64, 100, 5000, 32_000, 32_767, 32_768, 40_000, 65_535]) {
    const steady = every(100, [...from(before - 1, 5), ...from(0, 50)])
    assert.ok(lost(steady) <= 1, `${lost(steady)} after ${before}`)
    const sparse = every(1000, [...from(before - 1, 5), ...from(0, 20)])
    assert.equal(lost(sparse), 0, `a message a second, after ${before}`)
  }
})

test('a message of long ago neither counts nor confuses', () => {
  const numbers = from(1000, 300).flatMap((ns) => (ns % 50 === 0 ? [ns, ns - 500] : [ns]))
  const verdicts = taken(every(1, numbers))
  for (const [i, ns] of numbers.entries()) {
    const old = i > 0 && ns === (numbers[i - 1] ?? 0) - 500
    assert.equal(verdicts[i], !old, `${ns}`)
  }
})

test(`random orders within a window: each message is taken, and once, seed ${SEED}`, () => {
  const random = seededRandom(SEED)
  const first = Math.floor(random() * 0x10000)
  const places = from(0, RUNS).map((i) => ({ i, place: i + random() * 50 }))
  const order = places.sort((a, b) => a.place - b.place).map(({ i }) => first + i)
  assert.equal(lost(every(1, order)), 0)
})
