/** Amounts in words, as people read them. */

/** A span of ms in its two largest units: `12 s`, `3 min 5 s`, `2 d 4 h`. Negative ones are `0 s`. */
export function formatSpan(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1000))
  const units: [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ]
  const largest = units.findIndex(([size]) => total >= size)
  if (largest < 0) return '0 s'
  const parts: string[] = []
  let rest = total
  for (const [size, unit] of units.slice(largest, largest + 2)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count} ${unit}`)
  }
  return parts.join(' ')
}

/** Octets in decimal units: `999 B`, `1.5 kB`, `12.3 GB`. */
export function formatOctets(octets: number): string {
  if (octets < 1000) return `${octets} B`
  const units = ['kB', 'MB', 'GB', 'TB', 'PB']
  let value = octets
  let unit = 'B'
  for (const larger of units) {
    if (Math.round(value * 10) / 10 < 1000) break
    value /= 1000
    unit = larger
  }
  return `${value.toFixed(1)} ${unit}`
}

/** A share from 0 to 1 that was lost: `no loss`, `1.3 % lost`. */
export function formatLoss(share: number): string {
  return share === 0 ? 'no loss' : `${(share * 100).toFixed(1)} % lost`
}

/** A round-trip time in ms: `8.3 ms`. */
export function formatRtt(ms: number): string {
  return `${ms.toFixed(1)} ms`
}

/**
 * The time of day, `14:02`, with the date before it where that is not the day of `now`. `zone` tells how many minutes
 * local time is ahead of UTC at an instant.
 */
export function formatClock(at: Date, now: Date, zone: Zone): string {
  const [day, time] = local(at, zone)
  return day === local(now, zone)[0] ? time : `${day} ${time}`
}

/** Minutes by which local time is ahead of UTC at an instant. */
export type Zone = (at: Date) => number

/** The zone whose clock is UTC: 0 minutes ahead at all times. */
export const UTC: Zone = () => 0

function local(at: Date, zone: Zone): [day: string, time: string] {
  const text = new Date(at.getTime() + zone(at) * 60_000).toISOString()
  return [text.slice(0, 10), text.slice(11, 16)]
}
