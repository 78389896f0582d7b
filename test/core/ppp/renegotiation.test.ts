/** Timed scripts: a peer asks again for what it has. Is our Ack lost, or does it begin anew? */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codes } from '../../../src/core/ppp/packet.ts'
import { protocols } from '../../../src/core/ppp/protocol.ts'
import { millis } from '../../../src/core/time.ts'
import { clientOptions } from './links.ts'
import { CHALLENGE, CHAP_MD5, MRU_MAGIC, Script } from './script.ts'

const { lcp, chap, ipcp } = protocols
const LCP_OPTIONS = `${MRU_MAGIC}${CHAP_MD5}`
const IPCP_OPTIONS = '0306cb007101'
/** In ms. */
const LIMIT = 5000

/** LCP is open, and nothing above it has come: the peer may not have got our Ack. */
const quiet = () => new Script(clientOptions({ echoInterval: millis(0) })).openLcp(LCP_OPTIONS)
/** The peer challenges, so that it is open too. */
const challenging = () => quiet().peer(chap, 1, 1, CHALLENGE)
/** All is up. */
const up = () => challenging().peer(chap, 3, 1).openIpcp().openIpv6cp()

/** Whether the peer gets an Ack, and whether a request of ours. */
function ask(script: Script, protocol: number, identifier: number, options: string): string {
  script.sent()
  script.peer(protocol, codes.configureRequest, identifier, options)
  const sent = script.sent(protocol).map(({ code }) => code)
  const acked = sent.includes(codes.configureAck)
  return `${acked ? 'ack' : ''}${sent.includes(codes.configureRequest) ? '+request' : ''}`
}

/** ms after which a peer that begins anew, and asks for what it has after each of these pauses, gets our request. */
function believedAfter(
  script: Script,
  protocol: number,
  options: string,
  { pause, identifier }: { pause: number; identifier: (asked: number) => number },
): number {
  const began = script.now
  for (let asked = 0; asked < 20; asked++) {
    if (ask(script, protocol, identifier(asked), options) === 'ack+request') break
    script.wait(pause)
  }
  return script.now - began
}

const IDENTIFIERS: Readonly<Record<string, (asked: number) => number>> = {
  'one for each request': (asked) => 9 + asked,
  'one for all, as pppd': () => 9,
  'that of before': () => 1,
}

for (const [name, identifier] of Object.entries(IDENTIFIERS)) {
  test(`a peer that begins LCP anew with the same options is believed within 5 s; identifier: ${name}`, () => {
    for (const begin of [quiet, challenging, up]) {
      for (const opened of [10, 500, 3900, 4100, 15_000, 30_000]) {
        for (const pause of [1000, 3000]) {
          const took = believedAfter(begin().wait(opened), lcp, LCP_OPTIONS, { pause, identifier })
          assert.ok(took < LIMIT, `${begin.name}, ${opened} ms after opening, each ${pause} ms: ${took} ms`)
        }
      }
    }
  })
}

test('it is believed at once where it was seen to be open, and has a new identifier', () => {
  for (const begin of [challenging, up])
    assert.equal(ask(begin().wait(500), lcp, 2, LCP_OPTIONS), 'ack+request', begin.name)
})

test('so is one under the identifier of before, once no copy of that can be on its way any more', () => {
  assert.equal(ask(up().wait(2499), lcp, 1, LCP_OPTIONS), 'ack')
  assert.equal(ask(up().wait(2500), lcp, 1, LCP_OPTIONS), 'ack+request')
})

test('what the peer sent before a renegotiation does not show that it is open again', () => {
  const script = up().wait(500)
  script.peer(lcp, codes.configureRequest, 2, LCP_OPTIONS).answer(lcp)
  assert.equal(ask(script.wait(500), lcp, 3, LCP_OPTIONS), 'ack')
})

test('the session is up again as fast as it was at first', () => {
  const script = up().wait(500)
  script.peer(lcp, codes.configureRequest, 2, LCP_OPTIONS).answer(lcp)
  script.peer(chap, 1, 2, CHALLENGE).peer(chap, 3, 2)
  script.peer(ipcp, codes.configureRequest, 2, IPCP_OPTIONS).answer(ipcp)
  assert.equal(script.end.of('ipcpOpened').length, 2)
  assert.equal(script.end.of('closed').length, 0)
})

test('copies that were on their way get their Ack, and harm nothing', () => {
  for (const begin of [challenging, up]) {
    const script = begin()
    const { phase } = script.end.link
    for (const ms of [10, 500, 1000]) assert.equal(ask(script.wait(ms), lcp, 1, LCP_OPTIONS), 'ack')
    assert.equal(script.end.link.phase, phase)
  }
})

test('of two requests that were acknowledged while LCP was negotiated, copies of both may still come', () => {
  const script = new Script(clientOptions({ echoInterval: millis(0) })).command({ type: 'open' })
  script.peer(lcp, codes.configureRequest, 1, LCP_OPTIONS)
  script.peer(lcp, codes.configureRequest, 2, LCP_OPTIONS)
  script.answer(lcp).peer(chap, 1, 1, CHALLENGE)
  for (const identifier of [1, 2]) assert.equal(ask(script.wait(500), lcp, identifier, LCP_OPTIONS), 'ack')
  assert.equal(ask(script, lcp, 3, LCP_OPTIONS), 'ack+request')
})

test('a peer that lacks our Ack gets it again, under a new identifier too: TO+ in Ack-Rcvd asked anew', () => {
  const script = quiet()
  assert.equal(ask(script.wait(1000), lcp, 1, LCP_OPTIONS), 'ack')
  assert.equal(ask(script.wait(1000), lcp, 2, LCP_OPTIONS), 'ack')
  assert.equal(script.end.of('lcpOpened').length, 1)
})

test('an Echo-Request shows nothing: some peers send it before they are open', () => {
  const script = quiet().peer(lcp, codes.echoRequest, 1, '6b0000ab')
  assert.equal(ask(script.wait(500), lcp, 2, LCP_OPTIONS), 'ack')
})

test('one Ack is not repeated more than eight times, however fast it is asked for', () => {
  const script = up()
  for (let i = 0; i < 8; i++) assert.equal(ask(script, lcp, 1, LCP_OPTIONS), 'ack')
  assert.equal(ask(script, lcp, 1, LCP_OPTIONS), 'ack+request')
})

test('other options are a renegotiation whenever they come', () => {
  assert.equal(ask(quiet(), lcp, 1, MRU_MAGIC), 'ack+request')
  assert.equal(ask(up(), ipcp, 1, '0306cb007102'), 'ack+request')
})

test('IPCP, soon after opening: the same options under a new identifier are what lacks our Ack', () => {
  const script = up().wait(1000)
  for (let repetition = 0; repetition <= 8; repetition++)
    assert.equal(ask(script, ipcp, 2, IPCP_OPTIONS), 'ack')
  assert.equal(ask(script, ipcp, 2, IPCP_OPTIONS), 'ack+request', 'who asks so often wants our request too')
})

test('IPCP, long after opening: that is a renegotiation', () => {
  for (const [ms, answer] of [
    [19_900, 'ack'],
    [20_000, 'ack+request'],
  ] as const)
    assert.equal(ask(up().wait(ms), ipcp, 2, IPCP_OPTIONS), answer)
})

test('IPCP that begins anew with the same options after 4 s is believed within 9 s', () => {
  const took = (identifier: (asked: number) => number) =>
    believedAfter(up().wait(5000), ipcp, IPCP_OPTIONS, { pause: 3000, identifier })
  assert.equal(
    took((asked) => 9 + asked),
    3000,
    'an identifier for each',
  )
  assert.equal(
    took(() => 9),
    9000,
    'as pppd: one identifier for all',
  )
})

test('IPCP: a request that was repeated often enough is not repeated more often under a new identifier', () => {
  const script = up()
  for (let i = 0; i < 8; i++) ask(script, ipcp, 1, IPCP_OPTIONS)
  assert.equal(ask(script, ipcp, 2, IPCP_OPTIONS), 'ack')
  assert.equal(ask(script, ipcp, 2, IPCP_OPTIONS), 'ack+request')
})
