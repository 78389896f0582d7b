import type { Counters } from '../app/ports.ts'
import { type DeviceTraffic, parseProcNetDev } from '../core/system/device-traffic.ts'
import { readText } from './read-text.ts'

/** The counters of the network namespace of this process, as /proc shows them: 64 bits wherever the driver has them. */
export const deviceCounters: Counters = {
  // Where /proc is not mounted, nothing is counted.
  read: (): ReadonlyMap<string, DeviceTraffic> => parseProcNetDev(readText('/proc/net/dev') ?? ''),
  bootId: readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '',
}
