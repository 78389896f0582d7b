/** What sections have to do with one another. Only sections that take part are compared. */

import { hostsOf, unfit } from './fitness.ts'
import { BLOCK } from './lifeline.ts'
import { marksFit, marksNeeded } from './marks.ts'
import type { ReadSection } from './read-section.ts'
import type { LifelineConfig, MqttConfig, TunnelConfig, UplinkConfig } from './types.ts'

type Uplinks = readonly ReadSection<UplinkConfig>[]
type Tunnels = readonly ReadSection<TunnelConfig>[]

/** Reports, at the later of two sections, what contradicts the earlier one. */
export function checkTogether(main: ReadSection<LifelineConfig>, uplinks: Uplinks, tunnels: Tunnels): void {
  const enabled = tunnels.filter(({ value }) => value.enabled)
  checkUplinkNames(uplinks, enabled)
  checkDevices(uplinks, enabled)
  checkPorts(enabled)
  checkTables(main.value, enabled)
  checkMarks(main, uplinks.length, tunnels.length)
}

/** Reports addresses of tunnels at which somebody else is to be found: this machine would speak to itself. */
export function checkAddresses(tunnels: Tunnels, uplinks: Uplinks): void {
  const enabled = tunnels.filter(({ value }) => value.enabled)
  const around = {
    links: [],
    hosts: hostsOf(
      uplinks.map(({ value }) => value),
      enabled.map(({ value }) => value),
    ),
  }
  for (const { value, report } of enabled)
    for (const [option, prefixes] of [
      ['ipaddr', value.ipaddrs],
      ['ip6addr', value.ip6addrs],
    ] as const)
      for (const [index, { address }] of prefixes.entries()) {
        const why = unfit(address, 'own', value, around)
        if (why !== undefined)
          report({ option, index, reason: `'${address}' ${why}`, allowed: 'an address that nobody else has' })
      }
}

/** MQTT 5 section 3.1.4: of two clients by one name, the broker sends the older one away. */
export function checkBrokers(brokers: readonly ReadSection<MqttConfig>[]): void {
  const enabled = brokers.filter(({ value }) => value.enabled && value.url.host !== '')
  for (const [i, { value, report }] of enabled.entries()) {
    const twin = enabled.slice(0, i).find(({ value: other }) => sameClient(other, value))
    if (twin)
      report({
        option: 'client_id',
        reason: `mqtt '${twin.value.name}' is the same client of the same broker`,
        allowed: 'a client id of its own',
      })
  }
}

function sameClient(a: MqttConfig, b: MqttConfig): boolean {
  return a.url.host === b.url.host && a.url.port === b.url.port && a.clientId === b.clientId
}

function checkUplinkNames(uplinks: Uplinks, tunnels: Tunnels): void {
  const names = uplinks.map(({ value }) => value.name).filter((name) => name !== '')
  for (const { value, report } of tunnels) {
    for (const [index, name] of value.uplinks.entries()) {
      if (names.includes(name)) continue
      const allowed = names.length === 0 ? 'nothing, as there is no uplink section' : names.join(', ')
      report({ option: 'uplink', index, reason: `there is no uplink '${name}'`, allowed })
    }
  }
}

function checkDevices(uplinks: Uplinks, tunnels: Tunnels): void {
  const users = new Map<string, string>()
  const sections = [
    ...uplinks.map(({ value, report }) => ({
      name: value.name,
      device: value.device.name,
      type: 'uplink',
      report,
    })),
    ...tunnels.map(({ value, report }) => ({ ...value, type: 'tunnel', report })),
  ]
  for (const { type, name, device, report } of sections) {
    const user = users.get(device)
    if (user !== undefined)
      report({
        option: 'device',
        reason: `'${device}' is the device of ${user}`,
        allowed: 'a device of its own',
      })
    else if (device !== '') users.set(device, `${type} '${name}'`)
  }
}

/** Sockets are bound to the uplink's device: one port serves two tunnels only if they can never share an uplink. */
function checkPorts(tunnels: Tunnels): void {
  for (const [i, { value, report }] of tunnels.entries()) {
    const rival = tunnels
      .slice(0, i)
      .find(({ value: other }) => other.localPort === value.localPort && mayShareUplink(other, value))
    if (value.localPort !== 0 && rival)
      report({
        option: 'local_port',
        reason: `port ${value.localPort} is taken by tunnel '${rival.value.name}' on the same uplink`,
        allowed: 'a port of its own, or 0',
      })
  }
}

function mayShareUplink(a: TunnelConfig, b: TunnelConfig): boolean {
  return (
    a.uplinks.length === 0 || b.uplinks.length === 0 || a.uplinks.some((name) => b.uplinks.includes(name))
  )
}

/** Disabled sections keep their numbers, since connections outlive a reload. */
function checkMarks({ value, report }: ReadSection<LifelineConfig>, uplinks: number, tunnels: number): void {
  const needed = Math.ceil(Math.log2(marksNeeded(tunnels, uplinks) + 1))
  if (!marksFit(value.markMask, tunnels, uplinks))
    report({
      option: 'mark_mask',
      reason: `its bits do not suffice to tell the paths apart: tunnels need ${tunnels} values, uplinks ${2 * uplinks}`,
      allowed: `a mask with at least ${needed} bits`,
    })
}

/** The kernel keeps one set of tables for each family. */
function checkTables({ tableBase }: LifelineConfig, tunnels: Tunnels): void {
  for (const option of ['ip4table', 'ip6table'] as const) {
    const users = new Map<number, string>()
    for (const { value, report } of tunnels) {
      const table = value[option]
      if (table === undefined) continue
      const user = users.get(table)
      if (user !== undefined)
        report({
          option,
          reason: `table ${table} is used by tunnel '${user}'`,
          allowed: 'a table of its own',
        })
      else if (table >= tableBase && table < tableBase + BLOCK)
        report({
          option,
          reason: `table ${table} is one of those that lifeline allots itself`,
          allowed: `a table outside ${tableBase} to ${tableBase + BLOCK - 1}`,
        })
      users.set(table, user ?? value.name)
    }
  }
}
