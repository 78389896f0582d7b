/** RFC 8200 section 5: IPv6 needs packets of 1280 octets. Where LCP agrees on less it is not opened. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codes } from '../../../src/core/ppp/packet.ts'
import { protocols } from '../../../src/core/ppp/protocol.ts'
import { clientOptions } from './links.ts'
import { Script } from './script.ts'

const { lcp, ipcp, ipv6cp } = protocols
/** Options of LCP: an MRU in octets, and a magic number. */
const mru = (octets: number) => `0104${octets.toString(16).padStart(4, '0')}05066b0000ab`
const IPV6 = '010a0000000000000001'

/** Whether IPV6CP asks, and what an LNS is told that does. */
function spoken(script: Script): { asks: boolean; answer: 'answered' | 'rejected' } {
  const asks = script.sent(ipv6cp).some(({ code }) => code === codes.configureRequest)
  script.peer(ipv6cp, codes.configureRequest, 1, IPV6)
  const rejected = script.sent(lcp).some(({ code }) => code === codes.protocolReject)
  return { asks, answer: rejected ? 'rejected' : 'answered' }
}

test('what the LNS takes decides: 1280 octets are enough, 1279 are not, and IPv4 is as ever', () => {
  for (const [octets, asks, answer] of [
    [1280, true, 'answered'],
    [1279, false, 'rejected'],
    [576, false, 'rejected'],
  ] as const) {
    const script = new Script(clientOptions()).openLcp(mru(octets))
    script.expect(ipcp, codes.configureRequest)
    assert.deepEqual(spoken(script), { asks, answer }, `${octets}`)
    assert.deepEqual(
      script.end.of('ipv6Small').map((event) => event.mtu),
      asks ? [] : [octets],
    )
    script.openIpcp()
    assert.equal(script.end.of('ipcpOpened').length, 1)
  }
})

test('so does what it lets us take', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.answer(lcp, codes.configureNak, '010404b0')
  script.openLcp(mru(1500))
  assert.deepEqual(spoken(script), { asks: false, answer: 'rejected' })
  assert.equal(script.end.last('ipv6Small')?.mtu, 1200)
})

test('LCP that is negotiated anew decides anew', () => {
  const script = new Script(clientOptions()).openLcp(mru(1200)).openIpcp()
  script.peer(lcp, codes.configureRequest, 2, mru(1400)).answer(lcp)
  assert.equal(spoken(script).asks, true)
  script.peer(lcp, codes.configureRequest, 3, mru(1000)).answer(lcp)
  script.sent()
  assert.deepEqual(spoken(script), { asks: false, answer: 'rejected' })
})

test('where IPv6 is off anyway nothing is said of it', () => {
  const script = new Script(clientOptions({ ipv6: false })).openLcp(mru(1000))
  assert.equal(script.end.of('ipv6Small').length, 0)
})

test('an LNS without IPv4 leaves nothing then, and both reasons are told', () => {
  const script = new Script(clientOptions()).openLcp(mru(1000))
  script.peer(lcp, codes.protocolReject, 1, '8021')
  assert.deepEqual(script.end.last('closed')?.cause, {
    code: 'noNetworkProtocol',
    why: [
      { protocol: 'IPCP', why: 'rejected' },
      { protocol: 'IPV6CP', why: 'smallPackets' },
    ],
  })
})
