/** A link that is longer, or slower, than a veth pair: all that a host forwards between two devices goes through a relay. */
import { resolve } from 'node:path'
import type { Namespace } from '../namespace.ts'
import { run } from '../process.ts'

export interface Distance {
  /** ms, one way. */
  readonly delay: number
  /** What each direction carries, and how much of it waits at most before packets are lost. */
  readonly queue?: { readonly kbits: number; readonly ms: number }
}

/** The relay's two devices: what comes in by the near (far) side of the host is sent out by this one. */
export const NEAR = 'near0'
export const FAR = 'far0'

const SOURCE = resolve('test/net/failover/relay.c')

/**
 * Puts the distance between `near` and `far`, two devices of the host. Packets are routed twice, into the relay and out
 * of it, and come out of `FAR` (`NEAR`) on their way to `far` (`near`).
 */
export async function keepApart(
  host: Namespace,
  near: string,
  far: string,
  { delay, queue }: Distance,
): Promise<void> {
  const program = `${host.folder}/relay`
  await run(['cc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', program, SOURCE])
  const limits = queue === undefined ? [] : [queue.kbits, queue.ms]
  const relay = host.start('relay', [program, NEAR, FAR, ...[delay, ...limits].map(String)])
  await relay.waitForOutput(/ready/)
  await host.sysctl('net.ipv4.conf.all.rp_filter=0')
  const ways = [
    [near, NEAR, 101],
    [far, FAR, 102],
  ] as const
  for (const [from, into, table] of ways) {
    await host.ip(`link set ${into} up mtu 2000`)
    for (const family of ['-4', '-6']) {
      const ip = (...words: readonly string[]) => host.run(['ip', family, ...words])
      await ip('rule', 'add', 'priority', '100', 'iif', from, 'lookup', `${table}`)
      await ip('route', 'add', 'default', 'dev', into, 'table', `${table}`)
    }
  }
}
