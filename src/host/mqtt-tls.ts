/** What a TLS connection to a broker is made with. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { BrokerOptions } from '../app/brokers.ts'
import { BrokerError } from '../core/mqtt/failure.ts'

/** Reads the files anew, since certificates are renewed. Throws BrokerError that names the file at fault. */
export function secureContext({ caFile, certFile, keyFile }: BrokerOptions): SecureContext {
  const ca = pem('ca_file', caFile, (text) => new X509Certificate(text))
  const cert = pem('cert_file', certFile, (text) => new X509Certificate(text))
  const key = pem('key_file', keyFile, (text) => createPrivateKey(text))
  try {
    return createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    })
  } catch (cause) {
    throw fileError('key_file', keyFile ?? '', 'it does not belong to the certificate in cert_file', cause)
  }
}

const NOT_PEM = {
  ca_file: 'no certificate',
  cert_file: 'no certificate',
  key_file: 'no key without password',
}

function pem(option: keyof typeof NOT_PEM, file: string | undefined, check: (text: string) => unknown) {
  if (file === undefined) return undefined
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw fileError(option, file, REASONS[code] ?? `it cannot be read (${code})`, cause)
  }
  try {
    check(text)
    return text
  } catch (cause) {
    throw fileError(option, file, `it holds ${NOT_PEM[option]} in PEM form`, cause)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'reading it is not permitted',
  EISDIR: 'it is a folder',
}

function fileError(option: string, file: string, why: string, cause: unknown): BrokerError {
  return new BrokerError({ code: 'file', option, file, cause: why }, { cause })
}
