/** What the kernel of a namespace holds, in a form that can be compared before and after. */
import type { Namespace } from './namespace.ts'

/** Fields that change by themselves or tell two equal things apart. */
const EXCEPTED = new Set([
  'handle',
  'packets',
  'bytes',
  'stats64',
  'stats',
  'ifindex',
  'link_index',
  'metainfo',
  'cacheinfo',
  'used',
  'expires',
])

export interface KernelState {
  readonly links: unknown
  readonly addresses: unknown
  readonly routes: unknown
  readonly rules: unknown
  readonly nft: unknown
  /** One line each. */
  readonly sysctls: readonly string[]
}

/** Links, addresses, rules, routes of all tables, the nft ruleset and network settings, without counters and handles. */
export async function kernelState(namespace: Namespace): Promise<KernelState> {
  const [links, addresses, routes4, routes6, rules4, rules6, nft, settings] = await Promise.all([
    namespace.show('-d', 'link', 'show'),
    namespace.show('address', 'show'),
    namespace.show('-4', 'route', 'show', 'table', 'all'),
    namespace.show('-6', 'route', 'show', 'table', 'all'),
    namespace.show('-4', 'rule', 'show'),
    namespace.show('-6', 'rule', 'show'),
    namespace.run(['nft', '-j', 'list', 'ruleset']).then(({ stdout }) => JSON.parse(stdout)),
    namespace.run(['sysctl', '-a', '-r', '^net\\.ipv[46]\\.']).then(({ stdout }) => stdout.split('\n')),
  ])
  return {
    links: comparable(links),
    addresses: comparable(addresses),
    routes: comparable([routes4, routes6]),
    rules: comparable([rules4, rules6]),
    nft: comparable(nft),
    sysctls: settings,
  }
}

/** Without regard to the order in which things were made: a line whose device went comes back behind the others. */
export function settled(state: KernelState): KernelState {
  const sorted = (items: unknown) =>
    (items as unknown[]).flat().sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  return {
    ...state,
    links: sorted(state.links),
    addresses: sorted(state.addresses),
    routes: [sorted(state.routes)],
  }
}

/** What one has and the other has not, a line each; empty if they are equal but for the order in which things were made. */
export function differences(before: KernelState, after: KernelState): string[] {
  const [was, is] = [before, after].map(lines) as [string[], string[]]
  return [
    ...without(is, was).map((line) => `new: ${line}`),
    ...without(was, is).map((line) => `gone: ${line}`),
  ]
}

/** Each of the others takes one away. */
function without(all: readonly string[], others: readonly string[]): string[] {
  const rest = [...others]
  return all.filter((line) => {
    const at = rest.indexOf(line)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
}

function lines(state: KernelState): string[] {
  return Object.entries(settled(state)).flatMap(([part, items]) =>
    [items].flat(3).map((item) => `${part} ${typeof item === 'string' ? item : JSON.stringify(item)}`),
  )
}

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !EXCEPTED.has(name))
      .map(([name, part]) => [name, comparable(part)]),
  )
}
