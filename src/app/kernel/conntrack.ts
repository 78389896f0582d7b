/** Forgets tracked connections whose public address is no longer ours to use. */
import {
  type Connection,
  decodeConnection,
  encodeConnectionDump,
  encodeConnectionRemoval,
} from '../../core/netlink/conntrack.ts'
import { type Log, type Netlink, type Netlinks, SystemError } from '../ports.ts'

/** What forgetting connections takes: a netfilter socket, and a log for what it was refused. */
export interface ConntrackPorts {
  readonly netlinks: Netlinks
  readonly log: Log
}

/**
 * `translated`: connections of others that were given the address on their way out; what is bound to the address itself
 * goes on over its path, which still works. `all`: everything to or from the address, whose path is dead.
 */
export type FlushScope = 'translated' | 'all'

/** The kernel's table of tracked connections, of which this process only ever removes some. */
export class Conntrack {
  readonly #ports: ConntrackPorts

  constructor(ports: ConntrackPorts) {
    this.#ports = ports
  }

  /**
   * Forgets the connections of a public address, after the new route is in, and resolves with how many there were. Never
   * rejects: what the kernel refused is told in the log.
   */
  async flush(address: string, scope: FlushScope): Promise<number> {
    const { netlinks, log } = this.#ports
    let netlink: Netlink | undefined
    try {
      netlink = netlinks.open({ protocol: 'netfilter' })
      const flushed = await forget(netlink, address, scope)
      log.info('connections of the old address were forgotten', { address, scope, connections: flushed })
      return flushed
    } catch (error) {
      log.warn('connections of the old address could not be forgotten', { address, error })
      return 0
    } finally {
      netlink?.close()
    }
  }
}

async function forget(netlink: Netlink, address: string, scope: FlushScope): Promise<number> {
  const dumps = [encodeConnectionDump('reply', address)]
  if (scope === 'all') dumps.push(encodeConnectionDump('original', address))
  const answers: Uint8Array[] = []
  for (const dump of dumps) answers.push(...(await netlink.request(dump)))
  const doomed = answers
    .flatMap((answer) => decodeConnection(answer) ?? [])
    .filter((connection) => isOf(connection, address, scope))
  const outcomes = await Promise.all(doomed.map((connection) => remove(netlink, connection)))
  return outcomes.filter(Boolean).length
}

function isOf({ original, reply }: Connection, address: string, scope: FlushScope): boolean {
  const translated = reply.destination === address && original.source !== address
  return translated || (scope === 'all' && (original.source === address || original.destination === address))
}

/** Whether it was still there. */
async function remove(netlink: Netlink, connection: Connection): Promise<boolean> {
  try {
    await netlink.request(encodeConnectionRemoval(connection))
    return true
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOENT') return false
    throw error
  }
}
