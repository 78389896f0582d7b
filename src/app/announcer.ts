import type { Status, TunnelStatus } from '../core/status/status.ts'
import type { ServiceManager } from './ports.ts'
import type { StatusStore } from './status-store.ts'

/** Keeps the service manager informed. From its making on the service counts as ready. */
export class Announcer {
  readonly #manager: ServiceManager
  #told = ''

  constructor(manager: ServiceManager, status: Pick<StatusStore, 'status' | 'follow'>) {
    this.#manager = manager
    status.follow(() => this.#tell(status.status()))
    this.#tell(status.status())
    manager.ready()
  }

  /** While a new configuration is read and put into force. */
  async reloading(reload: Promise<unknown>): Promise<void> {
    this.#manager.reloading()
    try {
      await reload
    } finally {
      this.#manager.ready()
    }
  }

  stopping(): void {
    this.#manager.stopping()
  }

  #tell(status: Status): void {
    const text = serviceText(status)
    if (text === this.#told) return
    this.#told = text
    this.#manager.status(text)
  }
}

/** All tunnels in one line, in words that stay true until something happens. */
function serviceText({ tunnel }: Status): string {
  const tunnels = Object.entries(tunnel).map(([name, state]) => `${name}: ${tunnelText(state)}`)
  return tunnels.length === 0 ? 'no tunnel is configured' : tunnels.join('; ')
}

function tunnelText({ state, uplink, last_error: error }: TunnelStatus): string {
  if (state === 'up') return `up over ${uplink}`
  return state === 'waiting' && error !== null ? `waiting (${error.message})` : state
}
