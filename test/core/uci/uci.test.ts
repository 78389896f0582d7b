import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parseUci } from '../../../src/core/uci/parse.ts'
import { exportUci, showUci } from '../../../src/core/uci/print.ts'

/** Recordings of the real `uci` program: NAME.uci is what it read, NAME.json what it said. */
const FOLDER = 'test/fixtures/uci'

interface Run {
  readonly rc: number
  readonly stdout: string | { readonly hex: string }
  readonly stderr: string
}

type Recording = Readonly<Record<'show' | 'show_X' | 'export', Run>>

const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.uci'))
  .map((name) => name.slice(0, -'.uci'.length))

function octets(stdout: Run['stdout']): string {
  return (typeof stdout === 'string' ? Buffer.from(stdout) : Buffer.from(stdout.hex, 'hex')).toString(
    'latin1',
  )
}

describe('as the real uci', () => {
  test('all recordings are here', () => {
    const index = JSON.parse(readFileSync(`${FOLDER}/_index.json`, 'utf8'))
    assert.deepEqual(names, Object.keys(index).sort())
  })

  for (const name of names) {
    const recording: Recording = JSON.parse(readFileSync(`${FOLDER}/${name}.json`, 'utf8'))
    test(name, () => {
      const parsed = parseUci(readFileSync(`${FOLDER}/${name}.uci`))
      assert.equal(parsed.ok ? 0 : 1, recording.show.rc)
      if (parsed.ok) {
        assert.equal(showUci(name, parsed.value), octets(recording.show.stdout))
        assert.equal(showUci(name, parsed.value, { generatedNames: true }), octets(recording.show_X.stdout))
        assert.equal(exportUci(name, parsed.value), octets(recording.export.stdout))
      } else {
        const { reason, line, byte } = parsed.error
        assert.equal(`uci: Parse error (${reason}) at line ${line}, byte ${byte}\n`, recording.show.stderr)
      }
    })
  }
})
