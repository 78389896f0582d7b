/** Who may send to the ports of our tunnels: their LNSes alone, over their uplinks. */
import { headerOf, quoted } from './packets.ts'
import { TABLE } from './ruleset.ts'

/** A UDP port of ours, and whom it speaks to. */
export interface GuardedPort {
  readonly device: string
  readonly localPort: number
  /** Literal address. RFC 2661 section 8.1: it may answer from any port. */
  readonly server: string
}

/** The chain that the ruleset leaves empty, and the first that packets to this machine meet. */
export const GUARD = 'guard'

/** A script that puts these in place of whatever the chain held, in one transaction. */
export function guardScript(guarded: readonly GuardedPort[]): string {
  const rules = guardRules(guarded).map((rule) => `add rule ${TABLE} ${GUARD} ${rule}\n`)
  return `flush chain ${TABLE} ${GUARD}\n${rules.join('')}`
}

function guardRules(guarded: readonly GuardedPort[]): string[] {
  const localPorts = [...new Set(guarded.map(({ localPort }) => localPort))]
  return [
    ...guarded.map(({ device, localPort, server }) => {
      return `iifname ${quoted(device)} ${headerOf(server)} saddr ${server} udp dport ${localPort} accept`
    }),
    ...localPorts.map((port) => `udp dport ${port} counter drop`),
  ]
}
