/** Result and error codes of StopCCN and CDN, and what they mean. RFC 2661 section 4.4.2. */

/** Result codes of StopCCN. */
export const StopCcnResult = {
  clear: 1,
  generalError: 2,
  alreadyExists: 3,
  notAuthorized: 4,
  versionUnsupported: 5,
  shuttingDown: 6,
  stateMachineError: 7,
} as const

/** Result codes of CDN. */
export const CdnResult = {
  carrierLost: 1,
  generalError: 2,
  administrative: 3,
  noFacilitiesNow: 4,
  noFacilities: 5,
  invalidDestination: 6,
  noCarrier: 7,
  busy: 8,
  noDialTone: 9,
  notInTime: 10,
  noFraming: 11,
} as const

/** General Error codes, which go with result 2. */
export const GeneralError = {
  none: 0,
  noControlConnection: 1,
  badLength: 2,
  badValue: 3,
  noResources: 4,
  badSessionId: 5,
  vendorSpecific: 6,
  tryAnother: 7,
  unknownAvp: 8,
} as const

const STOPCCN_WORDS: Readonly<Record<number, string>> = {
  1: 'general request to clear the control connection',
  2: 'general error',
  3: 'the control channel already exists',
  4: 'not authorized to establish a control channel',
  5: 'the protocol version is not supported',
  6: 'the sender is being shut down',
  7: 'finite state machine error',
}

const CDN_WORDS: Readonly<Record<number, string>> = {
  1: 'loss of carrier',
  2: 'general error',
  3: 'disconnected for administrative reasons',
  4: 'no facilities available at the moment',
  5: 'no facilities available',
  6: 'invalid destination',
  7: 'no carrier detected',
  8: 'busy signal',
  9: 'no dial tone',
  10: 'the call was not established within the time allotted',
  11: 'connected, but no appropriate framing was detected',
}

const ERROR_WORDS: Readonly<Record<number, string>> = {
  0: 'no general error',
  1: 'no control connection exists yet for this pair of LAC and LNS',
  2: 'a length is wrong',
  3: 'a field value was out of range, or a reserved field was not zero',
  4: 'insufficient resources at the moment',
  5: 'the session id is invalid in this context',
  6: 'vendor-specific error',
  7: 'try another server',
  8: 'an unknown mandatory AVP was received',
}

/** A StopCCN result code in words. */
export function stopCcnWords(result: number): string {
  return STOPCCN_WORDS[result] ?? `unknown result ${result}`
}

/** A CDN result code in words. */
export function cdnWords(result: number): string {
  return CDN_WORDS[result] ?? `unknown result ${result}`
}

/** A General Error code in words. */
export function errorWords(error: number): string {
  return ERROR_WORDS[error] ?? `unknown error ${error}`
}
