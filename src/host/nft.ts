/** Loads rulesets with the `nft` program; the text goes over its standard input, never through a shell. */
import { spawn } from 'node:child_process'
import { type Nft, SystemError } from '../app/ports.ts'

/** Where `nft` may be although it is not in PATH, as in some service managers. */
const PATH_EXTRA = '/usr/sbin:/sbin:/usr/local/sbin:/run/current-system/sw/bin'

/** ms. A ruleset of ours takes a few; one in which `nft` waits for a name server never ends. */
const TIME_LIMIT = 10_000

export const nft: Nft = {
  async apply(text) {
    await nft.check(text)
    await run(['-f', '-'], text)
  },

  async check(text) {
    await run(['-c', '-f', '-'], text)
  },

  async list(table) {
    const what = table === undefined ? ['ruleset'] : ['table', ...table.split(' ')]
    return JSON.parse(await run(['-j', 'list', ...what], ''))
  },
}

/** What `nft` printed. Rejects with SystemError: ENOENT if it is not installed, ETIMEDOUT, else EINVAL. */
function run(args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const path = `${process.env.PATH ?? ''}:${PATH_EXTRA}`
    const child = spawn('nft', args, {
      env: { ...process.env, PATH: path, LC_ALL: 'C' },
      timeout: TIME_LIMIT,
    })
    const output: Buffer[] = []
    const complaints: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk))
    // It may end before it has read everything; its exit status says why.
    child.stdin.on('error', () => {})
    child.on('error', (error: NodeJS.ErrnoException) => reject(notStarted(error)))
    child.on('close', (status, signal) => {
      if (status === 0) resolve(Buffer.concat(output).toString())
      else reject(failed(args, status, signal, Buffer.concat(complaints).toString()))
    })
    child.stdin.end(input)
  })
}

function notStarted(error: NodeJS.ErrnoException): SystemError {
  const code = error.code ?? 'EIO'
  const message =
    code === 'ENOENT'
      ? 'the program nft is not installed: install nftables, or no tunnel can be filtered and none comes up'
      : `nft could not be started: ${error.message}`
  return new SystemError(code, message, { cause: error })
}

function failed(
  args: readonly string[],
  status: number | null,
  signal: NodeJS.Signals | null,
  complaints: string,
): SystemError {
  if (status === null) return new SystemError('ETIMEDOUT', `nft ${args.join(' ')} was ended by ${signal}`)
  const words = complaints.trim() || `it ended with status ${status}`
  return new SystemError('EINVAL', `nft ${args.join(' ')} refused: ${words}`)
}
