/**
 * The decoder of the data path under random and mutated datagrams, compiled with the sanitizers of gcc: it reads no octet
 * outside of the datagram, and finds what the core finds. LIFELINE_FUZZ_RUNS says how many.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { u8, u16 } from '../../src/core/bytes.ts'
import { decodePacket, encodeData } from '../../src/core/l2tp/header.ts'
import { decodeFrame, encodeFrame } from '../../src/core/ppp/protocol.ts'
import { dataMessage } from '../net/native/packets.ts'
import { runSeed, seededRandom } from '../sim/random.ts'

const RUNS = Number(process.env.LIFELINE_FUZZ_RUNS ?? 20_000)
const SEED = runSeed()
/** Datagrams for one process. */
const VOLLEY = 20_000
const SANITIZED = '-std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all'

const folder = mkdtempSync(join(tmpdir(), 'lifeline-l2tp-data-'))
const program = join(folder, 'parse-datagrams')
after(() => rmSync(folder, { recursive: true }))

before(() => {
  const sources = ['test/native/parse-datagrams.c', 'src/native/l2tp-data.c', '-Isrc/native']
  const compiler = process.env.CC ?? 'cc'
  const { status, stderr, error } = spawnSync(
    compiler,
    [...SANITIZED.split(' '), ...sources, '-o', program],
    {
      encoding: 'utf8',
    },
  )
  assert.equal(
    status,
    0,
    `this test needs a C compiler with the sanitizers address and undefined (gcc of Debian has them), but ${compiler} says: ${error?.message ?? stderr}`,
  )
})

test(`${RUNS} datagrams: nothing outside of them is read, and the core finds the same, seed ${SEED}`, (t) => {
  const random = seededRandom(SEED)
  const counts = { nothing: 0, control: 0, data: 0, ppp: 0, tunnel: 0, ns: 0 }
  for (let done = 0; done < RUNS; done += VOLLEY) {
    const datagrams = Array.from({ length: Math.min(VOLLEY, RUNS - done) }, () => anyDatagram(random))
    for (const [i, line] of parsed(datagrams).entries()) {
      const bytes = datagrams[i] ?? new Uint8Array()
      assert.equal(line, expected(bytes), `of ${hex(bytes)}`)
      for (const word of line.split(' ')) if (word in counts) counts[word as keyof typeof counts]++
    }
  }
  t.diagnostic(JSON.stringify(counts))
  for (const [word, count] of Object.entries(counts))
    assert.ok(count > RUNS / 100, `${count} of ${RUNS} are ${word}`)
})

test('what the core encodes is found again', () => {
  const payload = Uint8Array.of(0x45, 1, 2)
  const header = { tunnel: 0x1234, session: 0x5678 }
  const frame = encodeFrame(0x0021, payload)
  assert.deepEqual(parsed([encodeData(header, frame), encodeData({ ...header, ns: 0xfffe }, frame)]), [
    `data ${0x1234} ${0x5678} - 6 7 ppp ${0x21} 10 3 tunnel ${0x1234} 0`,
    `data ${0x1234} ${0x5678} ${0xfffe} 10 7 ppp ${0x21} 14 3 tunnel ${0x1234} 0 ns ${0x1234} ${0x5678} 6`,
  ])
})

/** What the data path reads in datagrams, a line each. */
function parsed(datagrams: readonly Uint8Array[]): string[] {
  const input = Buffer.concat(
    datagrams.flatMap((bytes) => [Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes]),
  )
  const { status, stdout, stderr } = spawnSync(program, {
    input,
    encoding: 'utf8',
    maxBuffer: 100 * datagrams.length + 100_000,
    // Tracing, by which leaks are found, is forbidden in some containers; nothing is allocated in there.
    env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' },
  })
  const lines = stdout.split('\n').slice(0, -1)
  assert.equal(status, 0, `at ${hex(datagrams[lines.length] ?? new Uint8Array())}\n${stderr.slice(0, 2000)}`)
  assert.equal(lines.length, datagrams.length)
  return lines
}

/** The line that is due, by the decoders of the core. */
function expected(bytes: Uint8Array): string {
  // The data path hands on all that has the T bit, for the core to judge.
  if (bytes.length >= 2 && u8(bytes, 0) & 0x80) return `control${tunnel(bytes)}`
  return message(bytes) + tunnel(bytes) + sequence(bytes)
}

/** The id by which strangers are told apart before anything else is read. RFC 2661 section 3.1. */
function tunnel(bytes: Uint8Array): string {
  const flags = u16(bytes, 0)
  const at = flags & 0x4000 ? 4 : 2
  if ((flags & 0x000f) !== 2 || bytes.length < Math.max(4, at + 2)) return ''
  return ` tunnel ${u16(bytes, at)} ${flags >> 15}`
}

function message(bytes: Uint8Array): string {
  const decoded = decodePacket(bytes)
  if (!decoded.ok || decoded.value.kind !== 'data' || decoded.value.frame.length === 0) return 'nothing'
  const { tunnel, session, ns, frame } = decoded.value
  const place = (part: Uint8Array) => `${part.byteOffset - bytes.byteOffset} ${part.length}`
  const found = `data ${tunnel} ${session} ${ns ?? '-'} ${place(frame)}`
  const ppp = decodeFrame(frame)
  // RFC 1661 section 6.5: no protocol number begins with FF. The core takes it for a protocol that it does not speak.
  const begin = u8(frame, 0) === 0xff && u8(frame, 1) === 0x03 ? 2 : 0
  if (!ppp.ok || u8(frame, begin) === 0xff) return found
  return `${found} ppp ${ppp.value.protocol} ${place(ppp.value.information)}`
}

/** Of messages that are to be sent, where the Length is right by construction. RFC 2661 section 3.1. */
function sequence(bytes: Uint8Array): string {
  const flags = u16(bytes, 0)
  const ids = flags & 0x4000 ? 4 : 2
  const numbered = (flags & 0x880f) === 0x0802 && bytes.length >= ids + 8
  return numbered ? ` ns ${u16(bytes, ids)} ${u16(bytes, ids + 2)} ${ids + 4}` : ''
}

/** Random octets, those behind a plausible header, or a message with some octets changed, cut short or made longer. */
function anyDatagram(random: () => number): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit)
  const octets = (length: number) => Uint8Array.from({ length }, () => below(256))
  const kind = below(10)
  if (kind === 0) return octets(below(40))
  if (kind <= 2) {
    const bytes = octets(2 + below(30))
    bytes.set([below(256) & 0x4b, 2])
    // A Length that may be right.
    if (bytes.length > 3 && below(4) > 0) bytes.set([0, below(bytes.length + 2)], 2)
    return bytes
  }
  const bytes = anyMessage(below, octets)
  if (kind <= 4) return bytes
  if (kind <= 6) return bytes.slice(0, below(bytes.length + 1))
  if (kind === 7) return Uint8Array.from([...bytes, ...octets(1 + below(8))])
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const at = below(Math.min(bytes.length, 20))
    bytes[at] = below(3) === 0 ? u8(bytes, at) ^ (1 << below(8)) : below(256)
  }
  return bytes
}

function anyMessage(below: (limit: number) => number, octets: (length: number) => Uint8Array): Uint8Array {
  const protocols = [[0x00, 0x21], [0x21], [0x57], [0xc0, 0x21], [0x00], []]
  return dataMessage(
    {
      tunnel: below(0x10000),
      session: below(0x10000),
      length: below(2) === 0,
      priority: below(2) === 0,
      ...(below(2) === 0 && { offset: below(20) }),
      ...(below(2) === 0 && { ns: below(0x10000) }),
      ppp: [...(below(2) === 0 ? [0xff, 0x03] : []), ...(protocols[below(protocols.length)] ?? [])],
    },
    octets(below(20)),
  )
}

function hex(bytes: Uint8Array): string {
  return `'${Buffer.from(bytes).toString('hex')}'`
}
