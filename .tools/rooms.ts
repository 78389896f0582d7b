/** The order of rooms in src: what each may import. `npm run check` holds the tree against it. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { orderProblems, type Room, type Tree } from './import-order.ts'

const ROOT = 'src'

/** From the bottom to the top: a room may import some of those above it here, and no other. */
export const ROOMS: readonly Room[] = [
  { name: 'core', may: [] },
  { name: 'core/digests', may: ['core'] },
  { name: 'core/ip', may: ['core'] },
  { name: 'core/dns', may: ['core', 'core/ip'] },
  { name: 'core/netlink', may: ['core', 'core/ip'] },
  // RFC 2661 and RFC 1661 do not know each other; client and lns join them.
  { name: 'core/l2tp', may: ['core'] },
  { name: 'core/ppp', may: ['core', 'core/ip'] },
  { name: 'core/uci', may: ['core'] },
  { name: 'core/ubus', may: ['core'] },
  { name: 'core/client', may: ['core', 'core/ip', 'core/l2tp', 'core/ppp'] },
  { name: 'core/lns', may: ['core', 'core/l2tp', 'core/ppp'] },
  { name: 'core/config', may: ['core', 'core/ip', 'core/uci', 'core/client'] },
  { name: 'core/failover', may: ['core', 'core/ip', 'core/client', 'core/config'] },
  { name: 'core/firewall', may: ['core/ip', 'core/client', 'core/config'] },
  {
    name: 'core/system',
    may: ['core', 'core/ip', 'core/netlink', 'core/config', 'core/failover', 'core/firewall'],
  },
  { name: 'core/status', may: ['core', 'core/ip', 'core/config', 'core/failover'] },
  { name: 'core/homeassistant', may: ['core', 'core/ip', 'core/status'] },
  { name: 'core/mqtt', may: [] },
  { name: 'core/hooks.ts', may: ['core', 'core/status'], because: 'hooks are told what status holds' },
  {
    name: 'app/ports.ts',
    may: ['core', 'core/hooks.ts', 'core/system'],
    because: 'hosts implement it and know nothing else of app',
  },
  { name: 'app/brokers.ts', may: ['core', 'core/config', 'core/mqtt'], because: 'it is the port to brokers' },
  {
    name: 'app/tuns.ts',
    may: ['core', 'app/ports.ts'],
    because: 'it is the port to TUN devices and data paths',
  },
  {
    name: 'app/log.ts',
    may: ['core', 'core/config', 'app/ports.ts'],
    because: 'hosts say where its lines go',
  },
  { name: 'app/answers.ts', may: ['core'], because: 'it is what the daemon answers, for all who ask' },
  {
    name: 'app',
    may: [
      'core',
      'core/ip',
      'core/dns',
      'core/config',
      'core/hooks.ts',
      'core/status',
      'core/system',
      'app/ports.ts',
    ],
  },
  {
    name: 'app/control',
    may: ['core', 'core/failover', 'core/status', 'app/ports.ts', 'app/answers.ts'],
    packages: ['json-rpc-2.0'],
  },
  {
    name: 'app/kernel',
    may: [
      'core',
      'core/ip',
      'core/netlink',
      'core/config',
      'core/firewall',
      'core/status',
      'core/system',
      'app/ports.ts',
      'app/tuns.ts',
      'app',
    ],
  },
  {
    name: 'app/tunnel',
    may: [
      'core',
      'core/ip',
      'core/client',
      'core/config',
      'core/failover',
      'core/status',
      'core/system',
      'app/ports.ts',
      'app/answers.ts',
      'app/tuns.ts',
      'app',
      'app/kernel',
    ],
  },
  {
    name: 'app/failover',
    may: [
      'core',
      'core/ip',
      'core/client',
      'core/config',
      'core/failover',
      'core/status',
      'core/system',
      'app/ports.ts',
      'app/answers.ts',
      'app',
      'app/tunnel',
    ],
  },
  {
    name: 'app/doctor',
    may: [
      'core',
      'core/ip',
      'core/netlink',
      'core/l2tp',
      'core/client',
      'core/config',
      'core/firewall',
      'core/system',
      'app/ports.ts',
      'app',
      'app/kernel',
    ],
  },
  {
    name: 'app/mqtt',
    may: [
      'core',
      'core/ip',
      'core/client',
      'core/config',
      'core/status',
      'core/homeassistant',
      'core/mqtt',
      'app/ports.ts',
      'app/brokers.ts',
      'app',
      'app/control',
      'app/doctor',
    ],
  },
  {
    name: 'app/plan.ts',
    may: ['core', 'core/config', 'core/firewall', 'core/system', 'app/ports.ts', 'app/answers.ts', 'app'],
    because: 'it joins rooms of app, as daemon.ts does',
  },
  {
    name: 'app/next-config.ts',
    may: ['core', 'core/config', 'app/ports.ts', 'app/answers.ts', 'app', 'app/plan.ts'],
  },
  {
    name: 'app/daemon.ts',
    may: [
      'core',
      'core/config',
      'core/failover',
      'core/firewall',
      'core/system',
      'app/ports.ts',
      'app/answers.ts',
      'app',
      'app/control',
      'app/kernel',
      'app/tunnel',
      'app/failover',
      'app/mqtt',
      'app/plan.ts',
      'app/next-config.ts',
    ],
    because: 'the top of app: it makes and joins everything below',
  },
  {
    name: 'host/system/port.ts',
    may: ['app/ports.ts'],
    because: 'it is the port of an engine and of the system below it; each engine fills it',
  },
  // Of all files only these, and launcher.ts, know of Node.
  {
    name: 'host/system/node',
    may: ['app/ports.ts', 'host/system/port.ts'],
    packages: ['node:'],
  },
  { name: 'host/system', may: ['host/system/port.ts', 'host/system/node'], packages: ['node:'] },
  {
    name: 'host',
    may: [
      'core',
      'core/digests',
      'core/ip',
      'core/config',
      'core/hooks.ts',
      'core/mqtt',
      'core/system',
      'app/ports.ts',
      'app/log.ts',
      'app/brokers.ts',
      'app/tuns.ts',
      'host/system/port.ts',
      'host/system',
    ],
    packages: ['node:', 'json-rpc-2.0', 'mqtt/'],
  },
  {
    name: 'cli',
    may: [
      'core',
      'core/uci',
      'core/config',
      'core/failover',
      'core/status',
      'app/ports.ts',
      'app/answers.ts',
      'app/control',
      'app/doctor',
    ],
    packages: ['commander'],
  },
  { name: 'launcher.ts', may: ['host/system/node'], packages: ['node:'] },
  {
    name: 'main.ts',
    may: [
      'core',
      'core/digests',
      'app/log.ts',
      'app',
      'app/control',
      'app/kernel',
      'app/tunnel',
      'app/failover',
      'app/doctor',
      'app/mqtt',
      'app/daemon.ts',
      'app/plan.ts',
      'host/system',
      'host',
      'cli',
    ],
  },
  { name: 'native', may: [] },
  { name: 'runtime', may: ['native'] },
]

/** The sources as they stand in the work tree. */
export function sources(): Tree {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', ROOT], {
    encoding: 'utf8',
  })
  const names = listed.split('\n').filter((name) => /\.(ts|c|h)$/.test(name) && existsSync(name))
  return new Map(names.map((name) => [name.slice(ROOT.length + 1), readFileSync(name, 'utf8')]))
}

/** What is not in order in these sources, a line each. */
export function disorder(tree: Tree): string[] {
  return orderProblems(tree, ROOMS, ROOT)
}

/** Whether all of src is in order; says on stderr what is not. */
export function inOrder(): boolean {
  const problems = disorder(sources())
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) console.error('what each folder may import stands in .tools/rooms.ts')
  return problems.length === 0
}
