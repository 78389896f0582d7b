/**
 * Messages of ubus, as they pass between a client and ubusd over a stream: a header of 8 octets (version 0, type, sequence
 * number, peer) and one blob whose payload are the attributes. All integers are big endian.
 */
import { ByteWriter, concat, decodeUtf8, encodeUtf8, printable, u8, u16, u32 } from '../bytes.ts'
import { BLOB_HEADER, type BlobAttribute, decodeBlobs, encodeBlob, MAX_BLOB, padded } from './blob.ts'
import { type BlobmsgTable, decodeTable, encodeTable } from './blobmsg.ts'

/** The types of messages. */
export const UbusType = {
  hello: 0,
  status: 1,
  data: 2,
  ping: 3,
  lookup: 4,
  invoke: 5,
  addObject: 6,
  removeObject: 7,
  subscribe: 8,
  unsubscribe: 9,
  notify: 10,
  monitor: 11,
} as const

/** What the attributes of a message may hold. Ids of clients and objects have 32 bits. */
export interface UbusAttributes {
  /** 0 is success; what a method returns may be negative. */
  readonly status?: number
  readonly objectPath?: string
  readonly objectId?: number
  readonly method?: string
  readonly objectType?: number
  /** Methods by name, each a table of its arguments' names and types. */
  readonly signature?: BlobmsgTable
  readonly data?: BlobmsgTable
  readonly target?: number
  /** Of a notification about subscribers: whether there are any. */
  readonly active?: boolean
  readonly noReply?: boolean
  readonly subscribers?: readonly number[]
  /** Who calls, as ubusd has it from the kernel. */
  readonly user?: string
  readonly group?: string
}

/** A message of the bus, decoded (ubusmsg.h). */
export interface UbusMessage {
  /** One of `UbusType`, or a number that is not known here. */
  readonly type: number
  /** 16 bits. An answer bears that of its request. */
  readonly sequence: number
  /** The other end: an object or a client; 0 is ubusd. */
  readonly peer: number
  readonly attributes: UbusAttributes
}

/** Octets of a message without its attributes. */
export const HEADER = 8 + BLOB_HEADER
/** ubusd drops clients that announce more than this many octets, and so do we. */
export const MAX_MESSAGE = 1024 * 1024

/** Octets of the whole message that begins here; undefined while its header is not there. */
export function messageLength(bytes: Uint8Array): number | undefined {
  return bytes.length < HEADER ? undefined : 8 + padded(u32(bytes, 8) & MAX_BLOB)
}

/**
 * One whole message; undefined where its header is malformed. Attributes that are malformed or not known here are absent,
 * as for libubox. Never throws.
 */
export function decodeMessage(bytes: Uint8Array): UbusMessage | undefined {
  const length = u32(bytes, 8) & MAX_BLOB
  if (bytes.length < HEADER || u8(bytes, 0) !== 0 || length < BLOB_HEADER || 8 + length > bytes.length)
    return undefined
  const type = u8(bytes, 1)
  // Those of MONITOR have numbers of their own; nobody here asks for it.
  const blobs = type === UbusType.monitor ? [] : decodeBlobs(bytes.subarray(HEADER, 8 + length))
  return { type, sequence: u16(bytes, 2), peer: u32(bytes, 4), attributes: attributesOf(blobs ?? []) }
}

/** A whole message. The attributes are written in the order in which they stand in the object. */
export function encodeMessage({ type, sequence, peer, attributes }: UbusMessage): Uint8Array {
  const blob = encodeBlob({ id: 0, extended: false, payload: encodeAttributes(attributes) })
  return concat(new ByteWriter().u8(0).u8(type).u16(sequence).u32(peer).finish(), blob)
}

type Name = keyof UbusAttributes
interface Codec<T> {
  readonly id: number
  decode(payload: Uint8Array): T | undefined
  encode(value: T): Uint8Array
}

const number32 = {
  decode: (payload: Uint8Array) => (payload.length === 4 ? u32(payload, 0) : undefined),
  encode: (value: number) => new ByteWriter(4).u32(value).finish(),
}
const signed32 = {
  decode: (payload: Uint8Array) => (payload.length === 4 ? u32(payload, 0) | 0 : undefined),
  encode: number32.encode,
}
const flag = {
  decode: (payload: Uint8Array) => (payload.length === 1 ? u8(payload, 0) !== 0 : undefined),
  encode: (value: boolean) => Uint8Array.of(value ? 1 : 0),
}
const text = {
  decode: (payload: Uint8Array) => {
    const end = payload.indexOf(0)
    if (end < 0) return undefined
    const octets = payload.subarray(0, end)
    return decodeUtf8(octets) ?? printable(octets)
  },
  encode: (value: string) => concat(encodeUtf8(value), Uint8Array.of(0)),
}
const table = { decode: decodeTable, encode: encodeTable }
const ids = {
  decode: (payload: Uint8Array) => {
    const found = decodeBlobs(payload)?.map((one) => number32.decode(one.payload))
    return found?.every((id) => id !== undefined) ? found : undefined
  },
  encode: (value: readonly number[]) =>
    concat(...value.map((id) => encodeBlob({ id: 0, extended: false, payload: number32.encode(id) }))),
}

const CODECS: { readonly [N in Name]-?: Codec<NonNullable<UbusAttributes[N]>> } = {
  status: { id: 1, ...signed32 },
  objectPath: { id: 2, ...text },
  objectId: { id: 3, ...number32 },
  method: { id: 4, ...text },
  objectType: { id: 5, ...number32 },
  signature: { id: 6, ...table },
  data: { id: 7, ...table },
  target: { id: 8, ...number32 },
  active: { id: 9, ...flag },
  noReply: { id: 10, ...flag },
  subscribers: { id: 11, ...ids },
  user: { id: 12, ...text },
  group: { id: 13, ...text },
}
const NAMES = Object.keys(CODECS) as readonly Name[]

function attributesOf(blobs: readonly BlobAttribute[]): UbusAttributes {
  const entries: [Name, unknown][] = []
  for (const { id, payload } of blobs) {
    const name = NAMES.find((known) => CODECS[known].id === id)
    const value = name && CODECS[name].decode(payload)
    if (name !== undefined && value !== undefined) entries.push([name, value])
  }
  return Object.fromEntries(entries)
}

function encodeAttributes(attributes: UbusAttributes): Uint8Array {
  const present = Object.entries(attributes).filter(([, value]) => value !== undefined)
  const blobs = present.map(([name, value]) => {
    // Each name has the codec of its own type, which Object.entries cannot say.
    const codec = CODECS[name as Name] as Codec<unknown>
    return encodeBlob({ id: codec.id, extended: false, payload: codec.encode(value) })
  })
  return concat(...blobs)
}
