/** Starting what `npm run` starts. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'

/** Starts the last command of a script of package.json as npm does, with these words behind it, or in place of its file. */
export function startScript(name: string, words: readonly string[], instead = false): ChildProcess {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  const command = String(scripts[name]).split(' && ').at(-1) ?? ''
  const prefix = instead ? command.replace(/\S+\.ts$/, '') : command
  const PATH = [resolve('node_modules/.bin'), process.env.PATH].join(delimiter)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return spawn('sh', ['-c', `${prefix} "$@"`, 'sh', ...words], { env: { ...env, PATH } })
}
