/** Prefixes as the kernel wants them. */
import { formatIp, type Prefix, parseIp } from './address.ts'

/** The prefix without its host bits. */
export function networkOf({ address, length }: Prefix): Prefix {
  const bytes = parseIp(address) ?? new Uint8Array(4)
  const network = bytes.map((octet, i) => {
    const kept = Math.min(8, Math.max(0, length - 8 * i))
    return octet & (0xff00 >> kept)
  })
  return { address: formatIp(network), length }
}

/** The prefix that holds this one address: /32 or /128. */
export function hostPrefix(address: string): Prefix {
  return { address, length: address.includes(':') ? 128 : 32 }
}

/** Whether the prefix is a single address. */
export function isHost({ address, length }: Prefix): boolean {
  return length === hostPrefix(address).length
}

/** 0.0.0.0/0 or ::/0 */
export function everything(family: 4 | 6): Prefix {
  return { address: family === 4 ? '0.0.0.0' : '::', length: 0 }
}
