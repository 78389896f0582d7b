/** Others on the same machine: what is theirs, and whether it was touched. */
import type { KernelState } from './kernel-state.ts'
import type { Namespace } from './namespace.ts'
import type { Process } from './process.ts'
import { waitFor } from './wait.ts'

/** How routes and rules of lifeline are marked. */
const PROTOCOL = '108'

/** Besides others' numbers also such as lifeline uses itself, under another protocol. */
const FOREIGN_STATE = [
  'addr add 10.1.0.1/24 dev lan0',
  'tuntap add dev l2tp-theirs mode tun',
  'addr add 10.2.0.1/24 dev l2tp-theirs',
  'link set l2tp-theirs up',
  'route add 10.3.0.0/16 via 10.1.0.2 dev lan0 proto static',
  'route add blackhole 10.4.0.0/16 metric 7',
  'route add default via 10.1.0.2 dev lan0 metric 900 proto dhcp',
  'route add 10.5.0.0/16 dev lan0 table 17010 proto static',
  'route add 10.6.0.0/16 dev lan0 table 17011',
  'route add default via 10.1.0.2 table 100 proto 42',
  'route add unreachable default table 101 metric 4278198272',
  'route add 2001:db8:33::/48 via 2001:db8:2::2 dev lan0 proto ra',
  'route add 2001:db8:55::/48 dev lan0 table 17010',
  'route add default via 2001:db8:2::2 table 100 metric 5',
  'rule add from 10.1.0.0/24 lookup 100 priority 100',
  'rule add fwmark 0x100/0xff00 lookup 101 priority 31000 protocol static',
  'rule add to 10.7.0.0/16 lookup main priority 31010',
  'rule add iif lan0 to 10.8.0.0/16 prohibit priority 31040',
]

const FOREIGN_RULES6 = [
  'rule add from 2001:db8:2::/64 lookup 100 priority 31030',
  'rule add fwmark 0x7 lookup main priority 5',
]

const FOREIGN_TABLES = `
table inet theirs {
  set hosts { type ipv4_addr; elements = { 10.1.0.9, 10.1.0.10 } }
  counter seen { }
  chain forward { type filter hook forward priority 0; policy accept; ip saddr @hosts counter accept; }
  chain input { type filter hook input priority -5; ip protocol icmp counter name seen; }
}
table ip nat {
  chain postrouting { type nat hook postrouting priority srcnat; oifname { "wan0", "wan1" } masquerade; }
}
table ip lifeline {
  chain input { type filter hook input priority 0; counter; }
}
table inet lifeline2 {
  chain input { type filter hook input priority 0; counter; }
}
`

/** Gives a router with `lan0` addresses, devices, routes, rules and tables that are not lifeline's. */
export async function settleOthers(router: Namespace): Promise<void> {
  await router.ip(...FOREIGN_STATE)
  await router.run(['ip', '-6', '-batch', '-'], { input: FOREIGN_RULES6.join('\n') })
  await router.nft(FOREIGN_TABLES)
}

/** What is lifeline's, whose devices these are, or all the rest; the rest with its order. */
export function partOf(state: KernelState, whose: 'ours' | 'theirs', devices: readonly string[]): unknown {
  type Item = Readonly<Record<string, unknown>>
  const isOurs = (item: Item) => {
    const [table] = Object.values(item) as { family?: string; name?: string; table?: string }[]
    const inTable = table?.family === 'inet' && (table.table ?? table.name) === 'lifeline'
    return (
      inTable ||
      item.protocol === PROTOCOL ||
      [item.dev, item.ifname].some((name) => devices.includes(name as string))
    )
  }
  const part = (items: unknown) => (items as Item[]).filter((item) => isOurs(item) === (whose === 'ours'))
  const parts = (lists: unknown) => (lists as unknown[]).map(part)
  return {
    links: part(state.links),
    addresses: part(state.addresses),
    routes: parts(state.routes),
    rules: parts(state.rules),
    nft: part((state.nft as { nftables: unknown }).nftables),
    sysctls: state.sysctls.filter(
      (line) => devices.some((name) => line.includes(`.${name}.`)) === (whose === 'ours'),
    ),
  }
}

export interface Changes {
  /** Ends it: how many changes there were, and those that were not to something of lifeline's, one line each. */
  stop(): Promise<{ changes: number; foreign: string[] }>
}

/** Lines of the monitors that tell of no change: the test's own, generations, and what ip asks about a veth's other end. */
const NO_CHANGE = /marker|^# new generation|^Error: Peer netns reference is invalid\.$/

/** Watches what is changed in the kernel, by anybody, until stopped. */
export async function watchChanges(namespace: Namespace, devices: readonly string[]): Promise<Changes> {
  const ip = namespace.start('ip monitor', ['ip', '-o', 'monitor', 'link', 'address', 'route', 'rule'])
  const nft = namespace.start('nft monitor', ['nft', 'monitor'])
  await Promise.all([ip, nft].map((monitor, i) => isListening(namespace, monitor, i)))
  return {
    async stop() {
      const before = [ip.output.length, nft.output.length]
      await Promise.all([isListening(namespace, ip, 2), isListening(namespace, nft, 3)])
      const lines = [ip.output.slice(0, before[0]), nft.output.slice(0, before[1])]
        .flatMap((text) => text.split('\n'))
        .filter((line) => line !== '' && !NO_CHANGE.test(line))
      await Promise.all([ip.stop(), nft.stop()])
      const ours = new RegExp(`proto ${PROTOCOL}\\b|\\b(${devices.join('|')})\\b|inet lifeline\\b`)
      return { changes: lines.length, foreign: lines.filter((line) => !ours.test(line)) }
    },
  }
}

/** A change of the test's own shows up. */
async function isListening(namespace: Namespace, monitor: Process, number: number): Promise<void> {
  const marker = `marker${number}`
  await waitFor('the monitor to listen', async () => {
    await namespace.ip(`tuntap add ${marker} mode tun`, `tuntap del ${marker} mode tun`)
    await namespace.nft(`table inet ${marker}\ndelete table inet ${marker}`)
    return monitor.output.includes(marker)
  })
}
