/** An LNS gives up after something that we did not do: the cause is told as what it was, however the end is sent. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8, fromHex } from '../../../src/core/bytes.ts'
import type { ClientOptions } from '../../../src/core/client/endpoint.ts'
import { failureMessage } from '../../../src/core/failure.ts'
import { StopCcnResult } from '../../../src/core/l2tp/codes.ts'
import { codes } from '../../../src/core/ppp/packet.ts'
import { protocols } from '../../../src/core/ppp/protocol.ts'
import { millis } from '../../../src/core/time.ts'
import { Puppet } from './puppet.ts'

const EAP = '0304c227'
/** RFC 3078 section 2: CCP's option for MPPE, 128 bits, stateless; RFC 1968: ECP asking for something. */
const MPPE = '120601000040'
const WANTS_IPV6 = '010a0000000000000001'

const changed =
  (ppp: Partial<ClientOptions['ppp']>) =>
  (options: ClientOptions): ClientOptions => ({ ...options, ppp: { ...options.ppp, ...ppp } })

/** The ways in which an LNS ends a session, with words of its own where it can. */
const ENDS: Readonly<Record<string, (puppet: Puppet, words: string) => Puppet>> = {
  'Terminate-Request': (puppet, words) =>
    puppet.ppp(protocols.lcp, codes.terminateRequest, 9, encodeUtf8(words)),
  CDN: (puppet, words) =>
    puppet.answerCall({
      type: 'CDN',
      assignedSessionId: 7,
      result: { result: 3, error: 0, message: encodeUtf8(words) },
    }),
}
const stopCcn = (result: number) => ({ type: 'StopCCN', assignedTunnelId: 700, result: { result } }) as const

const offer = (puppet: Puppet, protocol: number, options: string) =>
  puppet.ppp(protocol, codes.configureRequest, 1, fromHex(options))

for (const [name, end] of Object.entries(ENDS)) {
  test(`what an LNS requires, and we deny, is the reason: ${name}`, () => {
    const mppe = end(
      offer(new Puppet().openLcp(''), protocols.ccp, MPPE),
      'MPPE required but peer negotiation failed',
    )
    assert.deepEqual(mppe.failures.map(failureMessage), [
      'the LNS ended the connection when it was denied encryption by MPPE, which it seems to require and lifeline does not do: "MPPE required but peer negotiation failed"',
    ])
    const ecp = end(offer(new Puppet().openLcp(''), protocols.ecp, ''), '')
    assert.deepEqual(ecp.failures, [{ code: 'declined', what: ['ecp'] }])
    const ipv6 = end(
      offer(new Puppet(changed({ ipv6: false })).openLcp(''), protocols.ipv6cp, WANTS_IPV6),
      '',
    )
    assert.deepEqual(ipv6.failures.map(failureMessage), [
      'the LNS ended the connection when it was denied IPv6, which it seems to require and which is off here (see option ipv6)',
    ])
  })

  test(`IPv6 that needs larger packets is no matter of option ipv6: ${name}`, () => {
    const small = end(offer(new Puppet(changed({ mru: 1200 })).openLcp(''), protocols.ipv6cp, WANTS_IPV6), '')
    assert.deepEqual(small.failures.map(failureMessage), [
      'the LNS ended the connection when it was denied IPv6, which it seems to require and which needs larger packets than it takes or sends (1280 octets)',
    ])
  })

  test(`it is not where it came long before, or was a mere offer: ${name}`, () => {
    const codesOf = (puppet: Puppet) => end(puppet, '').failures.map(({ code }) => code)
    const other = name === 'CDN' ? 'session_closed' : 'terminated'
    const early = offer(new Puppet(changed({ echoInterval: millis(0) })).openLcp(''), protocols.ccp, MPPE)
    assert.deepEqual(codesOf(early.wait(10_000)), [other])
    // RFC 1974: compression alone.
    assert.deepEqual(codesOf(offer(new Puppet().openLcp(''), protocols.ccp, '1105000101')), [other])
    assert.deepEqual(codesOf(offer(new Puppet().openLcp(''), protocols.ipv6cp, WANTS_IPV6)), [other])
  })

  test(`an LNS that went on without the login that it wanted, and gives up then: ${name}`, () => {
    const puppet = new Puppet().openLcp(EAP).requestLcp(2, '05b5', '')
    assert.deepEqual(end(puppet, 'peer refused to authenticate').failures, [
      { code: 'auth_method', asked: ['EAP'], allowed: ['chap'], allowable: false },
    ])
  })
}

test('the same for an LNS that ends the whole tunnel, but not for one that shuts down or falls silent', () => {
  const quarrel = () => new Puppet().openLcp(EAP)
  const codesOf = (puppet: Puppet) => puppet.failures.map(({ code }) => code)
  assert.deepEqual(codesOf(quarrel().say(stopCcn(StopCcnResult.clear))), ['auth_method'])
  assert.deepEqual(codesOf(quarrel().say(stopCcn(StopCcnResult.shuttingDown))), ['tunnel_closed'])
  const denied = offer(new Puppet().openLcp(''), protocols.ccp, MPPE)
  assert.deepEqual(codesOf(denied.say(stopCcn(StopCcnResult.shuttingDown))), ['tunnel_closed'])
})

/** The LNS does not have these protocols (RFC 1661 section 5.7). */
const without = (puppet: Puppet, ...numbers: string[]) =>
  numbers.reduce((all, number) => all.ppp(protocols.lcp, codes.protocolReject, 1, fromHex(number)), puppet)

test('where nothing came up both families have their reason, that of configuration too', () => {
  for (const [puppet, reasons] of [
    [
      without(new Puppet().openLcp(''), '8021', '8057'),
      'IPv4: the LNS does not have it; IPv6: the LNS does not have it',
    ],
    [
      without(new Puppet(changed({ ipv6: false })).openLcp(''), '8021'),
      'IPv4: the LNS does not have it; IPv6: it is off here (option ipv6)',
    ],
    [
      without(new Puppet(changed({ mru: 1200 })).openLcp(''), '8021'),
      'IPv4: the LNS does not have it; IPv6: it needs packets of 1280 octets, and the LNS takes or sends no such',
    ],
  ] as const) {
    assert.deepEqual(puppet.failures.map(failureMessage), [
      `the LNS let us in, but neither IPv4 nor IPv6 came up (${reasons})`,
    ])
  }
})

test('an LNS that insists on an option that we refuse is said to, once', () => {
  const puppet = new Puppet().openLcp('')
  // RFC 1990: multilink, in vain, in a renegotiation.
  for (let identifier = 2; identifier < 40; identifier++) puppet.requestLcp(identifier, '05b6', '110405dc')
  assert.deepEqual(puppet.failures.map(failureMessage), [
    'the LNS and this machine could not agree on how to speak PPP: the LNS insists on something that we refuse',
  ])
})
