/** From where a path is probed, and why it cannot be. */
import { isLinkLocal } from '../../core/ip/networks.ts'
import type { Uplink } from '../../core/system/uplinks.ts'
import type { Sources } from './prober.ts'

/** The address of each family that probes leave from; `preferred` before the others. */
export function sourcesOf(addresses: readonly string[], preferred: string | undefined): Sources {
  const ordered = preferred === undefined ? addresses : [preferred, ...addresses]
  const bare = ordered.map((address) => address.split('/')[0] ?? address)
  const v4 = bare.find((address) => !address.includes(':'))
  // Nothing answers to an address that means something on the link only: every device has one, with IPv6 or without.
  const v6 = bare.find((address) => address.includes(':') && !isLinkLocal(address))
  return { ...(v4 === undefined ? {} : { 4: v4 }), ...(v6 === undefined ? {} : { 6: v6 }) }
}

/** What keeps an uplink from carrying packets, fit to follow its name; empty if nothing does. */
export function uplinkReason({ state, device, source, addresses }: Uplink): string {
  switch (state) {
    case 'absent':
      return `the device ${device} does not exist`
    case 'down':
      return 'lost carrier'
    case 'no_address':
      return source === undefined || addresses.length === 0
        ? 'has no address'
        : `does not have the address ${source} (option source)`
    case 'up':
      return ''
  }
}
