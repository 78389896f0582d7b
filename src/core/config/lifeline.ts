/** `config lifeline 'main'`: what concerns the whole program. */

import { charactersOf, integer, mask, oneOf, path } from './kinds.ts'
import { type Properties, propertiesOf } from './properties.ts'
import { one, type Section, type Values } from './schema.ts'

/** Rules and tables lie in blocks of this many numbers. */
export const BLOCK = 100
/** The priority of the kernel's own rule for the table main. */
const MAIN_PRIORITY = 32766

/**
 * The default of `rule_priority`: rules made by hand, netifd, mwan3, pbr and Tailscale come before ours and stay
 * exceptions to it, wg-quick's and main (32764 to 32766) come after it.
 */
const DEFAULT_RULE_PRIORITY = 31_000

/** The default of `table_base`: the port of L2TP with a digit, away from every table that others are known to use. */
const DEFAULT_TABLE_BASE = 17_010

const options = {
  /** Of this machine in status and MQTT; undefined means the host name. */
  node: one(charactersOf('node name', 'A-Za-z0-9._-', 63, "letters, digits, '.', '_' and '-'"), {
    doc: 'Name of this machine in status.',
    defaultText: 'the host name',
  }),
  log_level: one(oneOf('debug', 'info', 'warn', 'error'), {
    doc: 'Least important messages that are logged: `debug` shows packets, `info` changes of state.',
    default: 'info',
  }),
  state_dir: one(path, {
    doc: 'Folder for what should survive a restart: last addresses of servers and of tunnels, budgets, the history. It is written only when something changed, the history every six hours and at a stop.',
    default: '/var/lib/lifeline',
  }),
  /** The bits that are ours, contiguous or not; never zero. */
  mark_mask: one(mask, {
    doc: 'Bits of the packet mark that lifeline may use. The default keeps clear of mwan3 (`0x3f00`), pbr and Tailscale (`0xff0000`).',
    default: '0x0f000000',
  }),
  /** Ours lie in [rulePriority, rulePriority + 100). */
  rule_priority: one(integer(1, MAIN_PRIORITY - BLOCK, ''), {
    doc: `Priority of the first routing rule; lifeline uses this and the next ${BLOCK - 1}. The default lies behind the rules of netifd, mwan3, pbr and Tailscale, which stay exceptions to ours, and before those of wg-quick and main.`,
    default: String(DEFAULT_RULE_PRIORITY),
  }),
  /** Ours lie in [tableBase, tableBase + 100). */
  table_base: one(integer(256, 2 ** 31 - 1 - BLOCK, ''), {
    doc: `Number of the first routing table; lifeline uses this and the next ${BLOCK - 1}.`,
    default: String(DEFAULT_TABLE_BASE),
  }),
}

/** `config lifeline 'main'` */
export interface LifelineConfig extends Properties<typeof options> {}

/** Section `lifeline`: what concerns the whole program. */
export const lifeline: Section<typeof options, LifelineConfig> = {
  type: 'lifeline',
  doc: 'What concerns the whole program. There is at most one, and it may be left out.',
  options,
  onlyName: 'main',
  build: (values: Values<typeof options>) => propertiesOf(options, values),
}
