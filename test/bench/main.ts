/** `npm run bench`: what a tunnel costs and how fast it is, against l2tpns on this machine. Prints; asserts nothing. */
import { readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import * as address from '../net/addresses.ts'
import type { Lifeline } from '../net/lifeline.ts'
import { Authority } from '../net/mqtt/certificates.ts'
import { Mosquitto } from '../net/mqtt/mosquitto.ts'
import type { Namespace } from '../net/namespace.ts'
import { PROGRAM } from '../net/router.ts'
import { LINE, lineOf, subscriber, TUNNEL_SECRET } from '../net/scenario.ts'
import { timedDial } from '../net/timing.ts'
import { buildNetwork } from '../net/topology.ts'

const DIALS = 10
const PINGS = 500
/** s for which the idle daemon is watched, and for which each direction is loaded. */
const IDLE = 20
const LOAD = 5

const alice = subscriber('alice', 1)
/** Clock ticks a second in /proc/PID/stat. */
const TICKS = 100

const net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET, openInternet: false })
try {
  print('size of dist/lifeline', `${(statSync(PROGRAM).size / 1000).toFixed(0)} kB`, 'under 400')
  await dials()
  const { lifeline } = await timedDial(net, alice, () => {})
  await idle(lifeline)
  await pings()
  await load('upload', net.router.namespace, [])
  await load('download', net.router.namespace, ['-R'])
  await lifeline.stop()
  await idleWithBroker()
} finally {
  await net.close()
}
process.exit()

async function dials(): Promise<void> {
  const times = []
  for (let count = 0; count < DIALS; count++) {
    const time = await timedDial(net, alice, () => {})
    times.push(time)
    await time.lifeline.stop()
  }
  const range = (values: readonly number[]) => {
    const sorted = [...values].sort((a, b) => a - b)
    return `${sorted[0]?.toFixed(0)} / ${sorted[Math.floor(sorted.length / 2)]?.toFixed(0)} ms (best / median of ${DIALS})`
  }
  print('run -> first ping', range(times.map(({ runToPing }) => runToPing)), 'under 150')
  print('dialling -> up', range(times.map(({ diallingToUp }) => diallingToUp)), 'under 40')
}

async function idle({ process: { pid } }: Lifeline): Promise<void> {
  const before = ticksOf(pid)
  await sleep(IDLE * 1000)
  const percent = ((ticksOf(pid) - before) / TICKS / IDLE) * 100
  print('memory of the connected daemon', memoryOf(pid), 'at most 50')
  print('CPU of the connected, idle daemon', `${percent.toFixed(1)} %`)
}

/** The same with a broker in the LAN, over TLS. */
async function idleWithBroker(): Promise<void> {
  const authority = await Authority.create(net.folder, 'home')
  const tls = await authority.sign('broker', [`IP:${address.lan.ipv4}`])
  const broker = new Mosquitto(net.lan, { port: 8883, tls })
  await broker.start()
  const home = { url: `mqtts://${address.lan.ipv4}`, ca_file: authority.ca }
  const lifeline = net.router.lifeline({ config: { ...lineOf(alice), mqtt: { home } } })
  await lifeline.waitForUp(LINE)
  await lifeline.process.waitForOutput(/connected to the broker/)
  await sleep(IDLE * 1000)
  print('the same with MQTT over TLS', memoryOf(lifeline.process.pid), 'at most 52, private 15')
  await lifeline.stop()
  await broker.stop()
}

/** The kernel's kB are of 1024 octets, our MB of a million. */
function memoryOf(pid: number): string {
  const memory = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (name: string) =>
    `${((Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(memory)?.[1] ?? 0) * 1024) / 1e6).toFixed(1)} MB`
  return `${megabytes('Rss')}, of which private ${megabytes('Private_Dirty')}`
}

async function pings(): Promise<void> {
  const { times } = await net.router.ping(address.internet.ipv4, {
    count: PINGS,
    interval: 0.005,
    from: alice.ipv4,
  })
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]?.toFixed(2)
  print(
    'ping through tunnel and LNS',
    `${at(0.5)} / ${at(0.99)} ms (median / 99 %), ${times.length} of ${PINGS} answered`,
  )
}

/** One TCP flow. l2tpns is one thread in user space itself, so that this is as much its speed as ours. */
async function load(name: string, from: Namespace, options: readonly string[]): Promise<void> {
  const server = net.internet.namespace.start('iperf3', ['iperf3', '-s', '-1', '--forceflush'])
  await server.waitForOutput(/listening/)
  const { stdout } = await from.run(
    ['iperf3', '-J', '-c', address.internet.ipv4, '-B', alice.ipv4, '-t', `${LOAD}`, ...options],
    { mayFail: true },
  )
  await server.stop('SIGKILL')
  const bits: number | undefined = JSON.parse(stdout).end?.sum_received?.bits_per_second
  print(`TCP ${name}, one flow`, bits === undefined ? 'failed' : `${(bits / 1e6).toFixed(0)} Mb/s`)
}

/** The CPU time that a process has used. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}

function print(what: string, value: string, wanted = ''): void {
  console.log(`${what.padEnd(36)} ${value}${wanted === '' ? '' : `   (wanted: ${wanted})`}`)
}
