/** Timed scripts: what must not count, and what has a limit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex } from '../../../src/core/bytes.ts'
import { codes, encodePacket } from '../../../src/core/ppp/packet.ts'
import { encodeFrame, protocols } from '../../../src/core/ppp/protocol.ts'
import { millis } from '../../../src/core/time.ts'
import { clientOptions } from './links.ts'
import { CHALLENGE, CHAP_MD5, MRU_MAGIC, MS_CHAP_V2, Script } from './script.ts'

const { lcp, chap, ipcp } = protocols

test('a Configure-Ack with other options than those we asked for is none (RFC 1661 section 5.2)', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.peer(lcp, codes.configureRequest, 1, MRU_MAGIC)
  const { data } = script.request(lcp)
  script.answer(lcp, codes.configureAck, data.replace('010405b4', '010405dc'))
  script.answer(lcp, codes.configureAck, data.slice(8)).answer(lcp, codes.configureAck, '')
  assert.equal(script.end.of('lcpOpened').length, 0)
  script.answer(lcp)
  assert.equal(script.end.of('lcpOpened').length, 1)
})

test('a Configure-Reject counts only for what we asked for (RFC 1661 section 5.4)', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  const { data } = script.request(lcp)
  script.answer(lcp, codes.configureReject, CHAP_MD5)
  assert.equal(script.request(lcp).data, data)
  assert.equal(script.end.link.phase, 'establish')
  script.openLcp()
})

test('a Success or Failure before we have answered a Challenge is discarded', () => {
  for (const [method, option] of [
    ['chap', CHAP_MD5],
    ['mschapv2', MS_CHAP_V2],
  ] as const) {
    const script = new Script(clientOptions({ auth: [method] })).openLcp(`${MRU_MAGIC}${option}`)
    script.peer(chap, 3, 1).peer(chap, 4, 1)
    assert.equal(script.end.link.phase, 'authenticate')
    assert.equal(script.end.of('authenticated').length, 0)
  }
})

test('a Response of MS-CHAPv2 is repeated ten times for a Success that was lost, and no more', () => {
  const script = new Script(clientOptions({ auth: ['mschapv2'] })).openLcp(`${MRU_MAGIC}${MS_CHAP_V2}`)
  script.peer(chap, 1, 1, CHALLENGE).sent()
  for (let i = 0; i < 100; i++) script.peer(ipcp, codes.configureRequest, i, '0306cb007101')
  assert.equal(script.sent(chap).length, 10)
})

test('no packet of a network protocol but a Configure-Request implies the CHAP Success', () => {
  const script = new Script(clientOptions()).openLcp(`${MRU_MAGIC}${CHAP_MD5}`).peer(chap, 1, 1, CHALLENGE)
  for (let code = 2; code <= codes.codeReject; code++) script.peer(ipcp, code, 1)
  assert.equal(script.end.link.phase, 'authenticate')
})

test('a Challenge that was not asked for at first is not answered after a renegotiation', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.peer(chap, 1, 7, CHALLENGE).openLcp()
  assert.equal(script.end.link.phase, 'network')
  script.peer(lcp, codes.configureRequest, 2, `${MRU_MAGIC}${CHAP_MD5}`).answer(lcp)
  assert.equal(script.end.link.phase, 'authenticate')
  assert.deepEqual(script.sent(chap), [])
})

test('IPCP is tried again quickly only after it was open for a minute', () => {
  for (const [open, pause] of [
    [59_900, 6000],
    [60_000, 3000],
  ] as const) {
    const script = new Script(clientOptions({ echoInterval: millis(0) })).openLcp().openIpv6cp().openIpcp()
    script.peer(ipcp, codes.terminateRequest, 1).wait(3000).openIpcp()
    assert.equal(script.end.of('ipcpOpened').length, 2)
    script.wait(open).peer(ipcp, codes.terminateRequest, 2).sent()
    script.wait(pause - 1)
    assert.deepEqual(script.sent(ipcp), [])
    script.wait(1)
    script.expect(ipcp, codes.configureRequest)
  }
})

test('a peer that says it wants to end is asked three times more', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.sent()
  script.peer(lcp, codes.terminateRequest, 1)
  script.expect(lcp, codes.terminateAck)
  script.sent()
  script.wait(60_000)
  assert.deepEqual(
    script.sent().map(({ code }) => code),
    [codes.configureRequest, codes.configureRequest, codes.configureRequest],
  )
  assert.deepEqual(script.end.last('closed')?.cause, {
    code: 'peerTerminated',
    phase: 'establish',
    afterPassword: false,
  })
})

test("an Echo-Reply is cut to the peer's MRU", () => {
  const script = new Script(clientOptions()).openLcp('01040240 05066b0000ab')
  script.sent()
  script.peer(lcp, codes.echoRequest, 1, `6b0000ab${'61'.repeat(1000)}`)
  assert.equal(script.expect(lcp, codes.echoReply).data.length / 2, 0x240 - 4)
})

test('a Challenge that overtook the Configure-Ack is answered although its datagram has been overwritten since', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.peer(lcp, codes.configureRequest, 1, `${MRU_MAGIC}${CHAP_MD5}`)
  const frame = encodeFrame(chap, encodePacket({ code: 1, identifier: 9, data: fromHex(CHALLENGE) }))
  script.frame(frame)
  frame.fill(0xaa)
  script.answer(lcp)
  const expected = new Script(clientOptions()).openLcp(`${MRU_MAGIC}${CHAP_MD5}`).peer(chap, 1, 9, CHALLENGE)
  assert.deepEqual(script.sent(chap), expected.sent(chap))
})
