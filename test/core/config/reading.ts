/** Reading configurations in tests: texts in, and files of secrets from a table. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Notation } from '../../../src/core/config/notation.ts'
import { formatProblem, type Problem } from '../../../src/core/config/problems.ts'
import { type ReadConfig, readConfig } from '../../../src/core/config/read.ts'
import type { SecretSource } from '../../../src/core/config/schema.ts'
import type { Config } from '../../../src/core/config/types.ts'
import { err, ok, type Result } from '../../../src/core/result.ts'

export const SECRETS: Readonly<Record<string, string>> = {
  '/etc/lifeline/aaisp': 'wonderland',
  '/etc/lifeline/other': 'looking-glass',
  '/etc/lifeline/lines': 'user\npassword',
  '/etc/lifeline/empty': '',
  '/etc/lifeline/copied': 'wonder\u00a0land',
}

export const secrets: SecretSource = {
  read(path) {
    const text = SECRETS[path]
    return text === undefined ? err(`${path}: there is no such file`) : ok({ text })
  },
}

export function read(
  notation: Notation,
  content: string | Uint8Array,
): Result<ReadConfig, readonly Problem[]> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return readConfig(bytes, { file: notation === 'uci' ? 'lifeline' : 'lifeline.json', notation, secrets })
}

/** What is read, where nothing may be wrong. */
export function mustRead(notation: Notation, content: string): ReadConfig {
  const result = read(notation, content)
  if (!result.ok) assert.fail(result.error.map(formatProblem).join('\n'))
  return result.value
}

/** Everything of a configuration, with secrets in the clear so that they are compared. */
export function plain(config: Config): unknown {
  return {
    ...config,
    tunnels: config.tunnels.map((tunnel) => ({
      ...tunnel,
      password: tunnel.password.reveal(),
      tunnelSecret: tunnel.tunnelSecret?.reveal(),
    })),
  }
}

export function fixture(name: string): string {
  return readFileSync(`test/fixtures/config/${name}`, 'utf8')
}
