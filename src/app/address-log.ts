import type { TunnelStatus } from '../core/status/status.ts'
import type { Log } from './ports.ts'
import type { StatusStore } from './status-store.ts'

/** Says in the log which addresses each session has obtained, and again when they change while it is up. */
export class AddressLog {
  readonly #status: Pick<StatusStore, 'status'>
  readonly #log: Log
  readonly #told = new Map<string, string>()

  constructor(status: Pick<StatusStore, 'status' | 'watch'>, log: Log) {
    this.#status = status
    this.#log = log
    status.watch(() => this.#look())
  }

  #look(): void {
    for (const [tunnel, state] of Object.entries(this.#status.status().tunnel)) {
      const told = state.state === 'up' ? key(state) : ''
      if (told === (this.#told.get(tunnel) ?? '')) continue
      this.#told.set(tunnel, told)
      if (told !== '') this.#tell(tunnel, state)
    }
  }

  #tell(tunnel: string, { ipv4, ipv6, dns, mtu }: TunnelStatus): void {
    this.#log.info('addresses', {
      tunnel,
      ipv4: ipv4.address ?? 'none',
      peer: ipv4.peer ?? undefined,
      ipv6: ipv6.addresses.length > 0 ? ipv6.addresses : 'none',
      dns: dns.length > 0 ? dns : undefined,
      mtu: mtu ?? undefined,
    })
  }
}

function key({ ipv4, ipv6 }: TunnelStatus): string {
  return [ipv4.address, ipv4.peer, ...ipv6.addresses].join(' ')
}
