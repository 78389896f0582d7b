import assert from 'node:assert/strict'
import type { Gate } from '../../src/app/tunnel/gate.ts'
import type { TunnelConfig } from '../../src/core/config/types.ts'
import { SimLns, type SimLnsOptions } from './lns.ts'
import { Network, type Path } from './network.ts'
import { SimRouter } from './router.ts'
import { Wire } from './wire.ts'

/** Where the router of a world sends from. */
export const CLIENT = '192.0.2.2'
/** 40 ms there and back, nothing lost, nothing out of order. */
export const GOOD_PATH: Path = { delay: 20 }

export interface World {
  readonly network: Network
  readonly wire: Wire
  readonly lns: SimLns
  readonly router: SimRouter
}

/** One router that begins to dial one LNS at 0. */
export function world(
  seed: number,
  options: {
    tunnel?: Partial<TunnelConfig>
    lns?: SimLnsOptions
    path?: Path
    /** Hosts that answer with "port unreachable". */
    closedHosts?: readonly string[]
    /** Hosts to which a firewall of the router lets nothing out. */
    forbiddenHosts?: readonly string[]
    /** What every dial waits for. */
    gates?: readonly Gate[]
    /** Data paths carry packets in batches of so many ms; left out, one by one. */
    batches?: number
  } = {},
): World {
  const network = new Network(seed, options.path ?? GOOD_PATH)
  const wire = new Wire(network)
  const lns = new SimLns(network, seed, options.lns)
  const router = new SimRouter(network, seed, options.tunnel, undefined, options)
  for (const host of options.closedHosts ?? []) router.machine.refusing.add(host)
  for (const host of options.forbiddenHosts ?? []) router.machine.forbidden.add(host)
  router.machine.add('fibre', [CLIENT])
  router.supervisor.want('session')
  return { network, wire, lns, router }
}

/** Lets time pass until the tunnel is up; gives how long that took in ms. */
export async function upWithin(
  { network, router }: { network: Network; router: SimRouter },
  ms: number,
): Promise<number> {
  const began = network.now
  const up = await network.run(began + ms, () => router.up)
  assert.ok(up, `not up within ${ms} ms: ${JSON.stringify(router.status.events, null, 1)}`)
  return network.now - began
}

/** Lets a promise come to its end in virtual time; gives how long that took in ms. */
export async function within<T>(network: Network, ms: number, promise: Promise<T>): Promise<number> {
  const began = network.now
  let done = false
  void promise.then(() => {
    done = true
  })
  assert.ok(await network.run(began + ms, () => done), `not done within ${ms} ms`)
  return network.now - began
}

/** Lets time pass until all goodbyes are said: one session, one socket, one peer are left. */
export async function settled({ network, lns, router }: World, ms = 150_000): Promise<void> {
  assert.equal(await network.run(network.now + ms, () => !router.up), false, 'the session stays')
  assert.equal(router.machine.openSockets, 1, 'sockets')
  assert.equal(lns.peers, 1, 'peers of the LNS')
}

/** The instants at which dials began: retransmissions of one SCCRQ come from one port. */
export function dials(wire: Wire, host = CLIENT): number[] {
  const ports = new Set<number>()
  return wire.sent('SCCRQ', host).flatMap(({ at, from }) => {
    if (ports.has(from.port)) return []
    ports.add(from.port)
    return [at]
  })
}
