import type { AuthMethod } from './auth-option.ts'
import type { AuthDialogue } from './authentication.ts'
import { ChapServer } from './authenticator.ts'
import { ChapClient } from './chap.ts'
import { PapClient, PapServer } from './pap.ts'
import { protocols } from './protocol.ts'
import type { PppLimits, PppOptions } from './types.ts'

/** Our side of a method, by role: the client answers, the server decides. */
export function createDialogue(
  method: AuthMethod,
  options: PppOptions,
  limits: PppLimits,
  transmit: (protocol: number, packet: Uint8Array) => void,
): AuthDialogue {
  const send = (packet: Uint8Array) => transmit(method === 'pap' ? protocols.pap : protocols.chap, packet)
  const { digests, entropy } = options
  if (options.role === 'client') {
    const { username, password } = options
    return method === 'pap'
      ? new PapClient({ username, password, limits, send })
      : new ChapClient({ method, username, password, digests, entropy, send })
  }
  const verify = (username: string) => options.verify(username)
  return method === 'pap'
    ? new PapServer({ verify, send })
    : new ChapServer({ method, name: options.name, verify, digests, entropy, limits, send })
}
