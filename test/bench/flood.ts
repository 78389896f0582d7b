/**
 * `npm run bench:flood`: how late a daemon with a session answers on its control socket while it is flooded with packets of
 * each kind, and how long it takes to end. An answer takes the event loop at least one turn: timers are late by less. Prints;
 * asserts nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import * as address from '../net/addresses.ts'
import { ask } from '../net/control.ts'
import type { Lifeline } from '../net/lifeline.ts'
import { run } from '../net/process.ts'
import { DEVICE, LINE, lineOf, subscriber, TUNNEL_SECRET } from '../net/scenario.ts'
import { buildNetwork } from '../net/topology.ts'

const RATE = Number(process.argv[2] ?? 50_000)
/** s of each flood. */
const SPAN = 5
const UDP = 17
const ICMP = 1

const hex = (...octets: readonly number[]) =>
  octets.map((octet) => octet.toString(16).padStart(2, '0')).join('')
const two = (value: number) => hex((value >> 8) & 0xff, value & 0xff)

const alice = subscriber('alice', 1)
const net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET, openInternet: false })
try {
  const program = `${net.folder}/flood`
  await run([
    'cc',
    '-O2',
    '-D_GNU_SOURCE',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-o',
    program,
    'test/bench/flood.c',
  ])
  const lifeline = net.router.lifeline({ config: lineOf(alice) })
  const [line] = net.uplinks
  const here = line.ipv4
  await measure('nothing', lifeline, undefined)
  for (const [kind, protocol, make] of KINDS()) {
    await lifeline.waitForUp(LINE)
    const payload = make(await keysOf(lifeline))
    await measure(kind, lifeline, [
      program,
      String(SPAN),
      String(RATE),
      String(protocol),
      address.lns.ipv4,
      here,
      payload,
    ])
  }
  await lifeline.waitForUp(LINE)
  const [, , last] = KINDS()[0] ?? []
  const payload = last?.(await keysOf(lifeline)) ?? ''
  net.lns.namespace.start('flood', [
    program,
    '20',
    String(RATE),
    String(UDP),
    address.lns.ipv4,
    here,
    payload,
  ])
  await sleep(1000)
  const began = performance.now()
  await lifeline.stop()
  print('SIGTERM in the middle of a flood: ended after', `${(performance.now() - began).toFixed(0)} ms`)
} finally {
  await net.close()
}
process.exit()

interface Keys {
  readonly port: number
  readonly tunnel: number
  readonly session: number
}

/** What floods: the octets behind the IP header. */
function KINDS(): readonly (readonly [string, number, (keys: Keys) => string])[] {
  const udp = (port: number, payload: string) =>
    `${two(1701)}${two(port)}${two(8 + payload.length / 2)}0000${payload}`
  const control = (tunnel: number, body = '') =>
    `c802${two(12 + body.length / 2)}${two(tunnel)}0000${two(9)}${two(9)}${body}`
  const hello = hex(0x80, 8, 0, 0, 0, 0, 0, 6)
  const data = ({ tunnel, session }: Keys, frame: string) => `0002${two(tunnel)}${two(session)}ff03${frame}`
  const echo = `c021${hex(9, 1, 0, 8, 1, 2, 3, 4)}`
  return [
    ['control messages of our tunnel', UDP, (keys) => udp(keys.port, control(keys.tunnel, hello))],
    ['acknowledgements of our tunnel', UDP, (keys) => udp(keys.port, control(keys.tunnel))],
    ['control messages of another tunnel', UDP, (keys) => udp(keys.port, control(keys.tunnel ^ 1, hello))],
    ['control messages of tunnel 0', UDP, (keys) => udp(keys.port, control(0, hello))],
    ['LCP echoes', UDP, (keys) => udp(keys.port, data(keys, echo))],
    ['protocols nobody speaks', UDP, (keys) => udp(keys.port, data(keys, '80fd01010004'))],
    ['noise', UDP, (keys) => udp(keys.port, '0102030405060708')],
    ['echo replies', ICMP, () => hex(0, 0, 0xff, 0xff - 1, 0, 1, 0, 0)],
  ]
}

async function keysOf(lifeline: Lifeline): Promise<Keys> {
  const status = (await lifeline.status())?.tunnel[LINE]
  const { stdout } = await net.router.namespace.run(['ss', '-Hunp', 'dst', address.lns.ipv4])
  const port = Number(/:(\d+)\s+\S+:1701/.exec(stdout)?.[1])
  return { port, tunnel: status?.local?.tunnel_id ?? 0, session: status?.local?.session_id ?? 0 }
}

/** Asks ten times a second while somebody floods. */
async function measure(
  kind: string,
  lifeline: Lifeline,
  flood: readonly string[] | undefined,
): Promise<void> {
  await lifeline.waitForUp(LINE)
  const times: number[] = []
  const sending = flood && net.lns.namespace.run(flood)
  for (const until = performance.now() + SPAN * 1000; performance.now() < until; ) {
    const began = performance.now()
    await ask(lifeline.socket, 'status')
    times.push(performance.now() - began)
    await sleep(100)
  }
  const sent = Number((await sending)?.stdout ?? 0)
  const state = (await lifeline.status())?.tunnel[LINE]?.state
  const sorted = times.sort((a, b) => a - b)
  const at = (share: number) => `${sorted[Math.floor((sorted.length - 1) * share)]?.toFixed(0)} ms`
  print(
    `${kind} (${(sent / SPAN).toFixed(0)}/s)`,
    `median ${at(0.5)}, latest ${at(1)}; ${DEVICE} then ${state}`,
  )
}

function print(what: string, value: string): void {
  console.log(`${what.padEnd(60)} ${value}`)
}
