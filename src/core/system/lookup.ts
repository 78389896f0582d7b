import type { Family } from '../ip/address.ts'
import type { Rule } from '../netlink/rule.ts'
import { OUR_PROTOCOL } from './facts.ts'

/** A rule of ours that sends everything to a table. */
export function lookup(family: Family, priority: number, table: number): Rule {
  return {
    family,
    priority,
    action: 'lookup',
    table,
    protocol: OUR_PROTOCOL,
    suppressPrefixLength: undefined,
    from: undefined,
    to: undefined,
    iif: undefined,
    oif: undefined,
    mark: undefined,
    ipProtocol: undefined,
    sourcePorts: undefined,
    inverted: false,
  }
}
