/** The daemon with no more rights than the unit gives it: another user, two capabilities, no way to more. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { internet, lns } from '../addresses.ts'
import { Process, run } from '../process.ts'
import { PROGRAM } from '../router.ts'
import { subscriber } from '../scenario.ts'
import { buildNetwork } from '../topology.ts'
import { waitFor } from '../wait.ts'

const NOBODY = 65534
const ALICE = subscriber('alice', 1)

/** The values of a setting of the unit. */
function setting(name: string): string[] {
  const [, value = ''] =
    new RegExp(`^${name}=(.*)$`, 'm').exec(readFileSync('.debian/lifeline.service', 'utf8')) ?? []
  return value.split(' ')
}

function setpriv(command: readonly string[]): string[] {
  const capabilities = (name: string) =>
    setting(name).map((capability) => `+${capability.toLowerCase().replace('cap_', '')}`)
  const bounding = capabilities('CapabilityBoundingSet')
  const ambient = capabilities('AmbientCapabilities')
  assert.deepEqual(setting('NoNewPrivileges'), ['yes'])
  return [
    'setpriv',
    ...[`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--no-new-privs'],
    `--bounding-set=${['-all', ...bounding].join()}`,
    ...[`--inh-caps=${['-all', ...ambient].join()}`, `--ambient-caps=${['-all', ...ambient].join()}`],
    ...command,
  ]
}

test('an unprivileged user with the capabilities of the unit dials, and systemd is kept informed', async (t) => {
  // The harness's own folder is for root alone.
  const folder = mkdtempSync(join(tmpdir(), 'lifeline-service-'))
  t.after(() => rmSync(folder, { recursive: true }))
  await run(['chmod', '755', folder])
  const net = await buildNetwork({ users: [ALICE] })
  t.after(() => net.close())

  const [program, node, tun, config] = ['lifeline', 'node', 'tun', 'lifeline.json'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string]
  const state = join(folder, 'state')
  mkdirSync(state)
  copyFileSync(PROGRAM, program)
  writeFileSync(node, '')
  await run(['mknod', '-m', '666', tun, 'c', '10', '200'])
  const tunnel = { line: { server: lns.ipv4, username: ALICE.name, password: ALICE.password } }
  writeFileSync(config, JSON.stringify({ lifeline: { main: { state_dir: state } }, tunnel }), { mode: 0o600 })
  await run(['chown', '-R', `${NOBODY}`, state, config])

  const notify = join(folder, 'notify')
  const manager = new Process('service manager', ['socat', '-u', `UNIX-RECV:${notify},mode=666`, 'STDOUT'])
  t.after(() => manager.stop())
  await waitFor('the notification socket', () => existsSync(notify))
  const socket = join(state, 'control.sock')
  const lifeline = net.router.namespace.start(
    'lifeline',
    setpriv([node, program, 'run', '-c', config, '--socket', socket]),
    { env: { NOTIFY_SOCKET: notify }, mounts: { [node]: process.execPath, '/dev/net/tun': tun } },
  )
  t.after(() => lifeline.stop('SIGKILL'))
  const told = (what: string) =>
    waitFor(what, () => manager.output.includes(what), {
      explain: () => `${manager.output}\n${lifeline.output}`,
    })
  await told('READY=1')
  await told('STATUS=line: up over wan0')

  const status = readFileSync(`/proc/${lifeline.pid}/status`, 'utf8')
  assert.match(status, new RegExp(`^Uid:\\t${NOBODY}\\t${NOBODY}\\t`, 'm'))
  // Bits 12 and 13: CAP_NET_ADMIN and CAP_NET_RAW.
  for (const set of ['CapPrm', 'CapEff', 'CapBnd'])
    assert.match(status, new RegExp(`^${set}:\\t0{12}3000$`, 'm'))
  const { received, output } = await net.router.ping(internet.ipv4, { from: ALICE.ipv4 })
  assert.ok(received > 0, output)
  const { stdout: filters } = await net.router.namespace.run(['nft', 'list', 'tables'])
  assert.match(filters, /inet lifeline/)
  const { stdout: setting6 } = await net.router.namespace.run([
    'sysctl',
    '-n',
    'net.ipv6.conf.l2tp-line.accept_ra',
  ])
  assert.equal(setting6.trim(), '0')

  lifeline.signal('SIGHUP')
  await waitFor(
    'the end of the reload',
    () => /RELOADING=1\nMONOTONIC_USEC=\d+READY=1/.test(manager.output),
    {
      explain: () => manager.output,
    },
  )
  assert.equal(await lifeline.stop('SIGTERM'), 0)
  await told('STOPPING=1')
  const links = await net.router.namespace.show<{ ifname: string }[]>('link', 'show')
  assert.ok(!links.some(({ ifname }) => ifname === 'l2tp-line'))
})
