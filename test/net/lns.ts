/** l2tpns: an LNS in user space, driven over its own command line. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as address from './addresses.ts'
import { Capture } from './capture.ts'
import type { Namespace } from './namespace.ts'
import type { Process } from './process.ts'
import { RADIUS_SECRET } from './radius.ts'
import { waitFor } from './wait.ts'

export interface LnsOptions {
  /** The tunnel secret; none is asked for or answered if left out. */
  readonly tunnelSecret?: string | undefined
  /** In its order of preference. */
  readonly auth?: readonly ('chap' | 'pap')[] | undefined
  /** Octets of the underlay's packets that it reckons with; its MRU is 38 less. */
  readonly mtu?: number
  /** Seconds of silence after which it gives a session up; 60 by default. */
  readonly idleTimeout?: number | undefined
  /** Also answer on IPv6, through a relay (l2tpns itself speaks IPv4 only on the outside). */
  readonly ipv6?: boolean
}

/** A line of `show session`. */
export interface LnsSession {
  readonly id: number
  readonly tunnel: number
  readonly user: string
  readonly ipv4: string
}

/** A line of `show tunnel`. */
export interface LnsTunnel {
  readonly id: number
  readonly hostName: string
  readonly peer: string
  readonly state: string
  readonly sessions: number
}

export class Lns {
  readonly namespace: Namespace
  readonly #options: LnsOptions
  readonly #folder: string
  #process: Process | undefined
  #relay: Process | undefined

  constructor(namespace: Namespace, options: LnsOptions) {
    this.namespace = namespace
    this.#options = options
    this.#folder = join(namespace.folder, 'l2tpns')
    mkdirSync(this.#folder)
    writeFileSync(join(this.#folder, 'startup-config'), startupConfig(this.#folder, options))
    writeFileSync(join(this.#folder, 'ip_pool'), `${address.tunnel.pool}\n`)
    writeFileSync(join(this.#folder, 'users'), '')
  }

  /** Starts it and waits until it answers calls: before it is master of its cluster of one it drops every SCCRQ. */
  async start(): Promise<void> {
    const command = ['l2tpns', '-c', '/etc/l2tpns/startup-config']
    this.#process = this.namespace.start('l2tpns', command, { mounts: { '/etc/l2tpns': this.#folder } })
    if (this.#options.ipv6 === true && this.#relay === undefined) {
      const listen = `UDP6-LISTEN:1701,fork,bind=[${address.lns.ipv6}],ipv6only=1`
      this.#relay = this.namespace.start('socat', ['socat', listen, `UDP4:${address.lns.ipv4}:1701`])
    }
    await this.#process.waitForOutput(/declaring myself the master/)
  }

  /** Ends it at once; nothing goes out on the wire. */
  async kill(): Promise<void> {
    await this.#process?.stop('SIGKILL')
    this.#process = undefined
  }

  get running(): boolean {
    return this.#process?.running ?? false
  }

  /** What it logged since its start. */
  get log(): string {
    return this.#process?.output ?? ''
  }

  /** Gives a line to its command line and returns the answer. */
  async cli(line: string): Promise<string> {
    // Only CR: an LF left unread when it quits resets the connection, and the end of the answer is lost.
    const input = `enable\r${line}\rquit\r`
    const { stdout } = await this.namespace.run(['socat', '-t', '3', '-', 'TCP4:127.0.0.1:23'], { input })
    if (/Invalid command|Access denied/i.test(stdout)) throw new Error(`${line}: ${stdout}`)
    return stdout
  }

  async sessions(): Promise<LnsSession[]> {
    const rows = rowsOf(await this.cli('show session'), /^ *(\d+) +\d+ +(\d+) (.+?) +([\d.]+) +[YN] /gm)
    return rows.map(([id, tunnel, user = '', ipv4 = '']) => ({
      id: Number(id),
      tunnel: Number(tunnel),
      user,
      ipv4,
    }))
  }

  /** The user's session with an address; one without is not up yet, or was closed and is kept for a while. */
  async session(user: string): Promise<LnsSession | undefined> {
    return (await this.sessions()).find((session) => session.user === user && session.ipv4 !== '0.0.0.0')
  }

  async tunnels(): Promise<LnsTunnel[]> {
    const rows = rowsOf(await this.cli('show tunnel'), /^ *(\d+) +(\S*) +([\d.]+) +(\S+) +(\d+)\b/gm)
    return rows.map(([id, hostName = '', peer = '', state = '', sessions]) => ({
      id: Number(id),
      hostName,
      peer,
      state,
      sessions: Number(sessions),
    }))
  }

  /** From which address the user's tunnel comes. */
  async peerOf(user: string): Promise<string | undefined> {
    const session = await this.session(user)
    return (await this.tunnels()).find(({ id }) => id === session?.tunnel)?.peer
  }

  /** Ends the user's session with a CDN; the tunnel stays. */
  async dropSession(user: string): Promise<void> {
    await this.cli(`drop session ${(await this.#expect(user)).id}`)
  }

  /** Ends the tunnel of the user's session with a StopCCN. */
  async dropTunnel(user: string): Promise<void> {
    await this.cli(`drop tunnel ${(await this.#expect(user)).tunnel}`)
  }

  /** Waits until the user has a session with an address. */
  waitForSession(user: string): Promise<LnsSession> {
    return waitFor(`a session of ${user} at the LNS`, () => this.session(user))
  }

  /** Waits until the user has no session left. */
  async waitForNoSession(user: string): Promise<void> {
    await waitFor(`no session of ${user} at the LNS`, async () => (await this.session(user)) === undefined)
  }

  /** Records its L2TP packets until stopped. */
  capture(file: string): Promise<Capture> {
    return Capture.start(this.namespace, 'isp0', 'udp port 1701', file)
  }

  async #expect(user: string): Promise<LnsSession> {
    const session = await this.session(user)
    if (session === undefined) throw new Error(`the LNS has no session of ${user}`)
    return session
  }
}

/** The groups of each line that fits; the heading does not. */
function rowsOf(text: string, pattern: RegExp): string[][] {
  return [...text.matchAll(pattern)].map(([, ...groups]) => groups)
}

function startupConfig(folder: string, options: LnsOptions): string {
  const { idleTimeout = 60 } = options
  const settings: Record<string, string | number> = {
    debug: 3,
    pid_file: `"${folder}/l2tpns.pid"`,
    hostname: '"lns.example"',
    ...(options.tunnelSecret === undefined ? {} : { l2tp_secret: `"${options.tunnelSecret}"` }),
    l2tp_mtu: options.mtu ?? 1500,
    primary_dns: address.tunnel.dns[0],
    secondary_dns: address.tunnel.dns[1],
    primary_radius: '127.0.0.1',
    primary_radius_port: 1812,
    radius_secret: `"${RADIUS_SECRET}"`,
    radius_authtypes: `"${(options.auth ?? ['chap', 'pap']).join(', ')}"`,
    radius_accounting: 'no',
    bind_address: address.lns.ipv4,
    peer_address: address.tunnel.lns,
    iftun_address: address.tunnel.lns,
    cli_bind_address: '127.0.0.1',
    tundevicename: '"lnstun"',
    send_garp: 'no',
    cluster_interface: '"lo"',
    cluster_hb_interval: 1,
    cluster_hb_timeout: 1,
    ipv6_prefix: address.tunnel.ipv6Prefix,
    primary_ipv6_dns: address.tunnel.ipv6Dns,
    echo_timeout: Math.min(10, idleTimeout / 4),
    idle_echo_timeout: idleTimeout,
    ppp_keepalive: 'yes',
    throttle_speed: 0,
  }
  return Object.entries(settings)
    .map(([name, value]) => `set ${name} ${value}\n`)
    .join('')
}
