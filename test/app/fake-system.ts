/** A system in memory behind the ports: it speaks rtnetlink's octets, and does nothing before it is asked. */
import type { Netlink, Netlinks, Nft, Sysctls } from '../../src/app/ports.ts'
import { SystemError } from '../../src/app/ports.ts'
import { concat } from '../../src/core/bytes.ts'
import { encodeNewAddress } from '../../src/core/netlink/address.ts'
import {
  attributeNested,
  attributeText,
  attributeU32,
  decodeAttributes,
  textOf,
  u32Of,
} from '../../src/core/netlink/attribute.ts'
import { host32, host32Bytes } from '../../src/core/netlink/host-order.ts'
import { RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK } from '../../src/core/netlink/link.ts'
import { decodeMessage, encodeMessage } from '../../src/core/netlink/message.ts'
import { encodeNewRoute } from '../../src/core/netlink/route.ts'
import { encodeNewRule } from '../../src/core/netlink/rule.ts'
import { type Facts, type Link, reduceFacts } from '../../src/core/system/facts.ts'
import { linkOf } from '../core/system/samples.ts'
import { MemoryTuns } from '../memory-tuns.ts'
import { VirtualClock } from '../virtual-clock.ts'

/** Requests that have not been answered yet. */
let underWay = 0

type Listener = Parameters<Netlinks['open']>[0]

export class FakeSystem implements Netlinks, Nft, Sysctls {
  facts: Facts
  table: string | undefined
  /** What was asked of it, in order: `nft`, `open l2tp-x`, `request 24`, `carrier l2tp-x on`. */
  readonly done: string[] = []
  /** Gives an errno name for what is to be refused; the same words as in `done`. */
  refuse: (what: string) => string | undefined = () => undefined
  /** Called with each request before it is answered. */
  onRequest: (type: number) => void = () => {}
  /** Called while nft runs a script: `before` the kernel takes it, and `after`. */
  onNft: (when: 'before' | 'after') => void = () => {}
  readonly tuns = new MemoryTuns({
    opening: (name) => this.#addTun(name),
    carrying: (name, on) => this.#carrier(name, on),
    destroying: (name) => {
      this.#did(`destroy ${name}`)
      this.removeLink(name)
    },
  })
  readonly #listeners: Listener[] = []
  readonly #settings = new Map<string, string>()

  constructor(facts: Facts) {
    this.facts = facts
  }

  // ---- Netlinks

  open(what: Listener): Netlink {
    this.#listeners.push(what)
    return {
      request: (message) => this.#request(message),
      close: () => this.#listeners.splice(this.#listeners.indexOf(what), 1),
    }
  }

  /** Takes the messages for the truth, and announces them. */
  announce(...messages: readonly Uint8Array[]): void {
    this.facts = reduceFacts(this.facts, messages).facts
    this.#tell('route', messages)
  }

  /** Changes something and announces nothing. */
  inSilence(change: (facts: Facts) => Facts): void {
    this.facts = change(this.facts)
  }

  loseAnnouncements(): void {
    for (const listener of this.#listeners) listener.onOverrun?.()
  }

  setLink(name: string, change: Partial<Link>): void {
    const known = this.facts.links.find((link) => link.name === name)
    const index = 100 + this.facts.links.length
    const link = { ...(known ?? linkOf(index, name)), ...change }
    this.announce(linkMessage(link, RTM_NEWLINK))
  }

  removeLink(name: string): void {
    const link = this.facts.links.find((other) => other.name === name)
    if (link === undefined) throw new SystemError('ENODEV', name)
    const over = (hops: Facts['routes'][number]['nexthops']) => hops.some((hop) => hop.link === link.index)
    this.inSilence((facts) => ({ ...facts, routes: facts.routes.filter(({ nexthops }) => !over(nexthops)) }))
    this.announce(linkMessage(link, RTM_DELLINK))
    this.tuns.devices.get(name)?.vanish()
  }

  removeTable(): void {
    this.table = undefined
    this.#tellTransaction(2)
  }

  /** Somebody removes a rule of our table. */
  removeFilter(): void {
    this.#tellTransaction(8)
  }

  /** As nftables does: what was done to our table, then the new generation. */
  #tellTransaction(kind: number): void {
    const body = concat(Uint8Array.of(1, 0, 0, 0), attributeText(1, 'lifeline'))
    const generation = encodeMessage((10 << 8) | 15, 0, Uint8Array.of(0, 0, 0, 1))
    this.#tell('netfilter', [encodeMessage((10 << 8) | kind, 0, body), generation])
  }

  // ---- Nft

  async check(_text: string): Promise<void> {
    this.#did('nft check')
  }

  async load(text: string): Promise<void> {
    this.onNft('before')
    if (text.startsWith('flush chain')) {
      this.#did('nft guard')
      if (this.table === undefined) throw new SystemError('ENOENT', 'there is no table')
    } else {
      this.#did(text.includes('{') ? 'nft' : 'nft remove')
      this.table = text.includes('{') ? text : undefined
    }
    this.#tellTransaction(0)
    this.onNft('after')
  }

  async list(): Promise<unknown> {
    return {}
  }

  // ---- Sysctls

  read(path: string): string {
    return this.#settings.get(path) ?? 'unset'
  }

  write(path: string, value: string): void {
    this.#did(`sysctl ${path.split('/').at(-1)}`)
    this.#settings.set(path, value)
  }

  // ---- inside

  #did(what: string): void {
    const code = this.refuse(what)
    this.done.push(code === undefined ? what : `${what} ${code}`)
    if (code !== undefined) throw new SystemError(code, `${what} is refused`)
  }

  #tell(protocol: Listener['protocol'], messages: readonly Uint8Array[]): void {
    for (const listener of this.#listeners) {
      if (listener.protocol === protocol) listener.onMessages?.(messages)
    }
  }

  /** The link of a device that is opened, if it is not there yet. */
  #addTun(name: string): void {
    this.#did(`open ${name}`)
    if (this.facts.links.some((link) => link.name === name)) return
    const index = 100 + this.facts.links.length
    const fresh = linkOf(index, name, { kind: 'tun', up: false, carrier: false, noArp: true })
    this.facts = { ...this.facts, links: [...this.facts.links, fresh] }
  }

  #carrier(name: string, on: boolean): void {
    this.#did(`carrier ${name} ${on ? 'on' : 'off'}`)
    const links = this.facts.links.map((link) => (link.name === name ? { ...link, carrier: on } : link))
    this.facts = { ...this.facts, links }
  }

  async #request(bytes: Uint8Array): Promise<Uint8Array[]> {
    const message = decodeMessage(bytes)
    if (message === undefined) throw new Error('no message')
    this.onRequest(message.type)
    // As over a socket, the answer takes a turn of the event loop.
    underWay++
    try {
      const answers = this.#answer(message.type, message.body, bytes)
      await new Promise((resolve) => setImmediate(resolve))
      return answers
    } finally {
      underWay--
    }
  }

  #answer(type: number, body: Uint8Array, bytes: Uint8Array): Uint8Array[] {
    const { links, addresses, routes, rules } = this.facts
    const family = body[0] === 10 ? 6 : 4
    switch (type) {
      case RTM_GETLINK: {
        const name = textOf(decodeAttributes(body.subarray(16)).get(3))
        const found = links.filter((link) => name === undefined || link.name === name)
        if (found.length === 0) throw new SystemError('ENODEV', `${name}`)
        return found.map((link) => linkMessage(link, RTM_NEWLINK))
      }
      case 22:
        return addresses.filter((item) => item.family === family).map((item) => encodeNewAddress(item))
      case 26:
        return routes.filter((item) => item.family === family).map((item) => encodeNewRoute(item))
      case 34:
        return rules.filter((item) => item.family === family).map((item) => encodeNewRule(item))
      case RTM_NEWLINK:
        this.#did('link')
        this.#changeLink(body)
        return []
      case RTM_DELLINK:
        this.#did('unlink')
        this.removeLink(links.find(({ index }) => index === host32(body, 4))?.name ?? '')
        return []
      default:
        this.#did(REQUESTS[type] ?? `request ${type}`)
        this.facts = reduceFacts(this.facts, [bytes]).facts
        return []
    }
  }

  #changeLink(body: Uint8Array): void {
    const attributes = decodeAttributes(body.subarray(16))
    const mtu = u32Of(attributes.get(4))
    const alias = textOf(attributes.get(20))
    const links = this.facts.links.map((link) => {
      if (link.index !== host32(body, 4)) return link
      const up = host32(body, 12) & 1 ? (host32(body, 8) & 1) === 1 : link.up
      return { ...link, up, mtu: mtu ?? link.mtu, alias: alias ?? link.alias }
    })
    this.facts = { ...this.facts, links }
  }
}

const REQUESTS: Readonly<Record<number, string>> = {
  20: 'add address',
  21: 'remove address',
  24: 'add route',
  25: 'remove route',
  32: 'add rule',
  33: 'remove rule',
}

/** Time that passes only when told to, with everything that a FakeSystem then does. */
export class FakeClock extends VirtualClock {
  override pass(span: number): Promise<void> {
    return super.pass(span, idle)
  }
}

/** Resolves when everything that was under way has come to rest. */
export async function idle(): Promise<void> {
  for (let quiet = 0; quiet < 3; quiet = underWay === 0 ? quiet + 1 : 0) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function linkMessage(link: Link, type: number): Uint8Array {
  const flags =
    (link.up ? 1 : 0) |
    (link.loopback ? 8 : 0) |
    (link.noArp ? 0x80 : 0) |
    (link.up && link.carrier ? 0x10000 : 0)
  return encodeMessage(
    type,
    0,
    concat(new Uint8Array(4), host32Bytes(link.index), host32Bytes(flags), new Uint8Array(4)),
    attributeText(3, link.name),
    attributeU32(4, link.mtu),
    ...(link.alias === undefined ? [] : [attributeText(20, link.alias)]),
    ...(link.kind === undefined ? [] : [attributeNested(18, attributeText(1, link.kind))]),
  )
}
