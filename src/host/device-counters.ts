import { readFileSync } from 'node:fs'
import type { Counters } from '../app/ports.ts'
import { type DeviceTraffic, parseProcNetDev } from '../core/system/device-traffic.ts'

/** The counters of the network namespace of this process, as /proc shows them: 64 bits wherever the driver has them. */
export const deviceCounters: Counters = {
  read(): ReadonlyMap<string, DeviceTraffic> {
    return parseProcNetDev(readText('/proc/net/dev'))
  },
  bootId: readText('/proc/sys/kernel/random/boot_id').trim(),
}

/** Nothing where /proc is not mounted: then nothing is counted. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
