/** What is said over one connection from ubusd's greeting on: requests and their answers, and what others ask of us. */
import { unreachable } from '../result.ts'
import { type Millis, millis } from '../time.ts'
import { BLOBMSG_TYPES, type BlobmsgTable } from './blobmsg.ts'
import { objectOf, tableOf } from './json.ts'
import { type UbusAttributes, type UbusMessage, UbusType } from './message.ts'
import { Requests } from './requests.ts'
import { UbusStatus } from './status.ts'
import type { UbusCaller, UbusCommand, UbusEvent, UbusObject, UbusRole } from './types.ts'

/** ms that ubusd may take for what it answers itself. */
export const PATIENCE = 5_000
/** The object of ubusd that events go through. */
const EVENTS_OBJECT = 1
const OBJECT_ADDED = 'ubus.object.add'

/** Where what is said and what is learnt goes, in order. */
export interface UbusOutput {
  write(message: UbusMessage): void
  tell(event: UbusEvent): void
}

/** What an object id of ours is for. */
type Purpose =
  | { readonly kind: 'object'; readonly object: UbusObject }
  | { readonly kind: 'events'; readonly pattern: string }
  | { readonly kind: 'subscription'; readonly path: string }

interface Call {
  readonly number: number
  readonly path: string
  readonly method: string
  readonly data: BlobmsgTable
  /** The id is remembered from before, and may be out of date. */
  readonly remembered: boolean
}

/** What a request was for; its answer, or the lack of one, leads on. */
type Request =
  | { readonly kind: 'add'; readonly purpose: Purpose }
  | { readonly kind: 'listen' }
  | { readonly kind: 'find'; readonly path: string; readonly objectId: number }
  | { readonly kind: 'subscribe'; readonly path: string }
  | { readonly kind: 'look'; readonly call: Call }
  | { readonly kind: 'invoke'; readonly call: Call; readonly data: BlobmsgTable[] }
  | { readonly kind: 'send' }

/** One connection's worth of them. */
export class UbusConversation {
  readonly #role: UbusRole
  readonly #output: UbusOutput
  readonly #requests = new Requests<Request>()
  /** Our object ids, and those of others by path. */
  readonly #ours = new Map<number, Purpose>()
  readonly #known = new Map<string, number>()

  /** Asks for all of the role. */
  constructor(now: Millis, role: UbusRole, output: UbusOutput) {
    this.#role = role
    this.#output = output
    const { objects, events, subscriptions } = role
    const patterns = new Set([...events, ...(subscriptions.length > 0 ? [OBJECT_ADDED] : [])])
    for (const object of objects) this.#add(now, { kind: 'object', object })
    for (const pattern of patterns) this.#add(now, { kind: 'events', pattern })
    for (const path of subscriptions) this.#add(now, { kind: 'subscription', path })
  }

  command(now: Millis, command: UbusCommand): void {
    switch (command.kind) {
      case 'call':
        this.#call(now, command)
        return
      case 'reply':
        this.#reply(UbusType.data, command.to, {
          objectId: command.to.objectId,
          data: command.data,
        })
        return
      case 'finish':
        this.#reply(UbusType.status, command.to, {
          status: command.status,
          objectId: command.to.objectId,
        })
        return
      case 'notify':
        this.#notify(command.path, command.name, command.data)
        return
      case 'send': {
        const data = tableOf({ id: command.name })
        const inner = { name: 'data', value: { type: 'table', value: command.data } } as const
        this.#ask(now, { kind: 'send' }, UbusType.invoke, EVENTS_OBJECT, {
          objectId: EVENTS_OBJECT,
          method: 'send',
          data: [...data, inner],
        })
        return
      }
      default:
        unreachable(command)
    }
  }

  /** Whether ubusd still answers; methods that do not are told as such. */
  timeout(now: Millis): boolean {
    const late = this.#requests.overdue(now).map(({ request }) => callOf(request))
    for (const call of late) if (call !== undefined) this.#answer(call.number, UbusStatus.timeout)
    // The owner of a method may hang for ever; what ubusd answers itself may not.
    return !late.includes(undefined)
  }

  /** The earliest deadline. */
  pollTimeout(): Millis | undefined {
    return this.#requests.deadline()
  }

  /** The connection has ended. */
  end(): void {
    for (const { request } of this.#requests.clear()) {
      const call = callOf(request)
      if (call !== undefined) this.#answer(call.number, UbusStatus.connectionFailed)
    }
  }

  #add(now: Millis, purpose: Purpose): void {
    const attributes =
      purpose.kind === 'object'
        ? { objectPath: purpose.object.path, signature: signatureOf(purpose.object) }
        : {}
    this.#ask(now, { kind: 'add', purpose }, UbusType.addObject, 0, attributes)
  }

  #call(now: Millis, { number, path, method, data, timeout }: UbusCommand & { kind: 'call' }): void {
    const known = this.#known.get(path)
    const call = { number, path, method, data, remembered: known !== undefined }
    if (known !== undefined) this.#invoke(now, call, known, timeout)
    else this.#ask(now, { kind: 'look', call }, UbusType.lookup, 0, { objectPath: path }, timeout)
  }

  #invoke(now: Millis, call: Call, objectId: number, timeout: number): void {
    const { method, data } = call
    const attributes = { objectId, method, data }
    this.#ask(now, { kind: 'invoke', call, data: [] }, UbusType.invoke, objectId, attributes, timeout)
  }

  #notify(path: string, method: string, data: BlobmsgTable): void {
    for (const [objectId, purpose] of this.#ours) {
      if (purpose.kind !== 'object' || purpose.object.path !== path) continue
      const attributes = { objectId, method, data, noReply: true }
      this.#output.write({
        type: UbusType.notify,
        sequence: this.#requests.next(),
        peer: objectId,
        attributes,
      })
    }
  }

  #ask(
    now: Millis,
    request: Request,
    type: number,
    peer: number,
    attributes: UbusAttributes,
    patience = PATIENCE,
  ): void {
    this.#output.write({ type, sequence: this.#requests.open(now, request, patience), peer, attributes })
  }

  #reply(type: number, { sequence, peer, noReply }: UbusCaller, attributes: UbusAttributes): void {
    if (!noReply) this.#output.write({ type, sequence, peer, attributes })
  }

  #answer(number: number, status: number, data: readonly BlobmsgTable[] = []): void {
    this.#output.tell({ kind: 'answered', number, status, data })
  }

  /** A message from ubusd. */
  take(now: Millis, message: UbusMessage): void {
    const { type, attributes } = message
    switch (type) {
      case UbusType.data:
        this.#data(message)
        return
      case UbusType.status:
        this.#status(now, message)
        return
      case UbusType.invoke:
        this.#invoked(now, message)
        return
      case UbusType.notify: {
        const purpose = this.#ours.get(attributes.objectId ?? 0)
        if (purpose?.kind === 'object')
          this.#output.tell({
            kind: 'audience',
            path: purpose.object.path,
            active: attributes.active ?? false,
          })
        return
      }
      case UbusType.unsubscribe: {
        const purpose = this.#ours.get(attributes.objectId ?? 0)
        if (purpose?.kind === 'subscription') this.#output.tell({ kind: 'unsubscribed', path: purpose.path })
        return
      }
    }
  }

  #data({ sequence, attributes: { objectId, data } }: UbusMessage): void {
    const pending = this.#requests.get(sequence)
    if (pending === undefined) return
    if (pending.request.kind === 'invoke') pending.request.data.push(data ?? [])
    else pending.objectId ??= objectId
  }

  #status(now: Millis, { sequence, attributes }: UbusMessage): void {
    const pending = this.#requests.close(sequence)
    if (pending === undefined) return
    const status = attributes.status ?? UbusStatus.unknownError
    const { request, objectId, deadline } = pending
    switch (request.kind) {
      case 'add':
        this.#added(now, request.purpose, status, objectId)
        return
      case 'find':
        if (status === UbusStatus.ok && objectId !== undefined)
          this.#ask(now, { kind: 'subscribe', path: request.path }, UbusType.subscribe, 0, {
            objectId: request.objectId,
            target: objectId,
          })
        return
      case 'subscribe':
        if (status === UbusStatus.ok) this.#output.tell({ kind: 'subscribed', path: request.path })
        return
      case 'look':
        if (objectId === undefined) {
          this.#answer(request.call.number, status || UbusStatus.notFound)
          return
        }
        this.#known.set(request.call.path, objectId)
        this.#invoke(now, request.call, objectId, deadline - now)
        return
      case 'invoke':
        this.#ended(now, request.call, status, request.data, millis(deadline - now))
        return
      case 'listen':
      case 'send':
        return
      default:
        unreachable(request)
    }
  }

  #ended(now: Millis, call: Call, status: number, data: readonly BlobmsgTable[], left: Millis): void {
    if (status !== UbusStatus.notFound || !call.remembered) {
      this.#answer(call.number, status, data)
      return
    }
    // Its owner was restarted since: the path has another id now.
    this.#known.delete(call.path)
    this.#call(now, { kind: 'call', ...call, timeout: left })
  }

  #added(now: Millis, purpose: Purpose, status: number, objectId: number | undefined): void {
    if (status !== UbusStatus.ok || objectId === undefined) {
      if (purpose.kind === 'object') this.#output.tell({ kind: 'refused', path: purpose.object.path, status })
      return
    }
    this.#ours.set(objectId, purpose)
    switch (purpose.kind) {
      case 'object':
        this.#output.tell({ kind: 'registered', path: purpose.object.path })
        return
      case 'events':
        this.#ask(now, { kind: 'listen' }, UbusType.invoke, EVENTS_OBJECT, {
          objectId: EVENTS_OBJECT,
          method: 'register',
          data: tableOf({ object: objectId | 0, pattern: purpose.pattern }),
        })
        return
      case 'subscription':
        this.#find(now, purpose.path, objectId)
        return
      default:
        unreachable(purpose)
    }
  }

  #find(now: Millis, path: string, objectId: number): void {
    this.#ask(now, { kind: 'find', path, objectId }, UbusType.lookup, 0, { objectPath: path })
  }

  #invoked(now: Millis, { sequence, peer, attributes }: UbusMessage): void {
    const { objectId = 0, method, data = [], noReply = false, user } = attributes
    const caller = { sequence, peer, objectId, noReply }
    const finish = (status: number) => this.#reply(UbusType.status, caller, { status, objectId })
    const purpose = this.#ours.get(objectId)
    if (purpose === undefined) {
      finish(UbusStatus.notFound)
      return
    }
    if (method === undefined || attributes.data === undefined) {
      finish(UbusStatus.invalidArgument)
      return
    }
    switch (purpose.kind) {
      case 'object': {
        const { path, methods } = purpose.object
        if (!Object.hasOwn(methods, method)) {
          finish(UbusStatus.methodNotFound)
          return
        }
        this.#output.tell({ kind: 'called', caller, path, method, data, user })
        return
      }
      case 'events':
        if (method === OBJECT_ADDED) this.#appeared(now, data)
        if (this.#role.events.includes(purpose.pattern))
          this.#output.tell({ kind: 'heard', name: method, data })
        finish(UbusStatus.ok)
        return
      case 'subscription':
        this.#output.tell({ kind: 'notified', path: purpose.path, name: method, data })
        finish(UbusStatus.ok)
        return
      default:
        unreachable(purpose)
    }
  }

  /** Somebody's object is there, or there again: those who want its notifications subscribe. */
  #appeared(now: Millis, data: BlobmsgTable): void {
    const { path } = objectOf(data)
    for (const [objectId, purpose] of this.#ours)
      if (purpose.kind === 'subscription' && purpose.path === path) this.#find(now, path, objectId)
  }
}

function callOf(request: Request): Call | undefined {
  return request.kind === 'look' || request.kind === 'invoke' ? request.call : undefined
}

/** Methods as ubusd wants them: tables in which each argument has the number of its type. */
function signatureOf({ methods }: UbusObject): BlobmsgTable {
  return Object.entries(methods).map(([name, parameters]) => ({
    name,
    value: {
      type: 'table',
      value: Object.entries(parameters).map(([parameter, type]) => ({
        name: parameter,
        value: { type: 'int32', value: BLOBMSG_TYPES.indexOf(type) },
      })),
    },
  }))
}
