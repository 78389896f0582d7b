/** What goes into a client of ubus, and what comes out of it. */
import type { Millis } from '../time.ts'
import type { BlobmsgTable, BlobmsgType } from './blobmsg.ts'

/** An object of ours: its methods by name, each with its arguments' names and types. */
export interface UbusObject {
  readonly path: string
  readonly methods: Readonly<Record<string, Readonly<Record<string, BlobmsgType>>>>
}

/** What a client is there for; all of it is asked for again with each connection. */
export interface UbusRole {
  readonly objects: readonly UbusObject[]
  /** Names of events, `*` at the end for all that begin so. */
  readonly events: readonly string[]
  /** Paths of objects whose notifications are wanted, whether they are there yet or not. */
  readonly subscriptions: readonly string[]
}

/** A call of somebody else's to an object of ours, to which answers are sent. */
export interface UbusCaller {
  readonly sequence: number
  readonly peer: number
  readonly objectId: number
  /** Nobody waits for an answer: none is sent. */
  readonly noReply: boolean
}

/** What whoever has a client may want of it. */
export type UbusCommand =
  /** Ends in an `answered` with the same number, after `timeout` ms at the latest. */
  | {
      readonly kind: 'call'
      readonly number: number
      readonly path: string
      readonly method: string
      readonly data: BlobmsgTable
      readonly timeout: Millis
    }
  /** One of any number of tables that answer a call. */
  | { readonly kind: 'reply'; readonly to: UbusCaller; readonly data: BlobmsgTable }
  /** Ends a call, once. */
  | { readonly kind: 'finish'; readonly to: UbusCaller; readonly status: number }
  /** Tells the subscribers of an object of ours, if there are any. */
  | { readonly kind: 'notify'; readonly path: string; readonly name: string; readonly data: BlobmsgTable }
  /** Broadcasts an event. */
  | { readonly kind: 'send'; readonly name: string; readonly data: BlobmsgTable }

/** What a client has to say. */
export type UbusEvent =
  /** A connection is wanted: answer with `connected` or `disconnected`. */
  | { readonly kind: 'connectionWanted' }
  /** The connection is of no use any more: close it. What comes from it is not read, and `disconnected` not waited for. */
  | { readonly kind: 'connectionGivenUp'; readonly cause: UbusTrouble }
  /** ubusd greets; the role is being asked for. */
  | { readonly kind: 'greeted' }
  /** An object of ours is there under its path. */
  | { readonly kind: 'registered'; readonly path: string }
  /** It is not: `invalidArgument` where the path is taken or not allowed. Tried again with the next connection. */
  | { readonly kind: 'refused'; readonly path: string; readonly status: number }
  /** `status` is 0 for success; `connectionFailed` where the connection ended, `timeout` where nobody answered. */
  | {
      readonly kind: 'answered'
      readonly number: number
      readonly status: number
      readonly data: readonly BlobmsgTable[]
    }
  | {
      readonly kind: 'called'
      readonly caller: UbusCaller
      readonly path: string
      readonly method: string
      readonly data: BlobmsgTable
      /** Undefined where ubusd does not say. */
      readonly user: string | undefined
    }
  | { readonly kind: 'heard'; readonly name: string; readonly data: BlobmsgTable }
  /** From now on, and until `unsubscribed`, notifications of that path come. What was before has to be asked for. */
  | { readonly kind: 'subscribed'; readonly path: string }
  | { readonly kind: 'unsubscribed'; readonly path: string }
  | { readonly kind: 'notified'; readonly path: string; readonly name: string; readonly data: BlobmsgTable }
  /** Whether anybody subscribes to an object of ours. */
  | { readonly kind: 'audience'; readonly path: string; readonly active: boolean }

/** Why a connection is given up: ubusd does not greet or answer, or what it says makes no sense. */
export type UbusTrouble = 'silent' | 'nonsense'
