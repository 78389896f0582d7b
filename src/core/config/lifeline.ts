/** `config lifeline 'main'`: what concerns the whole program. */

import { charactersOf, integer, mask, oneOf, path } from './kinds.ts'
import { DEFAULT_RULE_PRIORITY, DEFAULT_TABLE_BASE } from './numbering.ts'
import { one, type Section, type Values } from './schema.ts'
import type { LifelineConfig } from './types.ts'

/** Rules and tables lie in blocks of this many numbers. */
export const BLOCK = 100
/** The priority of the kernel's own rule for the table main. */
const MAIN_PRIORITY = 32766

const options = {
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
  mark_mask: one(mask, {
    doc: 'Bits of the packet mark that lifeline may use. The default keeps clear of mwan3 (`0x3f00`), pbr and Tailscale (`0xff0000`).',
    default: '0x0f000000',
  }),
  rule_priority: one(integer(1, MAIN_PRIORITY - BLOCK, ''), {
    doc: `Priority of the first routing rule; lifeline uses this and the next ${BLOCK - 1}. The default lies behind the rules of netifd, mwan3, pbr and Tailscale, which stay exceptions to ours, and before those of wg-quick and main.`,
    default: String(DEFAULT_RULE_PRIORITY),
  }),
  table_base: one(integer(256, 2 ** 31 - 1 - BLOCK, ''), {
    doc: `Number of the first routing table; lifeline uses this and the next ${BLOCK - 1}.`,
    default: String(DEFAULT_TABLE_BASE),
  }),
}

/** The option that decides each property. */
export const lifelineOptionOf: Readonly<Record<keyof LifelineConfig, keyof typeof options>> = {
  node: 'node',
  logLevel: 'log_level',
  stateDir: 'state_dir',
  markMask: 'mark_mask',
  rulePriority: 'rule_priority',
  tableBase: 'table_base',
}

/** Section `lifeline`: what concerns the whole program. */
export const lifeline: Section<typeof options, LifelineConfig> = {
  type: 'lifeline',
  doc: 'What concerns the whole program. There is at most one, and it may be left out.',
  options,
  onlyName: 'main',
  build: (values: Values<typeof options>) => ({
    node: values.node,
    logLevel: values.log_level,
    stateDir: values.state_dir,
    markMask: values.mark_mask,
    rulePriority: values.rule_priority,
    tableBase: values.table_base,
  }),
}
