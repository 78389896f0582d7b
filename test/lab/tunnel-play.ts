/** What happens in the lab: a network is built, a tunnel dialled, used, lost, found again and closed. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusEvent } from '../../src/core/status/event.ts'
import type { TunnelStatus } from '../../src/core/status/status.ts'
import { ofKind } from '../events.ts'
import * as address from '../net/addresses.ts'
import { differences, type KernelState, kernelState } from '../net/kernel-state.ts'
import type { Lifeline } from '../net/lifeline.ts'
import { buildNetwork, type Network } from '../net/topology.ts'
import { waitFor } from '../net/wait.ts'
import { PingStream } from './ping-stream.ts'
import type { Teller } from './story.ts'
import { picture } from './tunnel-picture.ts'

export const TUNNEL = 'lab'
const USER = {
  name: 'alice@example',
  password: 'wonderland',
  ipv4: '203.0.113.10',
  ipv6: '2001:db8:1::10',
  prefix: '2001:db8:2::/56',
}
const SECRET = 'tunnelsecret'
const SERVER = 'lns.example'
const SSH = 22
/** ms for which a stranger waits for an answer. */
const STRANGERS_PATIENCE = 1000

/** The configuration that the lab runs. */
export const CONFIG = {
  tunnel: {
    [TUNNEL]: {
      server: SERVER,
      username: USER.name,
      password: USER.password,
      tunnel_secret: SECRET,
    },
  },
} as const

export interface Scene {
  readonly net: Network
  readonly lifeline: Lifeline
  /** The router without it. */
  readonly before: KernelState
  /** Ends watching it. */
  readonly end: () => void
}

/** Builds, dials, pings, and sees a dropped session come back. Throws if something does not work. */
export async function play(teller: Teller, onNetwork: (net: Network) => void): Promise<Scene> {
  teller.picture(picture(undefined))
  const net = await build(teller)
  onNetwork(net)
  const before = await kernelState(net.router.namespace)
  const watching = new AbortController()
  const lifeline = net.router.lifeline({ config: CONFIG })
  const watcher = watch(lifeline, teller, watching.signal)
  await dial(teller, lifeline, watcher)
  const pings = new PingStream(net.router.namespace, USER.ipv4, address.internet.ipv4, (pongs) =>
    teller.pings(pongs),
  )
  await usePing(teller, net, pings)
  await knock(teller, net)
  await dropAndRecover(teller, net, lifeline, watcher, pings)
  return {
    net,
    lifeline,
    before,
    end: () => {
      pings.stop()
      watching.abort()
    },
  }
}

/** Stops the daemon in good order and looks whether anything of it is left. */
export async function closeDown(teller: Teller, { net, lifeline, before, end }: Scene): Promise<void> {
  end()
  await teller.step('stop lifeline (SIGTERM)', async () => {
    const code = await lifeline.stop()
    teller.picture(picture(undefined))
    if (code !== 0) throw new Error(`lifeline ended with exit code ${code}`)
    await net.lns.waitForNoSession(USER.name)
    const left = differences(before, await kernelState(net.router.namespace))
    if (left.length > 0) throw new Error(`the router is not as it was:\n${left.join('\n')}`)
    return 'the LNS was told; links, addresses, routes, rules and filters are as before'
  })
}

async function build(teller: Teller): Promise<Network> {
  let net: Network | undefined
  await teller.step('build the network: five namespaces, l2tpns, FreeRADIUS', async () => {
    net = await buildNetwork({ users: [USER], tunnelSecret: SECRET, names: { [SERVER]: [address.lns.ipv4] } })
    return ''
  })
  if (net === undefined) throw new Error('no network')
  return net
}

interface Watcher {
  /** The events so far. */
  readonly events: readonly StatusEvent[]
  /** Waits for the tunnel to enter `up` after event number `after`. */
  up(after: number): Promise<StatusEvent>
}

function watch(lifeline: Lifeline, teller: Teller, signal: AbortSignal): Watcher {
  const events: StatusEvent[] = []
  const failed = lifeline.follow((event) => {
    events.push(event)
    teller.event(event)
    lifeline.status().then(
      (status) => teller.picture(picture(status?.tunnel[TUNNEL])),
      () => {},
    )
  }, signal)
  return {
    events,
    async up(after) {
      const look = () => {
        if (!lifeline.process.running) throw new Error(`lifeline has ended:\n${lifeline.log.slice(-2000)}`)
        return ofKind(events, 'state').find(({ seq, state }) => seq > after && state === 'up')
      }
      const seen = waitFor('the tunnel to be up', look, {
        every: 5,
        explain: () => lifeline.log.slice(-2000),
      })
      return Promise.race([seen, failed.then(() => seen)])
    },
  }
}

async function dial(teller: Teller, lifeline: Lifeline, watcher: Watcher): Promise<void> {
  await teller.step(`lifeline run: dial ${SERVER} as ${USER.name}`, async () => {
    const startedAt = new Date(performance.timeOrigin + lifeline.startedAt)
    await watcher.up(0)
    detailStates(teller, startedAt, watcher.events)
    // IPv6 comes a moment later, with the first Router Advertisement.
    const hasIpv6 = ({ ipv6 }: TunnelStatus) => ipv6.addresses.length > 0
    return describe(await lifeline.waitForTunnel(TUNNEL, 'to have IPv6', hasIpv6))
  })
}

/** One line for each state that the tunnel went through, with the time that it took. */
function detailStates(teller: Teller, from: Date, events: readonly StatusEvent[]): void {
  const states = ofKind(events, 'state').filter(({ tunnel }) => tunnel === TUNNEL)
  states.reduce<[string, Date]>(
    ([state, since], event) => {
      const at = new Date(event.at)
      teller.detail({ text: state, took: Math.max(0, at.getTime() - since.getTime()) })
      return [event.state, at]
    },
    ['start of the program', from],
  )
}

function describe(tunnel: TunnelStatus): string {
  const words = [
    tunnel.ipv4.address,
    ...tunnel.ipv6.addresses.filter((text) => !text.startsWith('fe80')),
    `login by ${tunnel.auth}`,
    `MTU ${tunnel.mtu}`,
  ]
  return words.filter((word) => word !== null).join(', ')
}

async function usePing(teller: Teller, net: Network, pings: PingStream): Promise<void> {
  await teller.step(`ping ${address.internet.ipv4} through the tunnel`, async () => {
    await waitFor('20 answers', () => pings.answered >= 20)
    return `${pings.answered} of ${pings.sent} answered, fastest ${pings.fastest.toFixed(2)} ms`
  })
  await teller.step(`ping ${address.internet.ipv6} through the tunnel`, async () => {
    const reached = async () => {
      const { received, times } = await net.router.ping(address.internet.ipv6, {
        count: 5,
        from: `l2tp-${TUNNEL}`,
      })
      return received > 0 && times
    }
    const times = await waitFor('an IPv6 answer', reached)
    return `${times.length} of 5 answered, fastest ${Math.min(...times).toFixed(2)} ms`
  })
}

/** A server listens on the router; a stranger must not get through to it. */
async function knock(teller: Teller, net: Network): Promise<void> {
  await teller.step(`a stranger knocks at ${USER.ipv4} port ${SSH}, where a server listens`, async () => {
    const server = net.router.namespace.start('server', [
      'socat',
      '-d',
      '-d',
      `TCP-LISTEN:${SSH},fork`,
      'PIPE',
    ])
    await server.waitForOutput(/listening on/)
    const patience = STRANGERS_PATIENCE / 1000
    const knocking = ['socat', '-u', `TCP:${USER.ipv4}:${SSH},connect-timeout=${patience}`, '-']
    const { code, stderr } = await net.internet.namespace.run(knocking, { mayFail: true, timeout: 10_000 })
    await server.stop()
    if (code === 0 || !/timed out/i.test(stderr)) throw new Error(`the stranger was answered: ${stderr}`)
    return 'nobody answered'
  })
}

async function dropAndRecover(
  teller: Teller,
  net: Network,
  lifeline: Lifeline,
  watcher: Watcher,
  pings: PingStream,
): Promise<void> {
  await teller.step('the LNS drops the session', async () => {
    const last = watcher.events.at(-1)?.seq ?? 0
    const answered = pings.answered
    await net.lns.dropSession(USER.name)
    const up = await watcher.up(last)
    const lost = watcher.events.find(({ seq, event }) => seq > last && event === 'state')
    await waitFor('the ping to go on', () => pings.answered >= answered + 10)
    await sleep(500)
    const outage = new Date(up.at).getTime() - new Date(lost?.at ?? up.at).getTime()
    const error = (await lifeline.status())?.tunnel[TUNNEL]?.last_error
    if (error) teller.detail({ text: error.message })
    return `up again after ${outage} ms, ${pings.lost} pings lost`
  })
}
