/** A router with two uplinks for the checks of doctor: eth0 has the default route, wwan0 stands by. */

import type { Situation } from '../../../src/app/doctor/finding.ts'
import type { Sysctls, SystemProbe } from '../../../src/app/ports.ts'
import { type Facts, type Link, NO_FACTS, type Rule } from '../../../src/core/system/facts.ts'
import { mustRead } from '../../core/config/reading.ts'

export function situation(text = TWO_UPLINKS, change: Partial<Facts> = {}): Situation {
  return { config: mustRead('json', text).config, facts: { ...FACTS, ...change } }
}

export const TWO_UPLINKS = JSON.stringify({
  uplink: { fibre: { device: 'eth0' }, lte: { device: 'wwan0' } },
  tunnel: {
    aaisp: { server: '192.0.2.1', username: 'a', password: 'b', uplink: ['fibre', 'lte'], mtu: '1462' },
  },
})

export const ONE_UPLINK = JSON.stringify({
  tunnel: { aaisp: { server: '192.0.2.1', username: 'a', password: 'b' } },
})

export function link(index: number, name: string): Link {
  const plain = { loopback: false, noArp: false, mtu: 1500, kind: undefined, alias: undefined }
  return { index, name, up: true, carrier: true, ...plain }
}

function address(index: number, text: string) {
  return {
    family: 4 as const,
    link: index,
    address: text,
    length: 24,
    peer: undefined,
    scope: 'global' as const,
    deprecated: false,
    tentative: false,
    noPrefixRoute: false,
  }
}

export function rule(change: Partial<Rule>): Rule {
  return {
    family: 4,
    priority: 32766,
    action: 'lookup',
    table: 254,
    protocol: 2,
    suppressPrefixLength: undefined,
    from: undefined,
    to: undefined,
    iif: undefined,
    oif: undefined,
    mark: undefined,
    inverted: false,
    ...change,
  }
}

function defaultRoute(index: number, gateway: string, metric: number) {
  return {
    family: 4 as const,
    table: 254,
    destination: { address: '0.0.0.0', length: 0 },
    type: 'unicast' as const,
    protocol: 3,
    metric,
    source: undefined,
    nexthops: [{ link: index, gateway, onlink: false }],
  }
}

const FACTS: Facts = {
  ...NO_FACTS,
  links: [link(2, 'eth0'), link(3, 'wwan0')],
  addresses: [address(2, '192.0.2.7'), address(3, '198.51.100.7')],
  routes: [defaultRoute(2, '192.0.2.254', 0), defaultRoute(3, '198.51.100.254', 600)],
  rules: [rule({ priority: 0, table: 255 }), rule({}), rule({ priority: 32767, table: 253 })],
}

/** Settings and files that are not named do not exist. */
export function sysctls(values: Readonly<Record<string, string>>): Sysctls {
  return {
    read: (path) => values[path],
    write: () => {
      throw new Error('doctor changes nothing')
    },
  }
}

export function probe(
  files: Readonly<Record<string, string>>,
  errors: Readonly<Record<string, string>> = {},
): SystemProbe {
  return {
    read: (path) => files[path],
    exists: (path) => path in files,
    openError: (path) => errors[path],
  }
}
