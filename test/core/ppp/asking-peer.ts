/** Peers that demand a login, each with its own way of taking a Nak; they drive the client of a `Script`. */
import { encodeUtf8, fromHex, toHex } from '../../../src/core/bytes.ts'
import type { AuthDialogue } from '../../../src/core/ppp/authentication.ts'
import { createDialogue } from '../../../src/core/ppp/dialogue.ts'
import { defaultPppLimits } from '../../../src/core/ppp/limits.ts'
import { codes, encodePacket } from '../../../src/core/ppp/packet.ts'
import { encodeFrame, protocols } from '../../../src/core/ppp/protocol.ts'
import type { PppCause } from '../../../src/core/ppp/types.ts'
import { serverOptions } from './links.ts'
import { MRU_MAGIC, type Script, type Sent } from './script.ts'

export type PeerMethod = 'eap' | 'chap' | 'mschapv1' | 'mschapv2' | 'pap'

/** RFC 1661 section 6.2: the Authentication-Protocol option of each. */
const OPTIONS: Readonly<Record<PeerMethod, string>> = {
  eap: '0304c227',
  chap: '0305c22305',
  mschapv1: '0305c22380',
  mschapv2: '0305c22381',
  pap: '0304c023',
}

const methodOf = (options: string) =>
  (Object.keys(OPTIONS) as PeerMethod[]).find((method) => options.includes(OPTIONS[method]))

/** How a peer goes on demanding; `asks` is undefined when it has nothing left to ask for. */
export interface Demand {
  readonly asks: PeerMethod | undefined
  nakked(suggested: PeerMethod | undefined): void
}

/**
 * pppd 2.4.9, by its behaviour: EAP goes before CHAP, CHAP before PAP. A Nak that names a digest which it may do makes it
 * take that one, one that names another makes it drop the digest that it prefers least by its own counting, and one that
 * names another protocol makes it drop all of the protocol that it asked for. What is dropped never comes back.
 */
export class PppdDemand implements Demand {
  readonly #left: Set<PeerMethod>

  constructor(required: readonly PeerMethod[]) {
    this.#left = new Set(required)
  }

  get asks(): PeerMethod | undefined {
    return (['eap', 'chap', 'mschapv2', 'mschapv1', 'pap'] as const).find((method) => this.#left.has(method))
  }

  nakked(suggested: PeerMethod | undefined): void {
    const asked = this.asks
    const digests = (['mschapv2', 'mschapv1', 'chap'] as const).filter((method) => this.#left.has(method))
    const named = digests.find((method) => method === suggested)
    const keep = (digest: PeerMethod) => {
      for (const other of digests) if (other !== digest) this.#left.delete(other)
    }
    if (asked === 'eap') {
      this.#left.delete('eap')
      if (named) keep(named)
    } else if (asked === 'pap') this.#left.delete('pap')
    else if (suggested === 'pap') for (const digest of digests) this.#left.delete(digest)
    else if (named) keep(named)
    else if (digests[0]) this.#left.delete(digests[0])
  }
}

/** Tries one after the other, whatever it is told. */
export class StubbornDemand implements Demand {
  readonly #left: PeerMethod[]

  constructor(required: readonly PeerMethod[]) {
    this.#left = [...required]
  }

  get asks(): PeerMethod | undefined {
    return this.#left[0]
  }

  nakked(): void {
    this.#left.shift()
  }
}

/** Asks for its favourite again and again until a Nak names something else that it may do. */
export class PatientDemand implements Demand {
  readonly #required: readonly PeerMethod[]
  asks: PeerMethod | undefined

  constructor(required: readonly PeerMethod[]) {
    this.#required = required
    this.asks = required[0]
  }

  nakked(suggested: PeerMethod | undefined): void {
    if (suggested && this.#required.includes(suggested)) this.asks = suggested
  }
}

/** What became of a login: the client is in, or why the link ended. */
export type LoginOutcome = 'in' | PppCause

/**
 * Negotiates LCP with the client and lets it log in as alice. With nothing left to ask for the peer goes on without, and
 * closes in the network phase, as pppd does.
 */
export function logIn(script: Script, demand: Demand): LoginOutcome {
  let identifier = 1
  let dialogue: AuthDialogue | undefined
  let agreed = false
  const options = serverOptions()
  const request = () => {
    const auth = demand.asks === undefined ? '' : OPTIONS[demand.asks]
    script.peer(protocols.lcp, codes.configureRequest, identifier, `${MRU_MAGIC}${auth}`)
  }
  const opened = () => {
    if (demand.asks === undefined) {
      const words = toHex(encodeUtf8('peer refused to authenticate'))
      script.peer(protocols.lcp, codes.terminateRequest, 9, words)
    } else if (demand.asks === 'chap' || demand.asks === 'mschapv2' || demand.asks === 'pap') {
      dialogue = createDialogue(demand.asks, options, defaultPppLimits, (protocol, packet) => {
        script.frame(encodeFrame(protocol, packet))
      })
      dialogue.start(script.now)
    }
  }
  const lcp = ({ code, data, ...sent }: Sent) => {
    if (code === codes.configureRequest) script.peer(protocols.lcp, codes.configureAck, sent.identifier, data)
    if (sent.identifier !== identifier) return
    if (code === codes.configureAck && !agreed) {
      agreed = true
      opened()
    } else if (code === codes.configureNak || code === codes.configureReject) {
      demand.nakked(code === codes.configureNak ? methodOf(data) : undefined)
      identifier++
      request()
    }
  }
  script.command({ type: 'open' })
  request()
  for (let turn = 0; turn < 100; turn++) {
    for (const sent of script.sent()) {
      if (sent.protocol === protocols.lcp) lcp(sent)
      else if (dialogue?.protocol === sent.protocol)
        dialogue.receive(script.now, encodePacket({ ...sent, data: fromHex(sent.data) }))
    }
    if (script.end.of('authenticated').length > 0) return 'in'
    const closed = script.end.last('closed')
    if (closed) return closed.cause
    script.wait(100)
  }
  throw new Error('neither in nor out')
}
