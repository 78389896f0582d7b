import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRivals, isLifeline, portHolder } from '../../../src/app/doctor/processes.ts'
import { probe } from './situation.ts'

interface Running {
  readonly pid: number
  readonly name: string
  readonly parent?: number
  readonly args?: readonly string[]
  readonly net?: string
  readonly sockets?: readonly number[]
}

const HERE = 'net:[4026531840]'

/** A system on which these run, and these lines stand in /proc/net/udp. */
function running(processes: readonly Running[], udp: readonly string[] = [], udp6: readonly string[] = []) {
  const files: Record<string, string> = {
    '/proc/net/udp': ['  sl  local_address rem_address   st', ...udp].join('\n'),
    '/proc/net/udp6': ['  sl  local_address', ...udp6].join('\n'),
  }
  const links: Record<string, string> = { '/proc/self/ns/net': HERE }
  for (const { pid, name, parent = 1, args = [name], net = HERE, sockets = [] } of processes) {
    files[`/proc/${pid}/status`] = `Name:\t${name}\nState:\tS (sleeping)\nPPid:\t${parent}\n`
    files[`/proc/${pid}/cmdline`] = args.map((arg) => `${arg}\0`).join('')
    links[`/proc/${pid}/ns/net`] = net
    for (const [i, inode] of sockets.entries()) links[`/proc/${pid}/fd/${i + 3}`] = `socket:[${inode}]`
  }
  return probe(files, {}, links)
}

const line = (port: string, inode: number) =>
  `  12: 00000000:${port} 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 ${inode} 2 0000000000000000 0`

test('xl2tpd and the pppd that it started are named; the pppd of PPPoE is nobody to worry about', () => {
  const found = checkRivals(
    running([
      { pid: 812, name: 'xl2tpd', args: ['/usr/sbin/xl2tpd', '-D'] },
      { pid: 830, name: 'pppd', parent: 812, args: ['pppd', 'passive', 'nodetach'] },
      { pid: 400, name: 'pppd', args: ['pppd', 'plugin', 'rp-pppoe.so', 'eth0', 'user', 'xx@a.1'] },
      { pid: 850, name: 'pppd', args: ['pppd', 'plugin', 'pppol2tp.so'] },
    ]),
  )
  assert.deepEqual(
    found.map(({ severity, message }) => `${severity}: ${message}`),
    [
      'warning: xl2tpd (process 812) is running: two programs that log in with one name throw each other out',
      'warning: pppd (process 830) has an L2TP session of its own',
      'warning: pppd (process 850) has an L2TP session of its own',
    ],
  )
  assert.match(found[0]?.advice ?? '', /systemctl stop xl2tpd && systemctl disable xl2tpd/)
})

test('what runs in another network namespace is none of our concern', () => {
  assert.deepEqual(checkRivals(running([{ pid: 9, name: 'xl2tpd', net: 'net:[1]' }])), [])
  assert.deepEqual(checkRivals(running([])), [])
})

test('who holds a port is known by its socket, of either family', () => {
  const xl2tpd = { pid: 812, name: 'xl2tpd', sockets: [7001, 7002] }
  const bystander = { pid: 20, name: 'dnsmasq', sockets: [99] }
  assert.equal(
    portHolder(running([bystander, xl2tpd], [line('0035', 99), line('06A5', 7002)]), 1701)?.pid,
    '812',
  )
  assert.equal(portHolder(running([xl2tpd], [], [line('06A5', 7001)]), 1701)?.name, 'xl2tpd')
  assert.equal(portHolder(running([xl2tpd], [line('0035', 7001)]), 1701), undefined)
  assert.equal(portHolder(running([bystander], [line('06A5', 7001)]), 1701), undefined, 'out of sight')
})

test('a daemon of ours is known, whatever interpreter runs it', () => {
  const holder = (name: string, args: readonly string[]) =>
    portHolder(running([{ pid: 5, name, args, sockets: [1] }], [line('06A5', 1)]), 1701)
  const ours = holder('node', ['node', '/usr/local/sbin/lifeline', 'run'])
  assert.ok(ours && isLifeline(ours))
  assert.equal(ours.name, 'lifeline')
  const other = holder('node', ['node', '/srv/zigbee2mqtt/index.js'])
  assert.ok(other && !isLifeline(other))
})
