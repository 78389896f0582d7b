/** What ubusd and methods answer (ubus_msg_status of ubusmsg.h). */
export const UbusStatus = {
  ok: 0,
  invalidCommand: 1,
  invalidArgument: 2,
  methodNotFound: 3,
  notFound: 4,
  noData: 5,
  permissionDenied: 6,
  timeout: 7,
  notSupported: 8,
  unknownError: 9,
  connectionFailed: 10,
  noMemory: 11,
  parseError: 12,
  systemError: 13,
} as const

const WORDS: readonly string[] = [
  'success',
  'invalid command',
  'invalid argument',
  'method not found',
  'not found',
  'no response',
  'permission denied',
  'request timed out',
  'operation not supported',
  'unknown error',
  'connection failed',
  'out of memory',
  'parsing message data failed',
  'system error',
]

/** The status in words, for people. */
export function statusWords(status: number): string {
  return WORDS[status] ?? `status ${status}`
}
