import type { Millis } from '../time.ts'

/** What a device has carried, in octets since it came or since its driver last forgot. */
export interface DeviceCounters {
  /** Boot id and interface index, `BOOT/3`: a device that comes anew has another one, and counts from zero. */
  readonly instance: string
  readonly received: number
  readonly sent: number
}

/** Some drivers count in 32 bits. */
const WRAP = 2 ** 32
/** Octets per ms at 2.5 Gbit/s: no line faster than that has a budget. */
const FASTEST = 312_500

/**
 * Octets in both directions between two looks at a device. Counters that went back began again from zero, or wrapped at
 * 32 bits if the line can have carried that much in `elapsed` ms (undefined: unknown, as over a restart).
 */
export function octetsBetween(
  old: DeviceCounters,
  next: DeviceCounters,
  elapsed: Millis | undefined,
): number {
  if (old.instance !== next.instance) return next.received + next.sent
  return advance(old.received, next.received, elapsed ?? 0) + advance(old.sent, next.sent, elapsed ?? 0)
}

function advance(old: number, next: number, elapsed: number): number {
  if (next >= old) return next - old
  const wrapped = next + WRAP - old
  return old < WRAP && wrapped <= elapsed * FASTEST ? wrapped : next
}
