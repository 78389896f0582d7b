/** Certificates as a home has them: an authority of its own, and what it signed. Made by openssl, valid for a month. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../process.ts'

export interface KeyPair {
  readonly cert: string
  readonly key: string
}

export class Authority {
  readonly ca: string
  readonly #folder: string
  readonly #name: string

  private constructor(folder: string, name: string) {
    this.#folder = folder
    this.#name = name
    this.ca = join(folder, `${name}.pem`)
  }

  static async create(folder: string, name: string): Promise<Authority> {
    const authority = new Authority(folder, name)
    const key = join(folder, `${name}.key`)
    await openssl('req', '-x509', ...NEW_KEY, '-keyout', key, '-out', authority.ca, '-subj', `/CN=${name}`)
    return authority
  }

  /** `names` are subject alternative names such as `DNS:broker.example` and `IP:127.0.0.1`. */
  async sign(name: string, names: readonly string[]): Promise<KeyPair> {
    const at = (suffix: string) => join(this.#folder, `${name}.${suffix}`)
    writeFileSync(at('ext'), names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`)
    await openssl('req', ...NEW_KEY, '-keyout', at('key'), '-out', at('csr'), '-subj', `/CN=${name}`)
    const authority = ['-CA', this.ca, '-CAkey', join(this.#folder, `${this.#name}.key`), '-CAcreateserial']
    await openssl(
      'x509',
      '-req',
      '-in',
      at('csr'),
      ...authority,
      '-out',
      at('crt'),
      '-days',
      '30',
      '-extfile',
      at('ext'),
    )
    return { cert: at('crt'), key: at('key') }
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

async function openssl(...words: readonly string[]): Promise<void> {
  await run(['openssl', ...words])
}
