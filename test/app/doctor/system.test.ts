import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkDevices,
  checkNetlink,
  checkNft,
  checkPermissions,
  checkTun,
} from '../../../src/app/doctor/system.ts'
import { type Nft, SystemError } from '../../../src/app/ports.ts'
import { linkOf } from '../../core/system/samples.ts'
import { probe, situation } from './situation.ts'

const STATUS = '/proc/self/status'

function capabilities(effective: string) {
  const { severity, message } = checkPermissions(probe({ [STATUS]: `Name:\tnode\nCapEff:\t${effective}\n` }))
  return `${severity}: ${message}`
}

test('permissions: the bits 12 and 13 of CapEff', () => {
  assert.equal(capabilities('000001ffffffffff'), 'ok: CAP_NET_ADMIN and CAP_NET_RAW are there')
  assert.equal(capabilities('0000000000003000'), 'ok: CAP_NET_ADMIN and CAP_NET_RAW are there')
  assert.equal(capabilities('0000000000000000'), 'problem: CAP_NET_ADMIN and CAP_NET_RAW missing')
  assert.equal(capabilities('0000000000001000'), 'problem: CAP_NET_RAW missing')
  assert.equal(checkPermissions(probe({})).severity, 'note')
})

test('TUN: a missing module and a forbidden device are told apart', () => {
  const found = (code?: string) => checkTun(probe({}, code === undefined ? {} : { '/dev/net/tun': code }))
  assert.equal(found().severity, 'ok')
  assert.match(found('ENOENT').advice ?? '', /kmod-tun/)
  assert.match(found('ENODEV').advice ?? '', /modprobe tun/)
  assert.match(found('EPERM').advice ?? '', /run as root/)
  assert.equal(found('EPERM').severity, 'problem')
})

test('a tunnel whose device is there already and no TUN device', () => {
  const found = (kind: string | undefined) =>
    checkDevices(situation(undefined, { links: [linkOf(9, 'l2tp-aaisp', { kind })] }))
  assert.deepEqual(found('tun'), [])
  assert.deepEqual(found('dummy'), [
    {
      severity: 'problem',
      subject: 'tunnel aaisp',
      message: 'l2tp-aaisp is a device of another kind, which lifeline does not touch',
      advice: 'choose another name with option device',
    },
  ])
})

test('netlink: a refusal is a problem in words', async () => {
  const refusing = {
    open: () => {
      throw new SystemError('EAFNOSUPPORT', 'there is no netlink')
    },
  }
  const { finding, facts } = await checkNetlink(refusing)
  assert.equal(facts, undefined)
  assert.equal(finding.severity, 'problem')
  assert.equal(finding.message, 'there is no netlink')
})

test('nftables: the filter of the tunnels is validated, and not loaded', async () => {
  const checked: string[] = []
  const nft = (refusal?: SystemError): Nft => ({
    load: async () => {
      throw new Error('doctor changes nothing')
    },
    check: async (text) => {
      checked.push(text)
      if (refusal) throw refusal
    },
    list: async () => ({}),
  })
  const { config } = situation()
  assert.equal((await checkNft(nft(), config)).severity, 'ok')
  assert.match(checked[0] ?? '', /iifname "l2tp-aaisp" goto input_aaisp/)
  const missing = await checkNft(nft(new SystemError('ENOENT', 'nft is not installed')), config)
  assert.deepEqual([missing.severity, missing.advice], ['problem', 'install nftables'])
  const refused = await checkNft(nft(new SystemError('EINVAL', 'nft refused')), config)
  assert.match(refused.advice ?? '', /kmod-nft-core/)
})
