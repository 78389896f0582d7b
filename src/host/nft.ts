/** Loads rulesets with the `nft` program; the text goes over its standard input, never through a shell. */
import { type Nft, SystemError } from '../app/ports.ts'
import { runProgram } from './run-program.ts'

/** ms. A ruleset of ours takes a few; one in which `nft` waits for a name server never ends. */
const TIME_LIMIT = 10_000

/** The program nft(8), once for each call. */
export const nft: Nft = {
  async load(text) {
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

/** What `nft` printed. Rejects as `runProgram` does, and says what it means that there is none. */
async function run(args: readonly string[], input: string): Promise<string> {
  try {
    return await runProgram('nft', args, { input, timeLimit: TIME_LIMIT })
  } catch (cause) {
    if (!(cause instanceof SystemError) || cause.code !== 'ENOENT') throw cause
    const message =
      'the program nft is not installed: install nftables, or no tunnel can be filtered and none comes up'
    throw new SystemError('ENOENT', message, { cause })
  }
}
