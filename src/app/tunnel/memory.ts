import { fromHex, toHex } from '../../core/bytes.ts'
import type { Remembered } from '../../core/client/endpoint.ts'
import { ipFamily } from '../../core/ip/address.ts'
import { unfitAnywhere, unfitByItself } from '../../core/ip/unfit.ts'
import type { SessionAddress, TunnelSession } from '../../core/system/session.ts'
import type { StateFiles } from '../ports.ts'

const FILE = 'sessions.json'

interface Entry {
  /** The user name that got the session; undefined in files of old. */
  readonly login: string | undefined
  readonly session: TunnelSession | undefined
  readonly dns: readonly string[]
}

/** The last session of each tunnel, in `state_dir`: what to ask for first, and what is on the device. */
export class Memory {
  readonly #files: StateFiles
  readonly #entries: Map<string, Entry>

  constructor(files: StateFiles) {
    this.#files = files
    this.#entries = decode(files.read(FILE))
  }

  /** The tunnel logs in as this user from now on: what another one got says nothing about the addresses to come. */
  login(tunnel: string, login: string): void {
    const known = this.#entries.get(tunnel)
    const same = known?.login === undefined || known.login === login
    this.#entries.set(tunnel, { session: undefined, dns: [], ...(same ? known : {}), login })
  }

  last(tunnel: string): TunnelSession | undefined {
    return this.#entries.get(tunnel)?.session
  }

  /** What the next session should ask for; `unfit` says why an address is not to be had. */
  remembered(tunnel: string, unfit: (address: string) => string | undefined): Remembered {
    const { session, dns = [] } = this.#entries.get(tunnel) ?? {}
    return {
      ...(session?.ipv4 && unfit(session.ipv4.address) === undefined
        ? { address: session.ipv4.address }
        : {}),
      ...(session?.ipv6 ? { interfaceId: session.ipv6.interfaceId } : {}),
      ...(dns.length > 0 ? { dns } : {}),
    }
  }

  remember(tunnel: string, session: TunnelSession): void {
    this.#write(tunnel, { session })
  }

  rememberDns(tunnel: string, dns: readonly string[]): void {
    this.#write(tunnel, { dns })
  }

  #write(tunnel: string, change: Partial<Entry>): void {
    const before = this.#entries.get(tunnel) ?? { login: undefined, session: undefined, dns: [] }
    this.#entries.set(tunnel, { ...before, ...change })
    this.#files.write(FILE, `${JSON.stringify(Object.fromEntries([...this.#entries].map(encode)))}\n`)
  }
}

function encode([name, { login, session, dns }]: readonly [string, Entry]): [string, unknown] {
  const ipv6 = session?.ipv6 && { ...session.ipv6, interfaceId: toHex(session.ipv6.interfaceId) }
  return [name, { login, session: session && { ...session, ipv6 }, dns }]
}

/** Anything that is not as we wrote it is left out: memory is a help, not a promise. */
function decode(text: string | undefined): Map<string, Entry> {
  try {
    const entries = Object.entries(record(JSON.parse(text ?? '{}'))).map(([name, value]): [string, Entry] => {
      const { login, session, dns } = record(value)
      const known = typeof login === 'string' ? login : undefined
      return [name, { login: known, session: sessionOf(record(session)), dns: literals(dns) }]
    })
    return new Map(entries)
  } catch {
    return new Map()
  }
}

function literals(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter((item): item is string => isAddress(item, 4) && unfitAnywhere(item) === undefined)
    : []
}

function sessionOf({ mtu, ipv4, ipv6, underlay }: Record<string, unknown>): TunnelSession | undefined {
  const { device, server } = record(underlay)
  if (typeof mtu !== 'number' || !Number.isInteger(mtu) || mtu < 68 || mtu > 65_535) return undefined
  if (typeof device !== 'string' || typeof server !== 'string') return undefined
  return { mtu, ipv4: ipv4Of(record(ipv4)), ipv6: ipv6Of(record(ipv6)), underlay: { device, server } }
}

function ipv4Of({ address, peer }: Record<string, unknown>): TunnelSession['ipv4'] {
  if (!isAddress(address, 4) || unfitByItself(address) !== undefined) return undefined
  return { address, peer: isAddress(peer, 4) ? peer : undefined }
}

function ipv6Of({ interfaceId, addresses }: Record<string, unknown>): TunnelSession['ipv6'] {
  if (typeof interfaceId !== 'string' || !/^[0-9a-f]{16}$/.test(interfaceId)) return undefined
  const list = Array.isArray(addresses) ? addresses.map((entry) => addressOf(record(entry))) : []
  return {
    interfaceId: fromHex(interfaceId),
    addresses: list.filter((entry): entry is SessionAddress => entry !== undefined),
  }
}

function addressOf({ address, length, deprecated }: Record<string, unknown>): SessionAddress | undefined {
  if (!isAddress(address, 6) || unfitByItself(address) !== undefined || (length !== 64 && length !== 128))
    return undefined
  return { address, length, deprecated: deprecated === true }
}

function isAddress(value: unknown, family: 4 | 6): value is string {
  return typeof value === 'string' && ipFamily(value) === family
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
