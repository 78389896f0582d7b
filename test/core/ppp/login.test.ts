/** Which logins are possible: every order of `auth` against every set of methods that a peer may require. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuthMethod } from '../../../src/core/ppp/auth-option.ts'
import { codes } from '../../../src/core/ppp/packet.ts'
import { protocols } from '../../../src/core/ppp/protocol.ts'
import {
  type Demand,
  type LoginOutcome,
  logIn,
  PatientDemand,
  type PeerMethod,
  PppdDemand,
  StubbornDemand,
} from './asking-peer.ts'
import { clientOptions } from './links.ts'
import { CHAP_MD5, MRU_MAGIC, MS_CHAP_V2, Script } from './script.ts'

const METHODS: readonly AuthMethod[] = ['chap', 'mschapv2', 'pap']
const PEER_METHODS: readonly PeerMethod[] = ['eap', 'chap', 'mschapv1', 'mschapv2', 'pap']
const { lcp } = protocols
const PAP = '0304c023'
const EAP = '0304c227'

/** All orders of all non-empty subsets. */
function orders<T>(items: readonly T[]): T[][] {
  return items.flatMap((first) => {
    const rest = items.filter((item) => item !== first)
    return [[first], ...orders(rest).map((order) => [first, ...order])]
  })
}

function login(auth: readonly AuthMethod[], demand: Demand): LoginOutcome {
  return logIn(new Script(clientOptions({ auth })), demand)
}

const PEERS: Readonly<Record<string, (required: readonly PeerMethod[]) => Demand>> = {
  pppd: (required) => new PppdDemand(required),
  'a peer that tries one after the other': (required) => new StubbornDemand(required),
  'a peer that waits for a suggestion that suits it': (required) => new PatientDemand(required),
}

describe('no order of auth keeps out whom one of its methods alone would let in', () => {
  for (const [name, demand] of Object.entries(PEERS)) {
    test(name, () => {
      let possible = 0
      for (const required of orders(PEER_METHODS)) {
        const enough = METHODS.filter((method) => login([method], demand(required)) === 'in')
        for (const auth of orders(METHODS)) {
          const alone = auth.some((method) => enough.includes(method))
          const outcome = login(auth, demand(required))
          assert.equal(outcome === 'in', alone, `auth ${auth.join(' ')}, required ${required.join(' ')}`)
          if (alone) possible++
          else assert.equal(outcome !== 'in' && outcome.code, 'authUnacceptable')
        }
      }
      assert.ok(possible > 1000, `${possible}`)
    })

    test(`${name}: the one method that it requires is enough, wherever it stands`, () => {
      for (const auth of orders(METHODS)) {
        for (const method of PEER_METHODS) {
          const allowed = auth.some((each) => each === method)
          assert.equal(login(auth, demand([method])) === 'in', allowed, `auth ${auth.join(' ')}: ${method}`)
        }
      }
    })
  }
})

test('what is allowed is acknowledged at once, whatever we would like better', () => {
  for (const auth of orders(METHODS)) {
    for (const method of auth) {
      const script = new Script(clientOptions({ auth })).command({ type: 'open' })
      const option = { chap: CHAP_MD5, mschapv2: MS_CHAP_V2, pap: PAP }[method]
      script.peer(lcp, codes.configureRequest, 1, `${MRU_MAGIC}${option}`)
      script.expect(lcp, codes.configureAck)
    }
  }
})

test('a copy of a request gets the Nak that it got before; the next request gets the next suggestion', () => {
  const script = new Script(clientOptions({ auth: ['pap', 'mschapv2', 'chap'] })).command({ type: 'open' })
  const suggested = (identifier: number) => {
    script.sent()
    script.wait(1000).peer(lcp, codes.configureRequest, identifier, EAP)
    return script.expect(lcp, codes.configureNak).data
  }
  assert.deepEqual([suggested(1), suggested(1), suggested(2), suggested(3)], [PAP, PAP, MS_CHAP_V2, CHAP_MD5])
})

test('a peer that never changes its identifier hears the next suggestion in the end', () => {
  const script = new Script(clientOptions({ auth: ['pap', 'chap'] })).command({ type: 'open' })
  for (let copy = 0; copy < 3; copy++) script.peer(lcp, codes.configureRequest, 1, EAP).wait(1000)
  script.sent()
  script.peer(lcp, codes.configureRequest, 1, EAP)
  assert.equal(script.expect(lcp, codes.configureNak).data, CHAP_MD5)
})

test('a Nak stays with the protocol that was asked for, as long as there is one to name', () => {
  const script = new Script(clientOptions({ auth: ['pap', 'chap'] })).command({ type: 'open' })
  script.peer(lcp, codes.configureRequest, 1, MS_CHAP_V2)
  assert.equal(script.expect(lcp, codes.configureNak).data, CHAP_MD5)
})

const names = (outcome: LoginOutcome) =>
  outcome !== 'in' && outcome.code === 'authUnacceptable' ? outcome.demanded.map(({ name }) => name) : outcome

test('a pppd that gives up in the network phase wanted all that it asked for', () => {
  for (const [required, asked] of [
    [['pap'], ['PAP']],
    [['eap'], ['EAP']],
    [['mschapv1'], ['MS-CHAPv1']],
    [
      ['pap', 'eap', 'mschapv1'],
      ['EAP', 'MS-CHAPv1', 'PAP'],
    ],
  ] as const) {
    assert.deepEqual(names(login(['chap', 'mschapv2'], new PppdDemand(required))), asked)
  }
})

test('a peer that asked in vain, and goes on without, has no such reason when it ends later', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.peer(lcp, codes.configureRequest, 1, `${MRU_MAGIC}${EAP}`)
  script.peer(lcp, codes.configureRequest, 2, MRU_MAGIC).answer(lcp)
  script.openIpcp().peer(lcp, codes.terminateRequest, 9)
  assert.equal(script.end.last('closed')?.cause.code, 'peerTerminated')
})

test('nor has one that got another method in the end', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.peer(lcp, codes.configureRequest, 1, `${MRU_MAGIC}${EAP}`)
  script.peer(lcp, codes.configureRequest, 2, `${MRU_MAGIC}${CHAP_MD5}`).answer(lcp)
  script.peer(lcp, codes.terminateRequest, 9)
  assert.equal(script.end.last('closed')?.cause.code, 'peerTerminated')
})

test('a peer that goes silent after it was refused wanted what it asked for', () => {
  const script = new Script(clientOptions()).command({ type: 'open' })
  script.peer(lcp, codes.configureRequest, 1, `${MRU_MAGIC}${PAP}`)
  script.peer(lcp, codes.configureRequest, 2, MRU_MAGIC).answer(lcp)
  for (let second = 0; second < 60; second++) script.wait(1000).command({ type: 'alive' })
  const cause = script.end.last('closed')?.cause
  assert.ok(cause)
  assert.deepEqual(names(cause), ['PAP'])
})
