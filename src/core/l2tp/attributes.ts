/** The attributes of RFC 2661 section 4.4: numbers, names, lengths, and the M bit that each is sent with. */

/** Attribute types by name. */
export const Attribute = {
  messageType: 0,
  resultCode: 1,
  protocolVersion: 2,
  framingCapabilities: 3,
  bearerCapabilities: 4,
  tieBreaker: 5,
  firmwareRevision: 6,
  hostName: 7,
  vendorName: 8,
  assignedTunnelId: 9,
  receiveWindowSize: 10,
  challenge: 11,
  q931CauseCode: 12,
  challengeResponse: 13,
  assignedSessionId: 14,
  callSerialNumber: 15,
  minimumBps: 16,
  maximumBps: 17,
  bearerType: 18,
  framingType: 19,
  calledNumber: 21,
  callingNumber: 22,
  subAddress: 23,
  txConnectSpeed: 24,
  physicalChannelId: 25,
  initialReceivedConfreq: 26,
  lastSentConfreq: 27,
  lastReceivedConfreq: 28,
  proxyAuthenType: 29,
  proxyAuthenName: 30,
  proxyAuthenChallenge: 31,
  proxyAuthenId: 32,
  proxyAuthenResponse: 33,
  callErrors: 34,
  accm: 35,
  randomVector: 36,
  privateGroupId: 37,
  rxConnectSpeed: 38,
  sequencingRequired: 39,
} as const

/** An attribute type that RFC 2661 defines. */
export type AttributeType = (typeof Attribute)[keyof typeof Attribute]

/** What RFC 2661 section 4.4 says of one attribute. */
export interface AttributeRule {
  readonly name: string
  /** Octets of the value before hiding. */
  readonly least: number
  readonly most: number
  /** The M bit that RFC 2661 prescribes for senders. */
  readonly mandatory: boolean
  /** The value, as an integer, must not be 0. */
  readonly nonZero?: true
}

/** Most octets that fit the 10-bit Length field beside the 6 of the header. */
export const MAX_VALUE = 1023 - 6

const M = true

const RULES: Readonly<Record<AttributeType, AttributeRule>> = {
  0: rule('Message Type', 2, 2, M),
  1: rule('Result Code', 2, MAX_VALUE, M),
  2: rule('Protocol Version', 2, 2, M),
  3: rule('Framing Capabilities', 4, 4, M),
  4: rule('Bearer Capabilities', 4, 4, M),
  5: rule('Tie Breaker', 8, 8, !M),
  6: rule('Firmware Revision', 2, 2, !M),
  7: rule('Host Name', 1, MAX_VALUE, M),
  8: rule('Vendor Name', 0, MAX_VALUE, !M),
  9: { ...rule('Assigned Tunnel ID', 2, 2, M), nonZero: true },
  10: { ...rule('Receive Window Size', 2, 2, M), nonZero: true },
  11: rule('Challenge', 1, MAX_VALUE, M),
  12: rule('Q.931 Cause Code', 3, MAX_VALUE, M),
  13: rule('Challenge Response', 16, 16, M),
  14: { ...rule('Assigned Session ID', 2, 2, M), nonZero: true },
  15: rule('Call Serial Number', 4, 4, M),
  16: rule('Minimum BPS', 4, 4, M),
  17: rule('Maximum BPS', 4, 4, M),
  18: rule('Bearer Type', 4, 4, M),
  19: rule('Framing Type', 4, 4, M),
  21: rule('Called Number', 0, MAX_VALUE, M),
  22: rule('Calling Number', 0, MAX_VALUE, M),
  23: rule('Sub-Address', 0, MAX_VALUE, M),
  24: rule('(Tx) Connect Speed', 4, 4, M),
  25: rule('Physical Channel ID', 4, 4, !M),
  26: rule('Initial Received LCP CONFREQ', 0, MAX_VALUE, !M),
  27: rule('Last Sent LCP CONFREQ', 0, MAX_VALUE, !M),
  28: rule('Last Received LCP CONFREQ', 0, MAX_VALUE, !M),
  29: rule('Proxy Authen Type', 2, 2, !M),
  30: rule('Proxy Authen Name', 0, MAX_VALUE, !M),
  31: rule('Proxy Authen Challenge', 1, MAX_VALUE, !M),
  32: rule('Proxy Authen ID', 2, 2, !M),
  33: rule('Proxy Authen Response', 0, MAX_VALUE, !M),
  34: rule('Call Errors', 26, 26, M),
  35: rule('ACCM', 10, 10, M),
  36: rule('Random Vector', 0, MAX_VALUE, M),
  37: rule('Private Group ID', 0, MAX_VALUE, !M),
  38: rule('Rx Connect Speed', 4, 4, !M),
  39: rule('Sequencing Required', 0, 0, M),
}

/** The rule of an IETF attribute (vendor id 0); undefined for numbers that RFC 2661 does not define. */
export function attributeRule(type: number): AttributeRule | undefined {
  return Object.hasOwn(RULES, type) ? RULES[type as AttributeType] : undefined
}

function rule(name: string, least: number, most: number, mandatory: boolean): AttributeRule {
  return { name, least, most, mandatory }
}
