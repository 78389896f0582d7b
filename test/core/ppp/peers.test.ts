/** Timed scripts: the peculiar peers that a client must survive, and the courteous one it must be quick with. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8, fromHex, toHex, u8 } from '../../../src/core/bytes.ts'
import { digests } from '../../../src/core/digests/digests.ts'
import { md5Response } from '../../../src/core/ppp/chap-packet.ts'
import { codes } from '../../../src/core/ppp/packet.ts'
import { protocols } from '../../../src/core/ppp/protocol.ts'
import { millis } from '../../../src/core/time.ts'
import { clientOptions } from './links.ts'
import { CHALLENGE, CHAP_MD5, MRU_MAGIC, MS_CHAP_V2, Script } from './script.ts'

const { lcp, pap, chap, ipcp, ipv6cp } = protocols
const PAP = '0304c023'
const EAP = '0304c227'
const challengeValue = fromHex('58963dcffee2a9d29b81a7d76ea6b832')

/** The data of our Response to `CHALLENGE`. */
function response(identifier: number): string {
  const digest = toHex(md5Response(digests, identifier, 'wonderland', challengeValue))
  return `10${digest}${toHex(encodeUtf8('alice'))}`
}

/** A link in the network phase, with both protocols open, without authentication. */
function opened(changes: Parameters<typeof clientOptions>[0] = {}): Script {
  const script = new Script(clientOptions(changes)).openLcp().openIpcp().openIpv6cp()
  assert.equal(script.end.of('ipcpOpened').length, 1)
  assert.equal(script.end.of('ipv6cpOpened').length, 1)
  script.sent()
  return script
}

test('everything leaves at once when the peer cooperates: nothing waits for a timer', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  const request = script.expect(lcp, codes.configureRequest)
  assert.match(request.data, /^010405b40506[0-9a-f]{8}$/)
  script.peer(lcp, codes.configureRequest, 1, `${MRU_MAGIC}${CHAP_MD5}`)
  script.expect(lcp, codes.configureAck)
  script.answer(lcp).sent()
  script.peer(chap, 1, 1, CHALLENGE)
  assert.equal(script.expect(chap, 2).data, response(1))
  script.peer(chap, 3, 1)
  assert.equal(script.expect(ipcp, codes.configureRequest).data, '030600000000810600000000830600000000')
  script.expect(ipv6cp, codes.configureRequest)
})

test('the address of last time is asked for first and the Nak is taken', () => {
  const script = new Script(clientOptions({ lastAddress: '203.0.113.9', wantDns: false })).openLcp()
  assert.equal(script.request(ipcp).data, '0306cb007109')
  script.answer(ipcp, codes.configureNak, '0306cb00710a')
  assert.equal(script.request(ipcp).data, '0306cb00710a')
  script.peer(ipcp, codes.configureRequest, 1, '0306cb007101').answer(ipcp)
  assert.deepEqual(script.end.last('ipcpOpened')?.ipv4, {
    address: '203.0.113.10',
    peer: '203.0.113.1',
    dns: [],
  })
})

test('multilink and callback options are rejected as they are, the rest is kept', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.peer(
    lcp,
    codes.configureRequest,
    1,
    `${MRU_MAGIC} 0206000a0000 0702 0802 0d0306 1104064e 1202 130702cb007101`,
  )
  assert.equal(script.expect(lcp, codes.configureReject).data, '0d03061104064e1202130702cb007101')
  script.sent()
  script.peer(lcp, codes.configureRequest, 2, `${MRU_MAGIC} 0206000a0000 0702 0802`)
  script.expect(lcp, codes.configureAck)
})

test('a Challenge that overtakes the Configure-Ack is answered as soon as LCP opens', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.peer(lcp, codes.configureRequest, 1, `${MRU_MAGIC}${CHAP_MD5}`)
  script.peer(chap, 1, 7, CHALLENGE)
  assert.deepEqual(script.sent(chap), [])
  script.answer(lcp)
  assert.equal(script.expect(chap, 2).data, response(7))
})

test('IPCP before the end of authentication is discarded, LCP is answered', () => {
  const script = new Script(clientOptions())
  script.openLcp(`${MRU_MAGIC}${CHAP_MD5}`).sent()
  script.peer(ipcp, codes.configureRequest, 1, '0306cb007101')
  script.peer(ipv6cp, codes.configureRequest, 1, '010a0000000000000001')
  script.peer(0x80fd, codes.configureRequest, 1)
  assert.deepEqual(script.sent(), [])
  script.peer(lcp, codes.echoRequest, 9, '6b0000ab')
  assert.equal(script.expect(lcp, codes.echoReply).identifier, 9)
  assert.equal(script.end.link.phase, 'authenticate')
})

test('an NCP packet implies the CHAP Success that was lost', () => {
  const script = new Script(clientOptions()).openLcp(`${MRU_MAGIC}${CHAP_MD5}`)
  script.peer(chap, 1, 1, CHALLENGE).sent()
  script.peer(ipcp, codes.configureRequest, 1, '0306cb007101')
  assert.equal(script.end.last('authenticated')?.method, 'chap')
  script.expect(ipcp, codes.configureAck)
  script.expect(ipcp, codes.configureRequest)
  script.expect(ipv6cp, codes.configureRequest)
})

test('an MS-CHAPv2 Success proves something: when it is lost the Response is repeated until it comes', () => {
  const script = new Script(clientOptions({ auth: ['mschapv2'] })).openLcp(`${MRU_MAGIC}${MS_CHAP_V2}`)
  script.peer(chap, 1, 1, CHALLENGE)
  const first = script.expect(chap, 2)
  script.sent()
  script.peer(ipcp, codes.configureRequest, 1, '0306cb007101')
  assert.deepEqual(script.expect(chap, 2), first)
  assert.equal(script.end.link.phase, 'authenticate')
  script.peer(chap, 3, 1, toHex(encodeUtf8(`S=${'0'.repeat(40)} M=hello`)))
  assert.deepEqual(script.end.last('closed')?.cause, { code: 'peerNotGenuine' })
})

test('challenges in the middle of a session are answered; a Success to them changes nothing', () => {
  const script = new Script(clientOptions()).openLcp(`${MRU_MAGIC}${CHAP_MD5}`)
  script.peer(chap, 1, 1, CHALLENGE).peer(chap, 3, 1).openIpcp().sent()
  script.wait(5000).peer(chap, 1, 2, CHALLENGE)
  assert.equal(script.expect(chap, 2).data, response(2))
  script.peer(chap, 3, 2).peer(chap, 3, 2)
  assert.equal(script.end.of('authenticated').length, 1)
  assert.equal(script.end.link.phase, 'network')
})

test('CHAP Failure is told with the words of the LNS', () => {
  const script = new Script(clientOptions()).openLcp(`${MRU_MAGIC}${CHAP_MD5}`).peer(chap, 1, 1, CHALLENGE)
  script.peer(chap, 4, 1, toHex(encodeUtf8('no such line')))
  const cause = script.end.last('closed')?.cause
  assert.deepEqual(cause, { code: 'authFailed', method: 'chap', message: 'no such line' })
  script.expect(lcp, codes.terminateRequest)
})

test('a Terminate-Request right after the password says what it probably means', () => {
  const script = new Script(clientOptions()).openLcp(`${MRU_MAGIC}${CHAP_MD5}`).peer(chap, 1, 1, CHALLENGE)
  script.peer(lcp, codes.terminateRequest, 5)
  script.expect(lcp, codes.terminateAck)
  const cause = script.end.last('closed')?.cause
  assert.deepEqual(cause, { code: 'peerTerminated', phase: 'authenticate', afterPassword: true })
})

test('so does the lower layer going down right after the password', () => {
  const script = new Script(clientOptions()).openLcp(`${MRU_MAGIC}${CHAP_MD5}`).peer(chap, 1, 1, CHALLENGE)
  script.command({ type: 'lowerDown' })
  const cause = script.end.last('closed')?.cause
  assert.deepEqual(cause, { code: 'lowerDown', phase: 'authenticate', afterPassword: true })
})

test('a RADIUS server that is down leaves us waiting, but not for ever', () => {
  const script = new Script(clientOptions()).openLcp(`${MRU_MAGIC}${CHAP_MD5}`).peer(chap, 1, 1, CHALLENGE)
  script.wait(44_000)
  assert.equal(script.end.of('closed').length, 0)
  script.wait(2000)
  assert.deepEqual(script.end.last('closed')?.cause, { code: 'authTimeout', method: 'chap', answered: true })
})

test('PAP is refused unless it is allowed', () => {
  const script = new Script(clientOptions()).command({ type: 'open' }).answer(lcp)
  script.peer(lcp, codes.configureRequest, 1, PAP)
  assert.equal(script.expect(lcp, codes.configureNak).data, CHAP_MD5)
})

test('allowed PAP: the request is repeated until it is answered', () => {
  const script = new Script(clientOptions({ auth: ['pap'] })).openLcp(`${MRU_MAGIC}${PAP}`)
  assert.equal(script.expect(pap, 1).data, '05616c6963650a776f6e6465726c616e64')
  script.sent()
  script.wait(1000)
  script.expect(pap, 1)
  script.peer(pap, 2, 1, '00')
  assert.equal(script.end.link.phase, 'network')
})

test('an LNS that tries EAP, MS-CHAPv2 and PAP whatever we Nak gets the first that is allowed', () => {
  const script = new Script(clientOptions({ auth: ['chap', 'mschapv2'] }))
    .command({ type: 'open' })
    .answer(lcp)
  script.peer(lcp, codes.configureRequest, 1, EAP)
  assert.equal(script.expect(lcp, codes.configureNak).data, CHAP_MD5)
  script.sent()
  script.peer(lcp, codes.configureRequest, 2, MS_CHAP_V2)
  script.expect(lcp, codes.configureAck)

  const papOnly = new Script(clientOptions({ auth: ['chap', 'pap'] })).command({ type: 'open' }).answer(lcp)
  papOnly.peer(lcp, codes.configureRequest, 1, EAP).peer(lcp, codes.configureRequest, 2, MS_CHAP_V2).sent()
  papOnly.peer(lcp, codes.configureRequest, 3, PAP)
  papOnly.expect(lcp, codes.configureAck)
})

test('an LNS that repeats its demand for ever gets Naks, Rejects, and then a cause', () => {
  const script = new Script(clientOptions({ auth: ['mschapv2'] })).command({ type: 'open' }).answer(lcp)
  script.sent()
  for (let identifier = 1; identifier <= 200; identifier++) {
    script.peer(lcp, codes.configureRequest, identifier, CHAP_MD5)
  }
  const sent = script.sent(lcp)
  const count = (code: number) => sent.filter((packet) => packet.code === code).length
  assert.equal(count(codes.configureNak), 5)
  assert.ok(count(codes.configureReject) >= 1 && count(codes.configureReject) <= 6, JSON.stringify(sent))
  assert.ok(sent.length <= 13, `${sent.length} packets`)
  const cause = script.end.last('closed')?.cause
  assert.deepEqual(cause, {
    code: 'authUnacceptable',
    demanded: [{ name: 'CHAP', method: 'chap' }],
    allowed: ['mschapv2'],
  })
})

test('the same from an LNS that never changes its identifier', () => {
  const script = new Script(clientOptions({ auth: ['mschapv2'] })).command({ type: 'open' }).answer(lcp)
  script.sent()
  for (let i = 0; i < 200; i++) script.peer(lcp, codes.configureRequest, 1, CHAP_MD5)
  assert.ok(script.sent().length <= 13)
  assert.equal(script.end.last('closed')?.cause.code, 'authUnacceptable')
})

test('an LNS that hangs up while we argue about authentication is understood', () => {
  const script = new Script(clientOptions({ auth: ['mschapv2'] })).command({ type: 'open' }).answer(lcp)
  script.peer(lcp, codes.configureRequest, 1, CHAP_MD5).command({ type: 'lowerDown' })
  assert.equal(script.end.last('closed')?.cause.code, 'authUnacceptable')
})

test('a peer that Naks us for ever is given up', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  for (let i = 0; i < 200; i++) script.answer(lcp, codes.configureNak, '010405b4')
  assert.ok(script.sent().length <= 14)
  assert.deepEqual(script.end.last('closed')?.cause, {
    code: 'negotiationFailed',
    protocol: 'LCP',
    why: 'peerRefuses',
  })
})

test('a Nak that asks us to demand authentication is no reason to hang up (RFC 1661 section 5.3)', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.answer(lcp, codes.configureNak, `01040578${CHAP_MD5}`)
  assert.match(script.request(lcp).data, /^010405780506[0-9a-f]{8}$/)
  assert.equal(script.end.link.phase, 'establish')
  script.openLcp()
})

test('LCP requests are retransmitted with one identifier after 1 s, then half as long again up to 3 s, 20 in all', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.wait(120_000)
  const requests = script.end.sent.filter(({ value }) => toHex(value).startsWith('ff03c02101'))
  const start = requests[0]?.at ?? 0
  assert.deepEqual(
    requests.slice(0, 7).map(({ at }) => at - start),
    [0, 1000, 2500, 4750, 7750, 10_750, 13_750],
  )
  assert.equal(requests.length, 20)
  assert.equal(new Set(requests.map(({ value }) => toHex(value))).size, 1)
  assert.deepEqual(script.end.last('closed')?.cause, {
    code: 'negotiationFailed',
    protocol: 'LCP',
    why: 'timeout',
  })
})

test('a request repeated at leisure is Nak-ed again and again: our Naks may be lost', () => {
  const script = new Script(clientOptions({ auth: ['mschapv2'], echoInterval: millis(0) }))
  script.command({ type: 'open' }).answer(lcp).sent()
  for (let i = 0; i < 15; i++) {
    script.peer(lcp, codes.configureRequest, 1, `${MRU_MAGIC} ${CHAP_MD5}`)
    assert.equal(script.expect(lcp, codes.configureNak).data, MS_CHAP_V2)
    script.wait(3000).sent()
  }
})

test('an address that the LNS rejects is asked for again in the next attempt', () => {
  const script = new Script(clientOptions({ echoInterval: millis(0) })).openLcp().openIpv6cp()
  script.peer(ipcp, codes.configureRequest, 1, '0306cb007101')
  script.answer(ipcp, codes.configureReject, '030600000000 810600000000 830600000000')
  assert.equal(script.request(ipcp).data, '')
  script.answer(ipcp)
  assert.equal(script.end.of('ipcpOpened').length, 0, 'opened, but of no use')
  script.wait(10_000)
  assert.equal(script.request(ipcp).data, '030600000000')
  script.peer(ipcp, codes.configureRequest, 2, '0306cb007101')
  script.answer(ipcp, codes.configureNak, '0306cb00710a').answer(ipcp)
  assert.equal(script.end.of('ipcpOpened').length, 1)
})

test('a remembered address that the LNS rejects gives way to whatever it has', () => {
  const script = new Script(clientOptions({ lastAddress: '203.0.113.9', wantDns: false })).openLcp()
  script.peer(ipcp, codes.configureRequest, 1, '0306cb007101')
  script.answer(ipcp, codes.configureReject)
  assert.equal(script.request(ipcp).data, '030600000000')
  script.answer(ipcp, codes.configureNak, '0306cb00710a').answer(ipcp)
  assert.equal(script.end.last('ipcpOpened')?.ipv4.address, '203.0.113.10')
  // The same in a renegotiation.
  script.peer(ipcp, codes.configureRequest, 2, '0306cb007102')
  assert.equal(script.request(ipcp).data, '0306cb00710a')
  script.answer(ipcp, codes.configureReject)
  assert.equal(script.request(ipcp).data, '030600000000')
})

test('an LNS that rejects the option itself leaves the address to us: the remembered one', () => {
  const script = new Script(clientOptions({ lastAddress: '203.0.113.9', wantDns: false })).openLcp()
  script.peer(ipcp, codes.configureRequest, 1, '0306cb007101')
  script.answer(ipcp, codes.configureReject).answer(ipcp, codes.configureReject)
  assert.equal(script.request(ipcp).data, '')
  script.answer(ipcp)
  assert.equal(script.end.last('ipcpOpened')?.ipv4.address, '203.0.113.9')
})

test('an LNS that Naks with an address and rejects it is not asked for ever', () => {
  const script = new Script(clientOptions({ lastAddress: '203.0.113.9', wantDns: false })).openLcp()
  script.peer(ipcp, codes.configureRequest, 1, '0306cb007101')
  script.answer(ipcp, codes.configureReject).answer(ipcp, codes.configureNak, '0306cb00710a')
  script.answer(ipcp, codes.configureReject)
  assert.equal(script.request(ipcp).data, '')
})

test('the MRU: ours is Nak-ed by the LNS, and its too small one by us', () => {
  const script = new Script(clientOptions({ mru: 576 })).command({ type: 'open' })
  script.answer(lcp, codes.configureNak, '010405b6')
  assert.match(script.request(lcp).data, /^010405b6/)
  script.peer(lcp, codes.configureRequest, 1, '01040100')
  assert.equal(script.expect(lcp, codes.configureNak).data, '010405dc')
  script.answer(lcp).peer(lcp, codes.configureRequest, 2, '01040578')
  assert.deepEqual(script.end.last('lcpOpened'), { type: 'lcpOpened', mru: 1400, ourMru: 1462 })
})

test('rejected MRU and Magic-Number mean 1500 and zero; our own magic echoed back is then no loop', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  const magic = script.request(lcp).data.slice(12)
  script.answer(lcp, codes.configureReject, script.request(lcp).data)
  assert.equal(script.request(lcp).data, '')
  script.answer(lcp).peer(lcp, codes.configureRequest, 1, MRU_MAGIC)
  assert.equal(script.end.last('lcpOpened')?.ourMru, 1500)
  for (let identifier = 0; identifier < 20; identifier++) {
    script.sent()
    script.peer(lcp, codes.echoRequest, identifier, `${magic}616263`)
    assert.equal(script.expect(lcp, codes.echoReply).data, '00000000616263')
  }
  assert.equal(script.end.of('closed').length, 0)
})

test('where our Magic-Number was rejected and the peer has none either, its echoes are no loop', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.answer(lcp, codes.configureReject, script.request(lcp).data)
  script.answer(lcp).peer(lcp, codes.configureRequest, 1, '010405b6')
  for (let identifier = 0; identifier < 20; identifier++)
    script.peer(lcp, codes.echoRequest, identifier, '00000000')
  assert.equal(script.end.of('closed').length, 0)
  assert.equal(script.sent(lcp).filter(({ code }) => code === codes.echoReply).length, 20)
})

test('a looped link is found out (RFC 1661 section 6.4)', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  for (let round = 0; round < 50; round++) {
    const [frame] = script.end.sent.slice(-1)
    assert.ok(frame)
    for (const { value } of script.end.sent.splice(0)) script.frame(value)
    if (script.end.of('closed').length > 0) break
  }
  assert.deepEqual(script.end.last('closed')?.cause, { code: 'loopback' })
})

test('an LNS without magic number of its own sends zero', () => {
  const script = opened()
  script.peer(lcp, codes.echoRequest, 1, '00000000')
  assert.equal(script.expect(lcp, codes.echoReply).data.length, 8)
})

test('Echo-Request before LCP is open is discarded and does no harm', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.sent()
  script.peer(lcp, codes.echoRequest, 1, '00000000')
  assert.deepEqual(script.sent(), [])
})

test('what the peer does not speak, and what we do not: rejects, at a limited rate and length', () => {
  const script = opened()
  script.peer(0x80fd, codes.configureRequest, 1)
  assert.equal(script.expect(lcp, codes.protocolReject).data, '80fd01010004')
  script.sent()
  for (let i = 0; i < 1000; i++) script.peer(0x8053, codes.configureRequest, i & 0xff)
  assert.ok(script.sent().length <= 10)
  script.wait(2000).sent()
  script.frame(`ff03 80fb ${'00'.repeat(3000)}`)
  assert.equal(script.expect(lcp, codes.protocolReject).data.length / 2, 1462 - 4)
  script.sent()
  script.peer(lcp, 77, 3, 'aabb')
  assert.equal(script.expect(lcp, codes.codeReject).data, '4d030006aabb')
  script.sent()
  for (const code of [codes.discardRequest, codes.identification, codes.timeRemaining]) {
    script.peer(lcp, code, 1, '6b0000ab')
  }
  assert.deepEqual(script.sent(), [])
})

test('an unsolicited Ack, and copies of Acks and Naks, are discarded', () => {
  const script = opened()
  script.peer(lcp, codes.configureAck, 99, '010405b4')
  script.answer(lcp).answer(ipcp).answer(ipcp, codes.configureNak, '0306cb00710b')
  assert.deepEqual(script.sent(), [])
  assert.equal(script.end.link.phase, 'network')
})

test('a repeated Configure-Request in Opened gets its Ack again, without a renegotiation', () => {
  const script = opened()
  for (let i = 0; i < 3; i++) script.peer(lcp, codes.configureRequest, 1, MRU_MAGIC)
  assert.equal(script.sent().filter(({ code }) => code === codes.configureAck).length, 3)
  assert.equal(script.end.of('lcpOpened').length, 1)
  // But a peer that really begins anew with the same request is believed in the end.
  for (let i = 0; i < 6; i++) script.peer(lcp, codes.configureRequest, 1, MRU_MAGIC)
  assert.equal(script.end.link.phase, 'establish')
})

test('the peer may renegotiate at any time, without authentication: the address is kept', () => {
  const script = new Script(clientOptions()).openLcp(`${MRU_MAGIC}${CHAP_MD5}`)
  script.peer(chap, 1, 1, CHALLENGE).peer(chap, 3, 1).openIpcp().openIpv6cp().wait(3000).sent()
  script.peer(lcp, codes.configureRequest, 3, MRU_MAGIC)
  script.expect(lcp, codes.configureAck)
  assert.deepEqual(
    script.events.slice(-3).map(({ type }) => type),
    ['ipcpClosed', 'ipv6cpClosed', 'phase'],
  )
  script.answer(lcp)
  assert.equal(script.request(ipcp).data, '0306cb00710a8106c63364358306c6336436')
  script.peer(ipcp, codes.configureRequest, 1, '0306cb007101').answer(ipcp)
  assert.equal(script.end.of('ipcpOpened').length, 2)
  assert.equal(script.end.last('ipcpOpened')?.ipv4.address, '203.0.113.10')
  assert.equal(script.end.of('authenticated').length, 1)
})

test('renegotiation on our own initiative', () => {
  const script = opened()
  script.command({ type: 'renegotiate' })
  script.expect(lcp, codes.configureRequest)
  script.answer(lcp).peer(lcp, codes.configureRequest, 2, MRU_MAGIC)
  assert.equal(script.end.of('lcpOpened').length, 2)
  script.expect(ipcp, codes.configureRequest)
})

test('an LNS that calls itself 0.0.0.0 is Nak-ed with a private address, Reject-ed if it knows no Nak', () => {
  const script = new Script(clientOptions()).openLcp()
  script.peer(ipcp, codes.configureRequest, 1, '030600000000')
  const { data } = script.expect(ipcp, codes.configureNak)
  assert.equal(data, '03060a707070')
  script.sent()
  script.peer(ipcp, codes.codeReject, 3, `0301000a${data}`)
  script.peer(ipcp, codes.configureRequest, 1, '030600000000')
  assert.equal(script.expect(ipcp, codes.configureReject).data, '030600000000')
  script.peer(ipcp, codes.configureRequest, 2).answer(ipcp, codes.configureNak, '0306cb00710a').answer(ipcp)
  assert.equal(script.end.last('ipcpOpened')?.ipv4.peer, undefined)
})

test('name servers that the LNS rejects, or chokes on, are left out', () => {
  const rejecting = new Script(clientOptions()).openLcp()
  rejecting.answer(ipcp, codes.configureReject, '810600000000830600000000')
  assert.equal(rejecting.request(ipcp).data, '030600000000')
  const silent = new Script(clientOptions({ echoInterval: millis(0) })).openLcp()
  silent.wait(14_000)
  assert.equal(silent.request(ipcp).data, '030600000000')
})

test('VJ compression and everything else that IPCP may be asked for is rejected', () => {
  const script = new Script(clientOptions()).openLcp()
  script.peer(ipcp, codes.configureRequest, 1, '0206002d0f01 0306cb007101 810600000000')
  assert.equal(script.expect(ipcp, codes.configureReject).data, '0206002d0f01810600000000')
})

test('without an address IPCP is of no use: acknowledged 0.0.0.0 counts as a failure', () => {
  const script = new Script(clientOptions({ ipv6: false })).openLcp()
  script.peer(ipcp, codes.configureRequest, 1, '0306cb007101').answer(ipcp)
  assert.equal(script.end.of('ipcpOpened').length, 0)
  assert.deepEqual(script.end.last('closed')?.cause, {
    code: 'noNetworkProtocol',
    why: [
      { protocol: 'IPCP', why: 'noAddress' },
      { protocol: 'IPV6CP', why: 'off' },
    ],
  })
})

test('IPV6CP: a Nak is taken, a collision and zero are Nak-ed', () => {
  const interfaceId = fromHex('0102030405060708')
  const script = new Script(clientOptions({ interfaceId })).openLcp()
  assert.equal(script.request(ipv6cp).data, '010a0102030405060708')
  script.peer(ipv6cp, codes.configureRequest, 1, '010a0102030405060708')
  const suggested = script.expect(ipv6cp, codes.configureNak).data
  assert.notEqual(suggested, '010a0102030405060708')
  assert.equal(u8(fromHex(suggested), 2) & 2, 0, 'a random identifier is not universal')
  script.sent()
  script.peer(ipv6cp, codes.configureRequest, 2, '010a0000000000000000')
  script.expect(ipv6cp, codes.configureNak)
  script.answer(ipv6cp, codes.configureNak, '010acb00718000000000').answer(ipv6cp)
  script.peer(ipv6cp, codes.configureRequest, 3, '010a0000000000000001')
  assert.deepEqual(script.end.last('ipv6cpOpened')?.ipv6, {
    interfaceId: fromHex('cb00718000000000'),
    peerInterfaceId: fromHex('0000000000000001'),
  })
})

test('IPV6CP that is ignored times out alone, and is tried again ever more slowly', () => {
  const script = new Script(clientOptions({ echoInterval: millis(0) })).openLcp().openIpcp()
  script.sent()
  script.wait(60_000)
  assert.equal(script.end.of('closed').length, 0)
  const first = script.sent(ipv6cp).length
  script.wait(3_600_000)
  assert.equal(script.end.of('closed').length, 0)
  assert.ok(first <= 24 && script.sent(ipv6cp).length < 400)
  script.openIpv6cp()
  assert.equal(script.end.of('ipcpOpened').length, 1)
})

test('IPV6CP that is Protocol-Rejected is not spoken again, unless the LNS speaks it itself', () => {
  const script = new Script(clientOptions({ echoInterval: millis(0) })).openLcp().openIpcp()
  script.peer(lcp, codes.protocolReject, 1, '8057 0101000e').sent()
  script.wait(600_000)
  assert.deepEqual(script.sent(ipv6cp), [])
  script.openIpv6cp()
  assert.equal(script.end.of('ipv6cpOpened').length, 1)
})

test('a Protocol-Reject for both leaves nothing to stay up for', () => {
  const script = new Script(clientOptions()).openLcp()
  script.peer(lcp, codes.protocolReject, 1, '80210101000e').peer(lcp, codes.protocolReject, 2, '80570101000e')
  assert.deepEqual(script.end.last('closed')?.cause, {
    code: 'noNetworkProtocol',
    why: [
      { protocol: 'IPCP', why: 'rejected' },
      { protocol: 'IPV6CP', why: 'rejected' },
    ],
  })
})

test('an IPCP Terminate-Request ends IPv4 alone, which is tried again after a while', () => {
  const script = opened()
  script.peer(ipcp, codes.terminateRequest, 9)
  script.expect(ipcp, codes.terminateAck)
  assert.equal(script.end.of('ipcpClosed').length, 1)
  assert.equal(script.end.link.phase, 'network')
  script.sent()
  script.wait(2900)
  assert.deepEqual(script.sent(ipcp), [])
  script.wait(200)
  script.expect(ipcp, codes.configureRequest)
  script.peer(ipcp, codes.configureRequest, 9, '0306cb007101').answer(ipcp)
  assert.equal(script.end.of('ipcpOpened').length, 2)
})

test('an IPCP that flaps is slowed down', () => {
  const known = { lastAddress: '203.0.113.10', wantDns: false, echoInterval: millis(0) }
  const script = new Script(clientOptions(known)).openLcp().openIpv6cp()
  const flap = (peer: number) => {
    // Another address each time, so that none of them is a retransmission.
    script.peer(ipcp, codes.configureRequest, peer, `0306cb0071${(20 + peer).toString(16)}`)
    script.answer(ipcp)
  }
  for (let peer = 0; peer < 40; peer++) flap(peer)
  assert.equal(script.end.of('ipcpOpened').length, 11)
  assert.equal(script.end.of('ipcpClosed').length, 11)
  assert.equal(script.end.link.phase, 'network')
  // Each attempt after a pause is over with its first opening, until a minute has passed.
  for (let second = 0; second < 59; second++) {
    script.wait(1000)
    flap(second)
  }
  assert.equal(script.end.of('ipcpOpened').length, 15)
})

test('an IPCP that was given up answers a stubborn LNS at a limited rate', () => {
  const script = new Script(clientOptions({ echoInterval: millis(0) })).openLcp().openIpv6cp()
  const insist = () => script.peer(ipcp, codes.configureRequest, 1, '0206002d0f01')
  for (let i = 0; i < 20; i++) insist()
  const { identifier } = script.expect(ipcp, codes.terminateRequest)
  script.peer(ipcp, codes.terminateAck, identifier)
  script.sent()
  insist()
  script.expect(ipcp, codes.terminateAck)
  for (let i = 0; i < 1000; i++) insist()
  assert.equal(script.sent().length, 10)
  script.wait(1000)
  for (let i = 0; i < 1000; i++) insist()
  assert.equal(script.sent().length, 10)
})

test('no network protocol at all: the link closes with both reasons', () => {
  const script = new Script(clientOptions({ echoInterval: millis(0) })).openLcp()
  script.wait(46_000)
  const cause = script.end.last('closed')?.cause
  assert.equal(cause?.code, 'noNetworkProtocol')
})

test('echo: round-trip time, loss, and life from any packet', () => {
  const script = opened()
  script.wait(1000)
  const { identifier } = script.expect(lcp, codes.echoRequest)
  script.wait(30).peer(lcp, codes.echoReply, identifier, '6b0000ab')
  assert.deepEqual(script.end.last('echoed'), { type: 'echoed', rttMs: 30, late: false })
  script.wait(4970)
  assert.ok(script.end.of('echoMissed').length >= 1)
  for (let second = 0; second < 60; second++) script.wait(1000).command({ type: 'alive' })
  assert.equal(script.end.of('closed').length, 0)
  script.sent()
  script.wait(9500)
  assert.equal(script.end.of('closed').length, 0)
  script.wait(2000)
  const cause = script.end.last('closed')?.cause
  assert.equal(cause?.code, 'echoTimeout')
  assert.ok(cause?.code === 'echoTimeout' && cause.silence >= 10_000 && cause.silence <= 11_000)
  assert.equal(script.end.link.pollTimeout(), undefined)
})

test('a stall of our own is not taken for silence of the peer', () => {
  const script = opened()
  script.now = millis(script.now + 60_000)
  script.end.link.timeout(script.now)
  script.end.drain(script.now)
  assert.equal(script.end.of('closed').length, 0)
})

test('closing in order: Terminate-Request twice, then closed; an Ack ends it sooner', () => {
  const script = opened()
  script.command({ type: 'close', reason: 'reload' })
  script.expect(lcp, codes.terminateRequest)
  assert.equal(script.end.of('ipcpClosed').length, 1)
  script.wait(3000)
  assert.equal(script.sent(lcp).length, 2)
  assert.deepEqual(script.end.last('closed')?.cause, { code: 'localClose', reason: 'reload' })

  const quick = opened()
  quick.command({ type: 'close' })
  quick.peer(lcp, codes.terminateAck, quick.expect(lcp, codes.terminateRequest).identifier)
  assert.deepEqual(quick.end.last('closed')?.cause, { code: 'localClose' })
})

test('IP packets are told only while their protocol is open; those of IPv6 are rejected where it is off', () => {
  const script = new Script(clientOptions({ ipv6: false })).openLcp()
  script.frame('0021450000')
  assert.equal(script.end.of('ipReceived').length, 0)
  script.openIpcp().frame('21450000')
  assert.deepEqual(script.end.last('ipReceived'), {
    type: 'ipReceived',
    protocol: 'ipv4',
    packet: fromHex('450000'),
  })
  script.sent()
  script.peer(ipv6cp, codes.configureRequest, 1, '010a0000000000000001')
  assert.equal(script.expect(lcp, codes.protocolReject).data, '80570101000e010a0000000000000001')
})

test('nothing is sent or told before it is opened and after it is closed', () => {
  const script = new Script(clientOptions())
  script.peer(lcp, codes.configureRequest, 1, MRU_MAGIC)
  assert.deepEqual(script.sent(), [])
  script.command({ type: 'open' }).command({ type: 'lowerDown' })
  const told = script.events.length
  script.sent()
  script.peer(lcp, codes.configureRequest, 1, MRU_MAGIC).command({ type: 'open' }).wait(100_000)
  assert.deepEqual(script.sent(), [])
  assert.equal(script.events.length, told)
})
