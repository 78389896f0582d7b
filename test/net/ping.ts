/** ICMP echo with the system's ping. */
import type { Namespace } from './namespace.ts'

export interface PingOptions {
  readonly count?: number
  /** Octets of the whole IP packet; 84 by default. */
  readonly size?: number
  /** Source address or device. */
  readonly from?: string
  /** Seconds between two; 0.2 by default. */
  readonly interval?: number
  /** Forbid fragmentation. */
  readonly dontFragment?: boolean
}

export interface PingResult {
  readonly sent: number
  readonly received: number
  /** Round-trip times in ms, in order of arrival. */
  readonly times: readonly number[]
  readonly output: string
}

/** Pings, waiting up to 2 s for each answer. Never throws for a missing answer. */
export async function ping(from: Namespace, to: string, options: PingOptions = {}): Promise<PingResult> {
  const count = options.count ?? 1
  const headers = to.includes(':') ? 48 : 28
  const { stdout, stderr } = await from.run(
    [
      ...['ping', '-n', '-c', `${count}`, '-i', `${options.interval ?? 0.2}`, '-W', '2'],
      ...(options.size === undefined ? [] : ['-s', `${options.size - headers}`]),
      ...(options.from === undefined ? [] : ['-I', options.from]),
      ...(options.dontFragment === true ? ['-M', 'do'] : []),
      to,
    ],
    { mayFail: true },
  )
  const times = [...stdout.matchAll(/time[=<]([\d.]+) ms/g)].map(([, time]) => Number(time))
  return { sent: count, received: times.length, times, output: stdout + stderr }
}
