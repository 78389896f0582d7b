/** A router with two uplinks for the checks of doctor: eth0 has the default route, wwan0 stands by. */

import type { Situation } from '../../../src/app/doctor/finding.ts'
import type { Sysctls, SystemProbe } from '../../../src/app/ports.ts'
import { type Facts, NO_FACTS, type Rule } from '../../../src/core/system/facts.ts'
import { mustRead } from '../../core/config/reading.ts'
import { addressOn, defaultOver, linkOf } from '../../core/system/samples.ts'

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
    ipProtocol: undefined,
    sourcePorts: undefined,
    inverted: false,
    ...change,
  }
}

const FACTS: Facts = {
  ...NO_FACTS,
  links: [linkOf(2, 'eth0'), linkOf(3, 'wwan0')],
  addresses: [addressOn(2, '192.0.2.7/24'), addressOn(3, '198.51.100.7/24')],
  routes: [defaultOver(2, '192.0.2.254'), defaultOver(3, '198.51.100.254', { metric: 600 })],
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

/** `links` are symbolic ones; folders hold what is named below them. `modes`: permissions, owner, group. */
export function probe(
  files: Readonly<Record<string, string>>,
  errors: Readonly<Record<string, string>> = {},
  links: Readonly<Record<string, string>> = {},
  modes: Readonly<Record<string, readonly [number, number, number]>> = {},
): SystemProbe {
  return {
    read: (path) => files[path],
    exists: (path) => path in files,
    openError: (path) => errors[path],
    names: (path) => [
      ...new Set(
        [...Object.keys(files), ...Object.keys(links)]
          .filter((name) => name.startsWith(`${path}/`))
          .map((name) => name.slice(path.length + 1).split('/')[0] ?? ''),
      ),
    ],
    link: (path) => links[path],
    mode: (path) => {
      const [permissions, uid, gid] = modes[path] ?? []
      return permissions === undefined || uid === undefined || gid === undefined
        ? undefined
        : { permissions, uid, gid }
    },
  }
}
