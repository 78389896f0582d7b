/** Other programs that do the work of a tunnel, and who holds a port of ours (proc(5)). */
import type { SystemProbe } from '../ports.ts'
import type { Finding } from './finding.ts'

/** A process of the machine, as /proc shows it. */
export interface Process {
  readonly pid: string
  /** Of the program, at most 15 octets; of a script that of its file. */
  readonly name: string
  readonly parent: string | undefined
  readonly args: readonly string[]
}

/** Programs that speak L2TP. */
const RIVALS = ['xl2tpd', 'l2tpd', 'openl2tpd', 'kl2tpd', 'ql2tpd', 'nm-l2tp-service', 'accel-pppd']

/** Programs of others that dial the same tunnels or hold the port that they need. A pppd of PPPoE is none of them. */
export function checkRivals(probe: SystemProbe): Finding[] {
  const processes = processesHere(probe)
  const rivals = processes.filter(({ name }) => RIVALS.some((rival) => rival.slice(0, 15) === name))
  const sessions = processes.filter(
    ({ name, parent, args }) =>
      name === 'pppd' &&
      (rivals.some(({ pid }) => pid === parent) || args.some((arg) => /pppol2tp|openl2tp/.test(arg))),
  )
  return [
    ...rivals.map(
      (rival): Finding => ({
        severity: 'warning',
        subject: 'other programs',
        message: `${inWords(rival)} is running: two programs that log in with one name throw each other out`,
        advice: `stop it for good (\`systemctl stop ${rival.name} && systemctl disable ${rival.name}\`) if it dials what lifeline is to dial`,
      }),
    ),
    ...sessions.map(
      (session): Finding => ({
        severity: 'warning',
        subject: 'other programs',
        message: `${inWords(session)} has an L2TP session of its own`,
        advice: 'end it, and what starts it, if lifeline is to dial that tunnel',
      }),
    ),
  ]
}

/** Who holds a UDP port in this network namespace; undefined where that cannot be seen. */
export function portHolder(probe: SystemProbe, port: number): Process | undefined {
  const inodes = ['/proc/net/udp', '/proc/net/udp6'].flatMap((file) =>
    (probe.read(file) ?? '').split('\n').flatMap((line) => {
      const [, local, , , , , , , , inode] = line.trim().split(/\s+/)
      return local?.endsWith(`:${port.toString(16).toUpperCase().padStart(4, '0')}`) ? (inode ?? []) : []
    }),
  )
  if (inodes.length === 0) return undefined
  const sockets = new Set(inodes.map((inode) => `socket:[${inode}]`))
  return processesHere(probe).find(({ pid }) =>
    probe.names(`/proc/${pid}/fd`).some((fd) => sockets.has(probe.link(`/proc/${pid}/fd/${fd}`) ?? '')),
  )
}

/** Whether it is a daemon of ours. */
export function isLifeline({ name, args }: Process): boolean {
  return name === 'lifeline' || args.slice(0, 2).some((arg) => baseName(arg) === 'lifeline')
}

/** `xl2tpd (process 812)` */
export function inWords({ name, pid }: Process): string {
  return `${name} (process ${pid})`
}

/** Those of this network namespace, and those that cannot be looked into. */
function processesHere(probe: SystemProbe): Process[] {
  const here = probe.link('/proc/self/ns/net')
  return probe.names('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    const there = probe.link(`/proc/${pid}/ns/net`)
    if (there !== undefined && here !== undefined && there !== here) return []
    const status = probe.read(`/proc/${pid}/status`)
    if (status === undefined) return []
    const args = (probe.read(`/proc/${pid}/cmdline`) ?? '').split('\0').filter((arg) => arg !== '')
    const name = /^Name:\t(.*)$/m.exec(status)?.[1] ?? ''
    const parent = /^PPid:\t(\d+)$/m.exec(status)?.[1]
    // Node.js calls its threads so; the script is what people know.
    const interpreted = name === 'node' || name === 'MainThread'
    return [{ pid, name: (interpreted && baseName(args[1] ?? '')) || name, parent, args }]
  })
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
