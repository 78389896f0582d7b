/** Errors of sockets, TLS and the MQTT package, told as failures of the broker. */
import type { BrokerOptions } from '../app/brokers.ts'
import type { BrokerUrl } from '../core/config/types.ts'
import type { BrokerFailure } from '../core/mqtt/failure.ts'

/** Host and port, as users write them. */
export function brokerText({ host, port }: BrokerUrl): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** OpenSSL's verdicts on a certificate whose signers are not known here (openssl-verification-options(1)). */
const UNTRUSTED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
]

const NETWORK: Readonly<Record<string, string>> = {
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no network',
  EADDRNOTAVAIL: 'there is no address to send from',
  ENETDOWN: 'the network is down',
  EHOSTDOWN: 'the host is down',
}

type SocketError = Error & { readonly code?: unknown; readonly errors?: readonly Error[] }

/** `opening`: the broker has not let us in yet. */
export function failureOfSocket(
  error: SocketError,
  { url, serverName }: BrokerOptions,
  phase: 'opening' | 'open',
): BrokerFailure {
  // Several addresses of a name were tried: the last one says why.
  const last: SocketError = error.errors?.at(-1) ?? error
  const code = typeof last.code === 'string' ? last.code : ''
  const broker = brokerText(url)
  const cause = `${words(last.message)}${code === '' ? '' : ` (${code})`}`
  switch (code) {
    case 'ENOTFOUND':
      return { code: 'name_not_found', host: url.host }
    case 'EAI_AGAIN':
      return { code: 'resolver_failed', host: url.host, cause: 'no resolver answers' }
    case 'ECONNREFUSED':
      return { code: 'refused', broker }
    case 'ETIMEDOUT':
      return { code: 'no_answer', broker }
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return { code: 'tls_name', wanted: serverName ?? url.host, names: namesOf(last) }
    case 'CERT_NOT_YET_VALID':
      return { code: 'clock_not_set' }
    case 'CERT_HAS_EXPIRED':
      return { code: 'tls_expired' }
  }
  if (UNTRUSTED.includes(code)) return { code: 'tls_untrusted', cause: words(last.message) }
  if (NETWORK[code] !== undefined) return { code: 'unreachable', broker, cause: NETWORK[code] }
  if (/ALERT.*(CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)/.test(code))
    return { code: 'tls_client_certificate', cause: alertOf(code) }
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST|UNKNOWN_PROTOCOL)|^EPROTO$/.test(code))
    return { code: 'tls_not_spoken', broker }
  if (code.startsWith('ERR_SSL_')) return { code: 'tls', cause }
  if (phase === 'opening' && (code === 'ECONNRESET' || code === 'EPIPE')) return { code: 'closed_early' }
  return { code: 'lost', cause }
}

/** The package tells these without a code. */
export function failureOfMqtt(error: Error, { url }: BrokerOptions): BrokerFailure {
  if (/connack timeout/i.test(error.message)) return { code: 'no_answer', broker: brokerText(url) }
  if (/keepalive timeout/i.test(error.message)) return { code: 'silent', seconds: 45 }
  return { code: 'nonsense', cause: words(error.message) }
}

/** The names that a certificate is for. */
function namesOf(error: Error): string {
  const { cert } = error as {
    readonly cert?: {
      readonly subjectaltname?: string
      readonly subject?: { readonly CN?: string | string[] }
    }
  }
  const names = cert?.subjectaltname ?? [cert?.subject?.CN ?? []].flat().join(', ')
  return words(names.replaceAll(/(DNS|IP Address):/g, ''))
}

/** RFC 8446 section 6.2: the alert in its name for OpenSSL. */
function alertOf(code: string): string {
  return code
    .replace(/^.*ALERT_/, '')
    .toLowerCase()
    .replaceAll('_', ' ')
}

/** Bounded, and fit for one line. */
function words(text: string): string {
  const line = Array.from(text, (c) => (c < ' ' || c === '\x7f' ? ' ' : c)).join('')
  return line.slice(0, 200).trim()
}
