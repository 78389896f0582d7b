/** TCP connections that only show whether somebody is there. */
import { type Cancel, SystemError, type TcpProbeOptions, type TcpProbes } from '../app/ports.ts'
import { ipFamily } from '../core/ip/address.ts'
import { localOctets, octets } from './datagrams.ts'
import { type Addon, checked } from './native.ts'

/** Connects through the addon. */
export class NativeTcpProbes implements TcpProbes {
  readonly #addon: Addon

  constructor(addon: Addon) {
    this.#addon = addon
  }

  connect({ to, device = '', source, mark = 0, onOutcome }: TcpProbeOptions): Cancel {
    const family = ipFamily(to.host)
    if (family === undefined) throw new SystemError('EINVAL', `${to.host} is no literal address`)
    let open = true
    const close = () => {
      if (open) this.#addon.close(handle)
      open = false
    }
    const handle = checked(
      this.#addon,
      this.#addon.openTcp(
        device,
        localOctets(family, source),
        octets(to.host),
        to.port,
        ([arrival]) => {
          if (!open) return
          close()
          onOutcome(arrival?.error === undefined ? 'connected' : this.#addon.errnoName(arrival.error))
        },
        mark,
      ),
      `cannot connect to ${to.host} port ${to.port}`,
    )
    return close
  }
}
