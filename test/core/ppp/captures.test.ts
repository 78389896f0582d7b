/** What a real LNS (l2tpns) said in recordings, said again to a client of ours. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { toHex, u16 } from '../../../src/core/bytes.ts'
import { codes, decodePacket } from '../../../src/core/ppp/packet.ts'
import { decodeFrame, protocols } from '../../../src/core/ppp/protocol.ts'
import { readPcap } from '../../sim/pcap.ts'
import { clientOptions } from './links.ts'
import { Script } from './script.ts'

/** The PPP frames of the LNS. Its data messages have no length, offset or sequence numbers; some have priority. */
function framesFromLns(name: string): Uint8Array[] {
  const path = fileURLToPath(new URL(`../../fixtures/l2tpns/l2tpns-${name}.pcap`, import.meta.url))
  return readPcap(path)
    .filter(({ direction, bytes }) => direction === 'fromLns' && (u16(bytes, 0) & ~0x0100) === 0x0002)
    .map(({ bytes }) => bytes.slice(6))
}

/**
 * Feeds them one by one. Answers to Configure-Requests get the identifier of our latest one, and Acks its options:
 * the recorded client had others.
 */
function replay(script: Script, frames: readonly Uint8Array[]): Script {
  for (const bytes of frames) {
    const frame = decodeFrame(bytes)
    assert.ok(frame.ok)
    const { protocol, information } = frame.value
    const packet = decodePacket(information)
    const isAnswer =
      (protocol === protocols.lcp || protocol === protocols.ipcp || protocol === protocols.ipv6cp) &&
      packet.ok &&
      packet.value.code >= codes.configureAck &&
      packet.value.code <= codes.configureReject
    if (!isAnswer) script.frame(bytes)
    else if (packet.value.code === codes.configureAck) script.answer(protocol)
    else script.answer(protocol, packet.value.code, toHex(packet.value.data))
  }
  return script
}

function client(changes: Parameters<typeof clientOptions>[0] = {}): Script {
  return new Script(clientOptions(changes)).command({ type: 'open' })
}

const dns = ['198.51.100.53', '198.51.100.54']

for (const [name, options, address, interfaceId] of [
  ['chap-ok', {}, '203.0.113.10', '0000000000000010'],
  ['pap-ok', { auth: ['pap'], ipv6: false }, '203.0.113.12', undefined],
  ['pool-address', {}, '203.0.113.128', 'cb00718000000000'],
  ['lcp-options', { ipv6: false }, '203.0.113.44', undefined],
  ['ipcp-nak-lns-addr', { ipv6: false }, '203.0.113.55', undefined],
  ['chap-rechallenge-and-dup-success', {}, undefined, undefined],
] as const) {
  test(`${name}: the client comes up`, () => {
    const script = replay(client(options), framesFromLns(name))
    assert.deepEqual(script.end.last('lcpOpened'), { type: 'lcpOpened', mru: 1462, ourMru: 1460 })
    assert.equal(script.end.last('authenticated')?.method, name === 'pap-ok' ? 'pap' : 'chap')
    const ipv4 = script.end.last('ipcpOpened')?.ipv4
    assert.deepEqual(ipv4, { address: address ?? ipv4?.address, peer: '203.0.113.1', dns })
    if (interfaceId !== undefined) {
      const ipv6 = script.end.last('ipv6cpOpened')?.ipv6
      assert.equal(ipv6 && toHex(ipv6.interfaceId), interfaceId)
    }
    assert.equal(script.end.of('closed').length, 0)
  })
}

test('chap-ok: the Router Advertisement and the pings arrive as IP packets', () => {
  const script = replay(client(), framesFromLns('chap-ok'))
  assert.deepEqual(
    new Set(script.end.of('ipReceived').map(({ protocol }) => protocol)),
    new Set(['ipv4', 'ipv6']),
  )
})

test('chap-rechallenge-and-dup-success: without the Success, IPCP implies it', () => {
  const isSuccess = (bytes: Uint8Array) => toHex(bytes).startsWith('ff03c22303')
  const frames = framesFromLns('chap-rechallenge-and-dup-success')
  assert.ok(frames.some(isSuccess))
  const script = replay(
    client(),
    frames.filter((bytes) => !isSuccess(bytes)),
  )
  assert.equal(script.end.of('authenticated').length, 1)
  assert.equal(script.end.of('ipcpOpened').length, 1)
})

test('lcp-reset-unsolicited-ack: the LNS begins anew without authentication, and the session goes on', () => {
  const script = replay(client(), framesFromLns('lcp-reset-unsolicited-ack'))
  assert.equal(script.end.of('lcpOpened').length, 2)
  assert.equal(script.end.of('authenticated').length, 1)
  assert.deepEqual(
    script.end.of('ipcpOpened').map(({ ipv4 }) => ipv4.address),
    ['203.0.113.43', '203.0.113.43'],
  )
  assert.equal(script.end.of('closed').length, 0)
})

test('ipv6-late-start: IPV6CP alone is enough to stay', () => {
  const script = replay(client(), framesFromLns('ipv6-late-start'))
  const ipv6 = script.end.last('ipv6cpOpened')?.ipv6
  assert.equal(ipv6 && toHex(ipv6.interfaceId), '000000000000000a')
  assert.equal(script.end.of('closed').length, 0)
})

test('auth-fail-chap: silence, then the session is taken away', () => {
  const script = replay(client(), framesFromLns('auth-fail-chap'))
  script.expect(protocols.chap, 2)
  script.command({ type: 'lowerDown' })
  assert.deepEqual(script.end.last('closed')?.cause, {
    code: 'lowerDown',
    phase: 'authenticate',
    afterPassword: true,
  })
})

test('auth-nak-storm: we stop long before the LNS does', () => {
  const frames = framesFromLns('auth-nak-storm')
  assert.ok(frames.length > 40)
  const script = replay(client({ auth: ['mschapv2'] }), frames)
  assert.ok(script.sent().length < 20)
  assert.deepEqual(script.end.last('closed')?.cause, {
    code: 'authUnacceptable',
    demanded: [{ name: 'CHAP', method: 'chap' }],
    allowed: ['mschapv2'],
  })
})
