/** Between blobmsg and the values of JSON, as libubox has it (blobmsg_json.c): what `ubus call` shows and takes. */
import type { BlobmsgField, BlobmsgTable, BlobmsgValue } from './blobmsg.ts'

/** A value of JSON. Integers beyond 2^53 are `bigint`. */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject
/** What JSON.parse gives for an object. */
export interface JsonObject {
  readonly [name: string]: JsonValue | undefined
}

const MIN_INT32 = -(2 ** 31)
const MAX_INT32 = 2 ** 31 - 1

/** An object as a table. What is undefined is left out. */
export function tableOf(object: JsonObject): BlobmsgTable {
  const table: BlobmsgField[] = []
  for (const [name, value] of Object.entries(object))
    if (value !== undefined) table.push({ name, value: blobmsgOf(value) })
  return table
}

/** A table as an object; of a name that comes twice the last value counts. `int8` is a boolean, as everywhere in OpenWrt. */
export function objectOf(table: BlobmsgTable): JsonObject {
  return Object.fromEntries(table.map(({ name, value }) => [name, jsonOf(value)]))
}

/** Whole numbers are `int32` where they fit and `int64` otherwise, all others `double`. */
function blobmsgOf(value: JsonValue): BlobmsgValue {
  if (value === null) return { type: 'unspec', value: new Uint8Array() }
  if (isArray(value)) return { type: 'array', value: value.map(blobmsgOf) }
  switch (typeof value) {
    case 'boolean':
      return { type: 'int8', value: value ? 1 : 0 }
    case 'string':
      return { type: 'string', value }
    case 'bigint':
      return { type: 'int64', value }
    case 'number':
      if (!Number.isSafeInteger(value)) return { type: 'double', value }
      if (value < MIN_INT32 || value > MAX_INT32) return { type: 'int64', value: BigInt(value) }
      return { type: 'int32', value }
    case 'object':
      return { type: 'table', value: tableOf(value) }
  }
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}

function jsonOf({ type, value }: BlobmsgValue): JsonValue {
  switch (type) {
    case 'unspec':
      return null
    case 'array':
      return value.map(jsonOf)
    case 'table':
      return objectOf(value)
    case 'int8':
      return value !== 0
    case 'int64':
      return Number.isSafeInteger(Number(value)) ? Number(value) : value
    default:
      return value
  }
}
