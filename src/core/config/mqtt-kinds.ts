/** Kinds of option values that MQTT has of its own. */
import { canonicalIp } from '../ip/address.ts'
import { err, ok } from '../result.ts'
import { type Kind, text } from './kinds.ts'
import { isHost } from './network-kinds.ts'

/** The ports that IANA gives to MQTT in the clear and over TLS. */
const PORTS = { mqtt: 1883, mqtts: 8883 }

/** Where an MQTT broker listens. */
export interface BrokerUrl {
  readonly tls: boolean
  readonly host: string
  readonly port: number
}

/** Where a broker listens: `mqtt://` in the clear, `mqtts://` over TLS. */
export const brokerUrl: Kind<BrokerUrl> = {
  name: 'URL',
  range: '`mqtt://HOST` or `mqtts://HOST`, with `:PORT` where it is not 1883 or 8883',
  allowed: 'mqtt://HOST:PORT, or mqtts://HOST:PORT for TLS; an IPv6 address in brackets',
  parse(value) {
    const [, scheme, rest] = /^(mqtts?):\/\/([^/]*)\/?$/.exec(value) ?? []
    if (scheme === undefined || rest === undefined)
      // Not quoted: it may hold a password, in the place where other programs want it.
      return err(/^wss?:/.test(value) ? 'WebSockets are not spoken' : 'it is not the URL of a broker')
    if (rest.includes('@')) return err("a user name has its own option, 'username', and so has the password")
    const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(rest) ?? []
    const host = bracketed === undefined ? hostOf(plain ?? '') : ipv6Of(bracketed)
    if (host === undefined) return err(`'${rest}' is not a host with or without a port`)
    const port = Number(digits ?? PORTS[scheme as keyof typeof PORTS])
    if (port < 1 || port > 65535) return err(`'${digits}' is not a port`)
    return ok({ tls: scheme === 'mqtts', host, port })
  },
  print: formatBrokerUrl,
}

function hostOf(text: string): string | undefined {
  return isHost(text) ? text : undefined
}

function ipv6Of(text: string): string | undefined {
  return text.includes(':') ? canonicalIp(text) : undefined
}

/** The URL with its port, as `brokerUrl` reads it. */
export function formatBrokerUrl({ tls, host, port }: BrokerUrl): string {
  return `${tls ? 'mqtts' : 'mqtt'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Leaves room below the 65,535 octets of a topic for what we append. */
const TOPIC_OCTETS = 1024

/** A topic below which others lie (MQTT 5 section 4.7): levels that are not empty, without wildcards. */
export const topicPrefix: Kind<string> = {
  name: 'topic',
  allowed: "levels divided by '/', none of them empty, without '+', '#' and a '$' at the start",
  parse(value) {
    const line = text(TOPIC_OCTETS).parse(value)
    if (!line.ok) return line
    if (/[+#]/.test(value)) return err(`'${value}' holds a wildcard`)
    if (value.startsWith('$')) return err(`'${value}' belongs to the broker`)
    return value.split('/').includes('') ? err(`'${value}' has an empty level`) : ok(value)
  },
  print: (value) => value,
}
