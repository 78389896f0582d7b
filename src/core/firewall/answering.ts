/**
 * Answers of UDP sockets that are bound to no address. The kernel chooses their source by the way to the receiver alone,
 * as if nobody had asked them, so the address that was asked is remembered and put back. See docs/adr/0014-udp-answers.md.
 */
import { devices, headerOf } from './packets.ts'
import type { Chain, DynamicSet } from './ruleset.ts'
import type { FirewallInput } from './types.ts'

/** Who has asked an address last, each with his address, his port and ours. */
const SIZE = 65_536
/** Since the last datagram either way; the kernel forgets a UDP connection after the same time (nf_conntrack_udp_timeout_stream). */
const MEMORY = '2m'

/** The sets that packets fill, one for each address of a tunnel. */
export function answerSets({ answered }: FirewallInput): DynamicSet[] {
  return answered.map((address) => ({
    name: setOf(address),
    type: `${address.includes(':') ? 'ipv6_addr' : 'ipv4_addr'} . inet_service . inet_service`,
    size: SIZE,
    timeout: MEMORY,
  }))
}

/**
 * Behind the filters: what they drop is not remembered. The last address that was asked counts, also if it is one of the
 * machine that is no tunnel's: answers to that are left as they are. Before connection tracking (`raw`) an answer gets its source,
 * so that it belongs to the connection of the question, and by a new source the kernel looks for the way anew.
 */
export function answeringChains({ answered, paths }: FirewallInput): Chain[] {
  if (answered.length === 0) return []
  const tunnels = devices(paths.filter(({ kind }) => kind === 'tunnel').map(({ device }) => device))
  const verdicts = answered.map((address) => `${address} : goto ${setOf(address)}`)
  return [
    { name: 'asked_others', rules: answered.map((address) => forgotten(address)) },
    ...answered.map((address) => ({
      name: setOf(address),
      rules: [
        `${asker(address)} @${setOf(address)} ${remembered(address, asker(address))} accept`,
        'jump asked_others',
        remembered(address, asker(address)),
      ],
    })),
    {
      name: 'asked',
      hook: { type: 'filter', hook: 'input', priority: 'filter + 10' },
      rules: [
        'meta l4proto != udp accept',
        ...(['ip', 'ip6'] as const).flatMap((header) => {
          const of = verdicts.filter((_, i) => headerOf(answered[i] ?? '') === header)
          return of.length === 0 ? [] : [`iifname ${tunnels} ${header} daddr vmap { ${of.join(', ')} }`]
        }),
        'jump asked_others',
      ],
    },
    {
      name: 'answer',
      hook: { type: 'route', hook: 'output', priority: 'raw' },
      rules: [
        'meta l4proto != udp accept',
        ...answered.map((address) => {
          const receiver = `${headerOf(address)} daddr . udp dport . udp sport`
          const set = setOf(address)
          return `${receiver} @${set} ${headerOf(address)} saddr set ${address} ${remembered(address, receiver)} accept`
        }),
      ],
    },
  ]
}

function asker(address: string): string {
  return `${headerOf(address)} saddr . udp sport . udp dport`
}

function remembered(address: string, key: string): string {
  return `update @${setOf(address)} { ${key} }`
}

/** Looked for first: nothing is written where nothing is known, as of nearly all packets. */
function forgotten(address: string): string {
  const set = setOf(address)
  return `${asker(address)} @${set} delete @${set} { ${asker(address)} }`
}

/** `asked_203_0_113_10` */
function setOf(address: string): string {
  return `asked_${address.replace(/[.:]/g, '_')}`
}
