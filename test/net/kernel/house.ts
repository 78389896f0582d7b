/**
 * The house of the README in namespaces, with a provider whose routes the test sets.
 *
 *   lan                       router                          isp
 *   lan0 192.168.1.5 ------ br-lan 192.168.1.1
 *        2001:db8:2:1::5           2001:db8:2:1::1
 *                             pppoe-aaisp 203.0.113.10 ---- isp-f 192.0.2.1, fe80::1
 *                             wan-4g 10.64.0.2 ------------ isp-l 10.64.0.1, 2001:db8:4::1
 *                                    2001:db8:4::2
 *                             l2tp-aaisp ..... data ....... lns0
 *                                                           lo 9.9.9.9, 2620:fe::fe: the internet
 */
import { fileURLToPath } from 'node:url'
import { type Assembled, assemble, type Hosts } from '../assembly.ts'
import { join } from '../links.ts'
import type { Namespace } from '../namespace.ts'
import type { Process } from '../process.ts'
import { waitFor } from '../wait.ts'
import { type DictatedSession, KernelDaemon } from './kernel-daemon.ts'

export const INTERNET = '9.9.9.9'
export const INTERNET6 = '2620:fe::fe'
export const SHARED = '203.0.113.10'
export const LAN_HOST = '192.168.1.5'
export const LAN_HOST6 = '2001:db8:2:1::5'
export const PREFIX = '2001:db8:2::/56'

export const SESSION: DictatedSession = {
  mtu: 1462,
  ipv4: { address: SHARED, peer: '203.0.113.1' },
  ipv6: { interfaceId: '020a0000000000aa', addresses: [] },
  underlay: { device: 'wan-4g', server: '10.64.0.1' },
}

const PORT = 50_001

/** The house, until it is closed. */
export type BuiltHouse = House & Assembled

export class House {
  readonly lan: Namespace
  readonly router: Namespace
  readonly isp: Namespace
  readonly #daemons: KernelDaemon[] = []

  private constructor({ lan, router, isp }: Hosts<'lan' | 'router' | 'isp'>) {
    this.lan = lan
    this.router = router
    this.isp = isp
  }

  static build(): Promise<BuiltHouse> {
    return assemble(['lan', 'router', 'isp'], async (hosts, atEnd) => {
      const house = new House(hosts)
      atEnd(async () => {
        for (const daemon of house.#daemons) await daemon.kill()
      })
      await house.#wire()
      return house
    })
  }

  async #wire(): Promise<void> {
    const { lan, router, isp } = this
    for (const host of [lan, router, isp]) {
      await host.ip('link set lo up')
      await host.sysctl(
        'net.ipv4.ip_forward=1',
        'net.ipv6.conf.all.forwarding=1',
        'net.ipv4.conf.all.rp_filter=0',
        'net.ipv4.conf.default.rp_filter=0',
        'net.ipv4.icmp_ratelimit=0',
        'net.ipv6.icmp.ratelimit=0',
      )
    }
    await join(router, 'br-lan', lan, 'lan0')
    await join(router, 'pppoe-aaisp', isp, 'isp-f')
    await join(router, 'wan-4g', isp, 'isp-l')
    await isp.ip(`addr add ${INTERNET}/32 dev lo`, `addr add ${INTERNET6}/128 dev lo`)
    await router.ip(
      ...['br-lan', 'pppoe-aaisp', 'wan-4g'].map((device) => `link set ${device} addrgenmode none`),
      'addr add 192.168.1.1/24 dev br-lan',
      'addr add 2001:db8:2:1::1/64 dev br-lan nodad',
      `addr add ${SHARED}/32 dev pppoe-aaisp`,
      'addr add fe80::2/64 dev pppoe-aaisp nodad',
      'addr add 10.64.0.2/24 dev wan-4g',
      'addr add 2001:db8:4::2/64 dev wan-4g nodad',
      'link set br-lan up',
      'link set pppoe-aaisp mtu 1492 up',
      'link set wan-4g up',
      'route add default via 192.0.2.1 dev pppoe-aaisp onlink',
      'route add default via 10.64.0.1 dev wan-4g metric 700',
      'route add default via fe80::1 dev pppoe-aaisp',
      'route add default via 2001:db8:4::1 dev wan-4g metric 2000',
    )
    await isp.ip(
      'link set isp-f addrgenmode none up',
      'link set isp-l addrgenmode none up',
      'addr add 192.0.2.1/32 dev isp-f',
      'addr add fe80::1/64 dev isp-f nodad',
      'addr add 10.64.0.1/24 dev isp-l',
      'addr add 2001:db8:4::1/64 dev isp-l nodad',
    )
    await lan.ip(
      'link set lan0 addrgenmode none up',
      `addr add ${LAN_HOST}/24 dev lan0`,
      `addr add ${LAN_HOST6}/64 dev lan0 nodad`,
      'route add default via 192.168.1.1',
      'route add default via 2001:db8:2:1::1',
    )
    await this.provide('isp-f')
    await waitFor('the links', async () => {
      const links = await router.show<{ flags: string[]; ifname: string }[]>('link')
      return links.every(({ ifname, flags }) => ifname === 'lo' || flags.includes('LOWER_UP'))
    })
  }

  /** The provider sends the shared address, and the prefix of the LAN, over this device. */
  async provide(device: 'isp-f' | 'lns0'): Promise<void> {
    const via = device === 'isp-f' ? 'via fe80::2 dev isp-f' : 'dev lns0'
    await this.isp.ip(`route replace ${SHARED}/32 dev ${device}`, `route replace ${PREFIX} ${via}`)
  }

  daemon(): KernelDaemon {
    const daemon = new KernelDaemon(this.router)
    this.#daemons.push(daemon)
    return daemon
  }

  /** The other end of the tunnel's data path, whose datagrams go over 4G; `position` of several. */
  async farEnd(daemon: KernelDaemon, tunnel = 'l2tp-aaisp', position = 0): Promise<Process> {
    const program = fileURLToPath(new URL('far-end.ts', import.meta.url))
    const [port, name] = [PORT + position, `lns${position}`]
    const words = [name, 'isp-l', String(port), '10.64.0.2', String(port)]
    const end = this.isp.start(name, [process.execPath, '--import', 'tsx', program, ...words])
    await end.waitForOutput(/carrying/)
    await this.isp.ip(`link set ${name} addrgenmode none mtu 1462 up`)
    await daemon.ask({
      do: 'carry',
      tunnel,
      from: { device: 'wan-4g', port },
      to: { host: '10.64.0.1', port },
    })
    return end
  }
}

/** Echoes lines on a TCP port, of both families. */
export async function echo(namespace: Namespace, port: number): Promise<Process> {
  const server = namespace.start(`echo on ${port}`, [
    process.execPath,
    '-e',
    `require('net').createServer((s) => { s.pipe(s); s.on('error', () => {}) }).listen(${port}, '::', () => console.log('listening'))`,
  ])
  await server.waitForOutput(/listening/)
  return server
}

/** A TCP connection over which a line goes every 5 ms and comes back; its output is the longest gap so far, in ms. */
export class Flow {
  readonly #process: Process

  private constructor(process: Process) {
    this.#process = process
  }

  static async open(namespace: Namespace, host: string, port: number): Promise<Flow> {
    const script = `
      const socket = require('net').connect({ host: '${host}', port: ${port} })
      let last, gap = 0, count = 0
      socket.setNoDelay(true)
      socket.on('connect', () => { console.log('connected'); last = performance.now()
        setInterval(() => socket.write('x'), 5) })
      socket.on('data', (data) => { const now = performance.now(); gap = Math.max(gap, now - last); last = now; count += data.length })
      socket.on('error', (error) => { console.log('failed ' + error.code); process.exit(1) })
      socket.on('close', () => process.exit(1))
      process.stdin.on('data', () => { console.log('count ' + count + ' gap ' + Math.round(Math.max(gap, performance.now() - last)) + ' end'); gap = 0 })`
    const flow = new Flow(namespace.start(`flow to ${host}`, [process.execPath, '-e', script]))
    await flow.#process.waitForOutput(/connected/)
    return flow
  }

  /** Octets that came back so far, and the longest silence since the last question. */
  async ask(): Promise<{ count: number; gap: number }> {
    const from = this.#process.output.length
    this.#process.write('\n')
    const [, count, gap] = await waitFor('the flow to answer', () => {
      if (!this.#process.running) throw new Error('the connection has ended')
      return /count (\d+) gap (\d+) end/.exec(this.#process.output.slice(from)) ?? undefined
    })
    return { count: Number(count), gap: Number(gap) }
  }

  async close(): Promise<void> {
    await this.#process.stop('SIGKILL')
  }
}

/**
 * How a connection attempt ends: `connected`, `silence`, or the errno name. `within` is how many ms silence is listened to;
 * left out where there is an answer, which may take its time on a slow machine.
 */
export async function connect(
  namespace: Namespace,
  host: string,
  port: number,
  options: { readonly from?: string; readonly within?: number } = {},
): Promise<{ outcome: string }> {
  const script = `
    const end = (outcome) => { console.log(JSON.stringify({ outcome })); process.exit() }
    const socket = require('net').connect({ host: '${host}', port: ${port}${options.from ? `, localAddress: '${options.from}'` : ''} })
    socket.on('error', (error) => end(error.code))
    socket.on('connect', () => socket.write('x'))
    socket.on('data', () => end('connected'))
    setTimeout(() => end('silence'), ${options.within ?? 40_000})`
  const { stdout } = await namespace.run([process.execPath, '-e', script])
  return JSON.parse(stdout)
}
