import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DoctorPorts } from '../../../src/app/doctor/finding.ts'
import { checkServers, checkUplinks } from '../../../src/app/doctor/servers.ts'
import { SystemError } from '../../../src/app/ports.ts'
import { digests } from '../../../src/core/digests/digests.ts'
import { entropy } from '../../../src/host/entropy.ts'
import { defaultOver } from '../../core/system/samples.ts'
import { Network } from '../../sim/network.ts'
import { SimResolver } from '../../sim/ports.ts'
import { ONE_UPLINK, probe, situation } from './situation.ts'

test('an uplink without the address of its option source is not one without any', () => {
  const uplink = { fibre: { device: 'eth0', source: '10.9.9.9' }, lte: { device: 'wwan0' } }
  const [fibre, lte] = checkUplinks(situation(JSON.stringify({ uplink })))
  assert.deepEqual(fibre, {
    severity: 'warning',
    subject: 'uplink fibre',
    message: 'eth0 does not have the address 10.9.9.9 (option source), but 192.0.2.7',
    advice: 'correct option source, or leave it out',
  })
  assert.equal(lte?.severity, 'ok')
})

test('a default route that is there is not denied', () => {
  const routes = [{ ...defaultOver(2, '192.0.2.254'), table: 100 }]
  assert.deepEqual(
    checkUplinks(situation(ONE_UPLINK, { routes })).map(({ message }) => message),
    ['the default route over eth0 is in table 100 and not in main: name eth0 in an uplink section'],
  )
  const [none] = checkUplinks(situation(ONE_UPLINK, { routes: [] }))
  assert.equal(none?.message, 'this machine has no default route')
})

const FIXED = JSON.stringify({
  tunnel: { aaisp: { server: '192.0.2.1', username: 'a', password: 'b', local_port: '1701' } },
})

/** What is said of the one server, where sockets cannot be opened, or refuse to send. */
async function refused(refusal: 'EADDRINUSE' | 'EPERM', ports: Partial<DoctorPorts>, text = FIXED) {
  const network = new Network(1, { delay: 1 })
  const datagrams: Pick<DoctorPorts['datagrams'], 'open'> = {
    open: ({ onError }) => {
      if (refusal === 'EADDRINUSE') throw new SystemError(refusal, 'address in use')
      const local = { host: '192.0.2.7', port: 1701 }
      return { local, send: () => onError(refusal), connect: () => {}, expect: () => {}, close: () => {} }
    },
  }
  const all = { clock: network.clock, datagrams, digests, entropy, probe: probe({}), ...ports } as DoctorPorts
  let findings: Awaited<ReturnType<typeof checkServers>> | undefined
  void checkServers(all, situation(text)).then((found) => {
    findings = found
  })
  await network.run(60_000, () => findings !== undefined)
  return findings?.[0]
}

/** A system on which one process holds UDP port 1701. */
function holding(name: string, ...args: readonly string[]) {
  const files = {
    '/proc/net/udp': 'header\n 1: 00000000:06A5 00000000:0000 07 0:0 00:0 0 0 0 7001 2 0 0',
    '/proc/812/status': `Name:\t${name}\nPPid:\t1\n`,
    '/proc/812/cmdline': args.map((arg) => `${arg}\0`).join(''),
  }
  return { probe: probe(files, {}, { '/proc/812/fd/4': 'socket:[7001]' }) }
}

test('a port that is taken: the one who has it is named, and ours is nothing to worry about', async () => {
  const foreign = await refused('EADDRINUSE', holding('xl2tpd', 'xl2tpd'))
  assert.deepEqual(
    [foreign?.severity, foreign?.message, foreign?.advice],
    [
      'problem',
      'was not asked: UDP port 1701 (option local_port) is held by xl2tpd (process 812), so the tunnel cannot be dialled',
      'stop xl2tpd, or leave out option local_port',
    ],
  )
  const own = await refused('EADDRINUSE', holding('node', 'node', '/usr/local/sbin/lifeline', 'run'))
  assert.equal(own?.severity, 'note')
  assert.match(own?.message ?? '', /held by the running daemon \(process 812\)/)
  const unseen = await refused('EADDRINUSE', {})
  assert.equal(unseen?.severity, 'note')
  assert.match(unseen?.message ?? '', /held by a process that cannot be seen from here/)
})

const TABLE = { table: { family: 'inet', name: 'lifeline' } }
const theirs = (...expr: readonly object[]) => [
  {
    chain: {
      family: 'inet',
      table: 'own',
      name: 'out',
      type: 'filter',
      hook: 'postrouting',
      policy: 'accept',
    },
  },
  { rule: { family: 'inet', table: 'own', chain: 'out', expr: [...expr, { drop: null }] } },
]

test('a name whose resolver is silent is given up after 8 s', async () => {
  const network = new Network(1, { delay: 1 })
  const resolver = new SimResolver(network)
  resolver.names.set('lns.example', 'silent')
  const ports = { clock: network.clock, resolver, systemResolvers: { forLink: () => ['192.0.2.53'] } }
  const named = FIXED.replace('192.0.2.1', 'lns.example')
  let message: string | undefined
  void checkServers(ports as unknown as DoctorPorts, situation(named)).then(([found]) => {
    message = found?.message
  })
  await network.run(60_000, () => message !== undefined)
  assert.equal(message, 'cannot be looked up: no answer in time')
  assert.equal(network.now, 8000)
})

test('a packet that this machine refuses to send: others are blamed only if they are to blame', async () => {
  const said = async (...nftables: readonly object[]) => {
    const nft = { list: async () => ({ nftables }) } as unknown as DoctorPorts['nft']
    return (await refused('EPERM', { nft }))?.message.replace(/^.*\(EPERM\): /, '')
  }
  assert.equal(await said(TABLE, ...theirs()), 'the chain inet own out drops them')
  const mark = { match: { op: '==', left: { meta: { key: 'mark' } }, right: 1 } }
  assert.equal(
    await said(TABLE, ...theirs(mark)),
    'could not judge whether the chain inet own out does, which depends on meta mark',
  )
  assert.equal(
    await said(TABLE),
    "no chain of another program does, so it is lifeline's own table inet lifeline",
  )
  assert.equal(await said(), 'no chain of nftables does')
})
