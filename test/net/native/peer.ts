/** The other end of a session, made by hand: a UDP socket that speaks L2TP data messages, and a TUN device to attach. */
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import type { DataPath, DataSession, TunDevice } from '../../../src/app/tuns.ts'
import type { Address } from '../../../src/core/endpoint.ts'
import { NativeDataPaths } from '../../../src/host/data-paths.ts'
import { NativeDatagrams } from '../../../src/host/datagrams.ts'
import { loadAddon } from '../../../src/host/native.ts'
import { NativeTuns } from '../../../src/host/tuns.ts'
import { type DataPathBench, OURS, THEIRS } from '../../data-path.ts'
import { link, run, until } from './namespace.ts'
import { type DataForm, dataMessage, ipv4Udp } from './packets.ts'

export const LOCAL = [10, 9, 0, 2] as const
export const REMOTE = [10, 9, 0, 1] as const
export const LOCAL6 = [0x20, 0x01, 0x0d, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2] as const
export const REMOTE6 = [0x20, 0x01, 0x0d, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] as const

export class Bench implements DataPathBench {
  readonly tun: TunDevice
  readonly datagrams = new NativeDatagrams(loadAddon())
  /** What came to JS on the session's socket. */
  readonly toJs: Uint8Array[] = []
  readonly errors: string[] = []
  gone = 0
  #path: DataPath | undefined
  readonly #stranger = createSocket('udp4')
  readonly socket
  /** The far UDP end, what it received, and the application behind the device. */
  readonly peer: Socket
  readonly received: Uint8Array[] = []
  peerClosed = false
  readonly application: Socket
  readonly delivered: string[] = []
  readonly session: DataSession

  static async make(t: TestContext, device: string, change: Partial<DataSession> = {}): Promise<Bench> {
    const peer = createSocket({ type: 'udp4', recvBufferSize: 4_000_000 })
    peer.bind(0, '127.0.0.1')
    await once(peer, 'listening')
    const application = createSocket({ type: 'udp4', recvBufferSize: 4_000_000 })
    const bench = new Bench(device, peer, application, change)
    t.after(() => bench.#close())
    run(`ip addr add ${LOCAL.join('.')}/32 peer ${REMOTE.join('.')}/32 dev ${device}`)
    run(`ip -6 addr add 2001:db8:9::2/64 dev ${device} nodad`)
    run(`ip link set ${device} up mtu 1462`)
    bench.tun.setCarrier(true)
    // The kernel drops what is sent between the carrier's coming and this.
    await until(() => link(device)?.operstate === 'UP', 'the device is operational')
    application.bind(7000, LOCAL.join('.'))
    await once(application, 'listening')
    return bench
  }

  private constructor(device: string, peer: Socket, application: Socket, change: Partial<DataSession>) {
    this.tun = new NativeTuns(loadAddon()).open(device, () => this.gone++)
    this.peer = peer
    this.application = application
    peer.on('close', () => {
      this.peerClosed = true
    })
    peer.on('message', (message) => this.received.push(message))
    application.on('message', (message) => this.delivered.push(message.toString()))
    this.socket = this.datagrams.open({
      family: 4,
      source: '127.0.0.1',
      onMessage: (_, bytes) => this.toJs.push(bytes),
      onError: (code) => this.errors.push(code),
    })
    this.session = {
      socket: this.socket,
      peer: this.peerAddress,
      localTunnelId: OURS.tunnel,
      localSessionId: OURS.session,
      peerTunnelId: THEIRS.tunnel,
      peerSessionId: THEIRS.session,
      mtu: 1462,
      sequencing: false,
      ipv4: true,
      ipv6: true,
      ...change,
    }
  }

  get peerAddress(): Address {
    return { host: '127.0.0.1', port: this.peer.address().port }
  }

  attach(change: Partial<DataSession> = {}): DataPath {
    this.#path = new NativeDataPaths(loadAddon()).attach(this.tun, { ...this.session, ...change })
    return this.#path
  }

  /** The data path that was attached last. */
  get path(): DataPath {
    assert.ok(this.#path)
    return this.#path
  }

  /** The peer sends any octets to our socket. */
  fromPeer(bytes: Uint8Array): void {
    this.peer.send(bytes, this.socket.local.port, '127.0.0.1')
  }

  /** Somebody else does. */
  fromStranger(bytes: Uint8Array): void {
    this.#stranger.send(bytes, this.socket.local.port, '127.0.0.1')
  }

  /** The peer sends a text to the application, inside a data message of this form. */
  dataFromPeer(text: string, form: Partial<DataForm> = {}): void {
    const packet = ipv4Udp(REMOTE, LOCAL, [7001, 7000], new TextEncoder().encode(text))
    this.fromPeer(dataMessage({ ...OURS, ...form }, packet))
  }

  /** The application sends a text through the device. */
  fromApplication(text: string): void {
    this.application.send(text, 7001, REMOTE.join('.'))
  }

  /** The texts in what the peer received, UDP in IPv4 behind `header` octets of L2TP and PPP. */
  textsAtPeer(header = 10): string[] {
    return this.received
      .filter((message) => message[header] === 0x45 && message[header + 9] === 17)
      .map((message) => new TextDecoder().decode(message.subarray(header + 28)))
  }

  until(condition: () => boolean, what: string): Promise<void> {
    return until(condition, what)
  }

  async dropped(direction: 'rx' | 'tx', count: number): Promise<void> {
    await until(() => this.tun.counters()[direction].dropped >= count, `${count} are dropped`)
    assert.equal(this.tun.counters()[direction].dropped, count)
  }

  #close(): void {
    this.tun.destroy()
    this.socket.close()
    this.application.close()
    this.#stranger.close()
    if (!this.peerClosed) this.peer.close()
  }
}
