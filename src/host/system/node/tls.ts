import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, createSecureContext, type SecureContext } from 'node:tls'
import { type Tls, type TlsCode, type TlsCredentials, TlsError } from '../port.ts'
import { NodeStream } from './streams.ts'
import { systemError } from './system-error.ts'

/** TLS of Node's OpenSSL. */
export const tls: Tls = {
  credentials({ ca, certificate, key }) {
    if (ca !== undefined) readable('TLS_CA', () => new X509Certificate(ca))
    if (certificate !== undefined) readable('TLS_CERTIFICATE', () => new X509Certificate(certificate))
    if (key !== undefined) readable('TLS_KEY', () => createPrivateKey(key))
    const context = readable('TLS_PAIR', () =>
      createSecureContext({
        ...(ca === undefined ? {} : { ca }),
        ...(certificate === undefined ? {} : { cert: certificate }),
        ...(key === undefined ? {} : { key }),
      }),
    )
    return context as unknown as TlsCredentials
  },

  secure(stream, { credentials, peer, acceptAny }, events) {
    if (!(stream instanceof NodeStream)) throw new TypeError('TLS needs a stream of this half')
    const socket = connect({
      socket: stream.handOver(),
      host: peer,
      // RFC 6066 section 3: literal addresses are no server names.
      servername: isIP(peer) === 0 ? peer : '',
      secureContext: credentials as unknown as SecureContext,
      rejectUnauthorized: !acceptAny,
    })
    if (events.onOpen) socket.once('secureConnect', events.onOpen)
    return new NodeStream(socket).tell(events, tlsError)
  },
}

function readable<T>(code: TlsCode, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new TlsError(code, (cause as Error).message, { cause })
  }
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

/** An error of a TLS socket in the codes of the port; what the network says stays what it is. */
function tlsError(cause: Error): unknown {
  const { code = '', message } = cause as NodeJS.ErrnoException
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return new TlsError('TLS_NAME', namesOf(cause))
  if (code === 'CERT_NOT_YET_VALID') return new TlsError('TLS_NOT_YET', message)
  if (code === 'CERT_HAS_EXPIRED') return new TlsError('TLS_EXPIRED', message)
  if (UNTRUSTED.includes(code)) return new TlsError('TLS_UNTRUSTED', message)
  if (/ALERT.*(CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)/.test(code))
    return new TlsError('TLS_REFUSED', alertOf(code))
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST|UNKNOWN_PROTOCOL)|^EPROTO$/.test(code))
    return new TlsError('TLS_NOT_SPOKEN', message)
  if (code.startsWith('ERR_SSL_')) return new TlsError('TLS_FAILED', `${message} (${code})`)
  return systemError(cause)
}

/** The names that a certificate is for. */
function namesOf(cause: Error): string {
  const { cert } = cause as {
    readonly cert?: {
      readonly subjectaltname?: string
      readonly subject?: { readonly CN?: string | string[] }
    }
  }
  const names = cert?.subjectaltname ?? [cert?.subject?.CN ?? []].flat().join(', ')
  return names.replaceAll(/(DNS|IP Address):/g, '')
}

/** RFC 8446 section 6.2: the alert in its name for OpenSSL. */
function alertOf(code: string): string {
  return code
    .replace(/^.*ALERT_/, '')
    .toLowerCase()
    .replaceAll('_', ' ')
}
