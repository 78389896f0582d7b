/** What `npm run lab -- ...` takes. */
import { parseArgs } from 'node:util'
import { USAGE as COMMAND } from './commands.ts'

export interface Options {
  /** Leave it up until Ctrl-C. */
  readonly keep: boolean
  /** The life of one tunnel alone, without failover. */
  readonly tunnel: boolean
  /** A file for all that the broker in the LAN hears, as `mosquitto_sub -v -t '#'` prints it. */
  readonly mqtt: string | undefined
}

export const USAGE = `usage: npm run lab [-- --keep] [-- --mqtt FILE] [-- --tunnel] [-- ${COMMAND}]`

/** Undefined if these words mean nothing here. */
export function parseOptions(words: readonly string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: { keep: { type: 'boolean' }, tunnel: { type: 'boolean' }, mqtt: { type: 'string' } },
    })
    const { keep = false, tunnel = false, mqtt } = values
    // There is no broker in the story of the tunnel.
    return mqtt === '' || (tunnel && mqtt !== undefined) ? undefined : { keep, tunnel, mqtt }
  } catch {
    return undefined
  }
}
