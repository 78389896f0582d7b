import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askLns, type LnsAnswer } from '../../../src/app/doctor/ask-lns.ts'
import { Driver } from '../../../src/app/driver.ts'
import type { Datagrams } from '../../../src/app/ports.ts'
import { encodeUtf8 } from '../../../src/core/bytes.ts'
import { digests } from '../../../src/core/digests/digests.ts'
import { L2tpEndpoint } from '../../../src/core/l2tp/endpoint.ts'
import { decodePacket, encodeControl } from '../../../src/core/l2tp/header.ts'
import { decodeMessage } from '../../../src/core/l2tp/message-decode.ts'
import type { L2tpEvent, L2tpOptions } from '../../../src/core/l2tp/types.ts'
import { carriersOf } from '../../../src/core/system/uplinks.ts'
import { millis } from '../../../src/core/time.ts'
import { entropy } from '../../../src/host/entropy.ts'
import { mustRead } from '../../core/config/reading.ts'
import { Network } from '../../sim/network.ts'
import { situation, TWO_UPLINKS } from './situation.ts'

const HERE = { host: '192.0.2.7', port: 40_000 }
const LNS = { host: '192.0.2.1', port: 1701 }

interface Bench {
  readonly answer: LnsAnswer
  readonly took: number
  readonly closedAtLns: boolean
  readonly socketClosed: boolean
}

/** Asks an LNS that is set up so, or none, in virtual time. One that is `shy` is silent to whoever challenges it. */
async function ask(
  lns: (Partial<L2tpOptions> & { shy?: true }) | 'acknowledging' | undefined,
  secret?: string,
  errorCode?: string,
): Promise<Bench> {
  const network = new Network(1, { delay: 10 })
  let socketClosed = false
  const datagrams: Pick<Datagrams, 'open'> = {
    open: ({ onMessage, onError, device }) => {
      assert.equal(device, 'eth0')
      network.bind(HERE, onMessage)
      return {
        local: HERE,
        send: (bytes, to = LNS) => {
          network.send(HERE, to, bytes)
          if (errorCode !== undefined) onError(errorCode)
        },
        connect: () => {},
        expect: () => {},
        close: () => {
          socketClosed = true
        },
      }
    },
  }
  const events: L2tpEvent[] = []
  if (lns === 'acknowledging') {
    network.bind(LNS, (from, bytes) => network.send(LNS, from, acknowledgement(bytes)))
  } else if (lns !== undefined) {
    const endpoint = new L2tpEndpoint({
      role: 'lns',
      peer: HERE,
      hostName: 'lns.example',
      helloInterval: millis(0),
      digests,
      entropy,
      ...lns,
    })
    const driver = new Driver(
      endpoint,
      network.clock,
      (bytes, to) => network.send(LNS, to, bytes),
      (event: L2tpEvent) => events.push(event),
    )
    network.bind(LNS, (from, bytes) => {
      if (!lns.shy || !challenges(bytes)) driver.receive(from, bytes)
    })
  }
  const text = JSON.parse(TWO_UPLINKS)
  if (secret !== undefined) text.tunnel.aaisp.tunnel_secret = secret
  const { config } = mustRead('json', JSON.stringify(text))
  const [tunnel] = config.tunnels
  assert.ok(tunnel)
  const [uplink] = carriersOf(tunnel, config, situation().facts)
  assert.ok(uplink)
  const asked = askLns(
    { clock: network.clock, datagrams: datagrams as Datagrams, digests, entropy },
    tunnel,
    LNS,
    uplink,
  )
  let answer: LnsAnswer | undefined
  void asked.then((given) => {
    answer = given
  })
  await network.run(60_000, () => answer !== undefined)
  assert.ok(answer)
  const took = network.now
  return { answer, took, closedAtLns: events.some(({ type }) => type === 'closed'), socketClosed }
}

test('an LNS that answers is hung up on at once', async () => {
  const { answer, closedAtLns, socketClosed } = await ask({})
  assert.deepEqual(answer, { type: 'opened', hostName: 'lns.example', roundTrip: 20 })
  assert.equal(closedAtLns, true)
  assert.equal(socketClosed, true)
})

test('the tunnel secret is checked on the way', async () => {
  assert.equal((await ask({ secret: encodeUtf8('right') }, 'right')).answer.type, 'opened')
  assert.match(reason((await ask({ secret: encodeUtf8('right') }, 'wrong')).answer), /tunnel_secret is wrong/)
  assert.match(reason((await ask({ secret: encodeUtf8('right') })).answer), /set option tunnel_secret/)
  assert.match(reason((await ask({}, 'right')).answer), /tunnel_secret/)
})

test('an LNS that refuses says why', async () => {
  const { answer } = await ask({ refuseTunnels: { result: 2, error: 4, message: 'full' } })
  assert.match(reason(answer), /^the LNS refused the tunnel: .*full/)
  const stranger = await ask({ refuseTunnels: { result: 4, error: 0, message: 'not in access list' } })
  assert.match(reason(stranger.answer), /^the LNS refused the tunnel: .*not in access list/)
})

test('an LNS that acknowledges and never answers is not silent', async () => {
  const { answer } = await ask('acknowledging')
  assert.match(reason(answer), /^the LNS refused the tunnel: it is there, but never answered/)
})

test('an LNS that has no secret for us, and is silent therefore, is found out', async () => {
  const { answer } = await ask({ shy: true }, 'right')
  assert.equal(
    reason(answer),
    'the LNS did not prove that it knows the tunnel secret: it has none for us, so set it there or remove option tunnel_secret here',
  )
  assert.equal((await ask({ shy: true })).answer.type, 'opened')
  assert.deepEqual((await ask(undefined, 'right')).answer, { type: 'silent', code: undefined })
})

test('silence ends after five seconds, with what the network said', async () => {
  const silent = await ask(undefined)
  assert.deepEqual(silent.answer, { type: 'silent', code: undefined })
  assert.equal(silent.socketClosed, true)
  assert.equal(silent.took, 5000)
  assert.deepEqual((await ask(undefined, undefined, 'ECONNREFUSED')).answer, {
    type: 'silent',
    code: 'ECONNREFUSED',
  })
})

/** Whether this is an SCCRQ with a challenge (RFC 2661 section 5.1.1). */
function challenges(bytes: Uint8Array): boolean {
  const packet = decodePacket(bytes)
  if (!packet.ok || packet.value.kind !== 'control' || packet.value.body.length === 0) return false
  const message = decodeMessage(packet.value.body, { digests, secret: undefined })
  return message.ok && message.value.type === 'SCCRQ' && message.value.challenge !== undefined
}

/** The ZLB for an SCCRQ (RFC 2661 section 5.8). */
function acknowledgement(bytes: Uint8Array): Uint8Array {
  const packet = decodePacket(bytes)
  assert.ok(packet.ok && packet.value.kind === 'control')
  const request = decodeMessage(packet.value.body, { digests, secret: undefined })
  const tunnel = request.ok && request.value.type === 'SCCRQ' ? request.value.assignedTunnelId : 0
  return encodeControl({ tunnel, session: 0, ns: 0, nr: 1 }, new Uint8Array())
}

function reason(answer: LnsAnswer): string {
  return answer.type === 'refused' ? answer.reason : JSON.stringify(answer)
}
