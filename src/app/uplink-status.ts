import type { Uplink } from '../core/system/uplinks.ts'
import type { StatusStore } from './status-store.ts'

/** Shows the uplinks that there are now, and no others. */
export function showUplinks(
  status: Pick<StatusStore, 'status' | 'uplink' | 'removeUplink'>,
  now: readonly Uplink[],
): void {
  for (const name of Object.keys(status.status().uplink)) {
    if (!now.some((uplink) => uplink.name === name)) status.removeUplink(name)
  }
  for (const { name, device, state, addresses } of now) status.uplink(name, { device, state, addresses })
}
