/** The addon without a kernel: it notes what it is asked for, answers as it is told, and the test makes things arrive. */
import type { Addon, Arrival, Handle, OnArrivals } from '../../src/host/native.ts'

type Kind = 'datagram' | 'icmp' | 'netlink' | 'tcp' | 'tun'

/** Errors that tests answer with, in the numbers that they have here whatever the CPU. */
const NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  16: 'EBUSY',
  19: 'ENODEV',
  22: 'EINVAL',
  77: 'EBADFD',
  98: 'EADDRINUSE',
  100: 'ENETDOWN',
  111: 'ECONNREFUSED',
  113: 'EHOSTUNREACH',
}

/** One call of a function that changes something: its name, and what it was given besides functions. */
export type Call = readonly [name: string, ...given: unknown[]]

/** Handles are told by number, in the order in which they were opened; a handle that was never opened throws. */
export class FakeAddon implements Addon {
  readonly interface = 0
  readonly calls: Call[] = []
  /** Answers of functions, by name, instead of success: zero, or a negative errno number. */
  readonly answers: Partial<Record<keyof Addon, number>> = {}
  /** What the counters of a device say. */
  counted = {
    rxPackets: 0,
    rxOctets: 0,
    rxDropped: 0,
    txPackets: 0,
    txOctets: 0,
    txDropped: 0,
    received: 0,
  }
  readonly #arrivals: OnArrivals[] = []

  /** Makes something arrive at what was opened as the one of this number. */
  arrive(handle: number, ...arrivals: readonly Arrival[]): void {
    this.#arrivals[handle]?.(arrivals)
  }

  /** The calls since this was asked last. */
  take(): readonly Call[] {
    return this.calls.splice(0)
  }

  openDatagram(device: string, source: Uint8Array, port: number, onArrivals: OnArrivals, mark: number) {
    return this.#open<'datagram'>('openDatagram', onArrivals, [device, text(source), port, mark])
  }

  connect(socket: Handle<'datagram'>, host: Uint8Array, port: number) {
    return this.#did('connect', number(socket), text(host), port)
  }

  send(socket: Handle<'datagram'>, bytes: Uint8Array, host?: Uint8Array, port?: number): void {
    const to = host === undefined ? [] : [text(host), port]
    this.#did('send', number(socket), text(bytes), ...to)
  }

  expect(socket: Handle<'datagram'>, host: Uint8Array, tunnel: number) {
    return this.#did('expect', number(socket), text(host), tunnel)
  }

  local(socket: Handle<'datagram'>) {
    return this.answers.local ?? { host: Uint8Array.of(192, 0, 2, 1), port: 40_000 + number(socket) }
  }

  openIcmp(
    device: string,
    source: Uint8Array,
    types: readonly number[] | undefined,
    onArrivals: OnArrivals,
    mark: number,
    identifier: number,
    whole: boolean,
  ) {
    return this.#open<'icmp'>('openIcmp', onArrivals, [device, text(source), types, mark, identifier, whole])
  }

  sendIcmp(socket: Handle<'icmp'>, bytes: Uint8Array, host: Uint8Array): void {
    this.#did('sendIcmp', number(socket), text(bytes), text(host))
  }

  openTcp(
    device: string,
    source: Uint8Array,
    host: Uint8Array,
    port: number,
    onArrivals: OnArrivals,
    mark: number,
  ) {
    return this.#open<'tcp'>('openTcp', onArrivals, [device, text(source), text(host), port, mark])
  }

  openNetlink(protocol: number, groups: readonly number[], onArrivals: OnArrivals) {
    return this.#open<'netlink'>('openNetlink', onArrivals, [protocol, groups])
  }

  sendNetlink(socket: Handle<'netlink'>, bytes: Uint8Array) {
    return this.#did('sendNetlink', number(socket), text(bytes))
  }

  openTun(name: string, onArrivals: OnArrivals) {
    return this.#open<'tun'>('openTun', onArrivals, [name])
  }

  setCarrier(tun: Handle<'tun'>, on: boolean) {
    return this.#did('setCarrier', number(tun), on)
  }

  unpersist(tun: Handle<'tun'>) {
    return this.#did('unpersist', number(tun))
  }

  attach(tun: Handle<'tun'>, socket: Handle<'datagram'>, session: Parameters<Addon['attach']>[2]) {
    return this.#did('attach', number(tun), number(socket), session)
  }

  update(tun: Handle<'tun'>, session: Parameters<Addon['update']>[1]) {
    return this.#did('update', number(tun), session)
  }

  detach(tun: Handle<'tun'>): void {
    this.#did('detach', number(tun))
  }

  counters(tun: Handle<'tun'>) {
    number(tun)
    return { ...this.counted }
  }

  close(channel: Handle<Kind>): void {
    this.#did('close', number(channel))
  }

  giveBack(): void {
    this.#did('giveBack')
  }

  notify(path: string, bytes: Uint8Array) {
    return this.#did('notify', path, new TextDecoder().decode(bytes))
  }

  listener(name: string, padded: boolean) {
    return this.#did('listener', name, padded)
  }

  errnoName(errno: number): string {
    return NAMES[errno] ?? `E${errno}`
  }

  #open<K extends Kind>(
    name: keyof Addon,
    onArrivals: OnArrivals,
    given: readonly unknown[],
  ): Handle<K> | number {
    const answer = this.#did(name, ...given)
    if (answer < 0) return answer
    return { number: this.#arrivals.push(onArrivals) - 1 } as unknown as Handle<K>
  }

  #did(name: keyof Addon, ...given: readonly unknown[]): number {
    this.calls.push([name, ...given])
    return this.answers[name] ?? 0
  }
}

function number(handle: Handle<Kind>): number {
  const { number } = handle as unknown as { readonly number?: number }
  if (number === undefined) throw new TypeError('no handle of this addon')
  return number
}

function text(bytes: Uint8Array): string {
  return [...bytes].join('.')
}
