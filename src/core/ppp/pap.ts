/** Password Authentication Protocol, both sides (RFC 1334 section 2). */
import { ByteWriter, encodeUtf8, equalBytes, printable, u8 } from '../bytes.ts'
import type { Secret } from '../secret.ts'
import type { Millis } from '../time.ts'
import type { AuthDialogue, AuthOutcome, AuthSend } from './authentication.ts'
import { decodePacket, encodePacket } from './packet.ts'
import { protocols } from './protocol.ts'
import { RepeatedRequest } from './repeated-request.ts'
import type { PppLimits } from './types.ts'

const AUTHENTICATE_REQUEST = 1
const AUTHENTICATE_ACK = 2
const AUTHENTICATE_NAK = 3
const MAX_FIELD = 255

/** Sends name and password until somebody answers. */
export class PapClient implements AuthDialogue {
  readonly method = 'pap'
  readonly protocol = protocols.pap
  readonly #username: string
  readonly #password: Secret
  readonly #send: AuthSend
  readonly #request: RepeatedRequest
  #identifier = 0

  constructor(options: {
    readonly username: string
    readonly password: Secret
    readonly limits: PppLimits
    readonly send: AuthSend
  }) {
    this.#username = options.username
    this.#password = options.password
    this.#send = options.send
    this.#request = new RepeatedRequest(options.limits, () => this.#transmit())
  }

  get answered(): boolean {
    return this.#identifier > 0
  }

  get deadline(): Millis | undefined {
    return this.#request.deadline
  }

  start(now: Millis): void {
    this.#request.start(now)
  }

  timeout(now: Millis): void {
    this.#request.timeout(now)
  }

  /** Any identifier will do: an answer to an earlier request says the same. */
  receive(_now: Millis, bytes: Uint8Array): AuthOutcome | undefined {
    const packet = decodePacket(bytes)
    if (!packet.ok || !this.answered) return undefined
    const { code, data } = packet.value
    if (code !== AUTHENTICATE_ACK && code !== AUTHENTICATE_NAK) return undefined
    this.#request.stop()
    // RFC 1334 section 2.2.2: Msg-Length, Message; some leave both out.
    const message = printable(data.subarray(1, 1 + u8(data, 0)))
    const said = message === '' ? {} : { message }
    if (code === AUTHENTICATE_ACK) return { kind: 'accepted', username: this.#username, ...said }
    return { kind: 'failed', cause: { code: 'authFailed', method: 'pap', ...said } }
  }

  overtaken(): AuthOutcome | undefined {
    if (!this.answered) return undefined
    this.#request.stop()
    return { kind: 'accepted', username: this.#username }
  }

  #transmit(): void {
    // RFC 1334 section 2.2.1: a new identifier each time.
    this.#identifier = (this.#identifier % 0xff) + 1
    const data = new ByteWriter()
    for (const field of [this.#username, this.#password.reveal()]) {
      const octets = encodeUtf8(field).subarray(0, MAX_FIELD)
      data.u8(octets.length).bytes(octets)
    }
    const packet = { code: AUTHENTICATE_REQUEST, identifier: this.#identifier, data: data.finish() }
    this.#send(encodePacket(packet))
  }
}

/** Waits for a request and answers each one. */
export class PapServer implements AuthDialogue {
  readonly method = 'pap'
  readonly protocol = protocols.pap
  readonly answered = false
  readonly deadline = undefined
  readonly #verify: (username: string) => Secret | undefined
  readonly #send: AuthSend
  /** The peer was accepted or refused before: the same again, whatever it sends now. */
  #outcome: AuthOutcome | undefined

  constructor(options: { verify(username: string): Secret | undefined; readonly send: AuthSend }) {
    this.#verify = (username) => options.verify(username)
    this.#send = options.send
  }

  start(): void {}

  timeout(): void {}

  receive(_now: Millis, bytes: Uint8Array): AuthOutcome | undefined {
    const packet = decodePacket(bytes)
    if (!packet.ok || packet.value.code !== AUTHENTICATE_REQUEST) return undefined
    const request = decodeRequest(packet.value.data)
    if (request === undefined) return undefined
    const first = this.#outcome === undefined
    this.#outcome ??= this.#decide(request)
    const code = this.#outcome.kind === 'accepted' ? AUTHENTICATE_ACK : AUTHENTICATE_NAK
    // An empty message: Msg-Length is there, and zero.
    this.#send(encodePacket({ code, identifier: packet.value.identifier, data: Uint8Array.of(0) }))
    return first ? this.#outcome : undefined
  }

  overtaken(): AuthOutcome | undefined {
    return undefined
  }

  #decide({ name, password }: { readonly name: Uint8Array; readonly password: Uint8Array }): AuthOutcome {
    const username = printable(name)
    const secret = this.#verify(username)
    if (secret && equalBytes(encodeUtf8(secret.reveal()), password)) return { kind: 'accepted', username }
    return { kind: 'failed', cause: { code: 'authFailed', method: 'pap' } }
  }
}

function decodeRequest(data: Uint8Array): { name: Uint8Array; password: Uint8Array } | undefined {
  const passwordAt = 1 + u8(data, 0)
  const end = passwordAt + 1 + u8(data, passwordAt)
  if (passwordAt >= data.length || end > data.length) return undefined
  return { name: data.subarray(1, passwordAt), password: data.subarray(passwordAt + 1, end) }
}
