/** `config redirect`: a port of ours that leads to a host of the LAN, in the words of OpenWrt's firewall. */
import { isLoopback, isMulticast } from '../ip/networks.ts'
import { type PortProtocol, type PortRange, portProtocols, portRange } from './firewall-kinds.ts'
import { flag, oneOf, text } from './kinds.ts'
import { address, networkOrHost } from './network-kinds.ts'
import { as, aside, type Properties, propertiesOf } from './properties.ts'
import { type BuildContext, type Foreign, list, one, type Section, type Values } from './schema.ts'

const LABEL_OCTETS = 255

const options = {
  name: aside(one(text(LABEL_OCTETS), { doc: 'A note for readers.' })),
  target: aside(one(oneOf('DNAT'), { doc: 'What OpenWrt calls a redirect.', default: 'DNAT' })),
  proto: aside(list(portProtocols, { doc: 'Protocols.', default: ['tcp udp'] })),
  src_dport: one(portRange, { doc: 'The port, or range of ports, that is redirected.', required: true }),
  src_ip: as('srcIps', list(networkOrHost(4), { doc: 'Only for these senders.', defaultText: 'anyone' })),
  dest_ip: one(address(4), {
    doc: 'The host of the LAN that gets it. For IPv6 there is `allow_forward`.',
    required: true,
  }),
  dest_port: one(portRange, {
    doc: 'Its port, or a range as long as `src_dport`.',
    defaultText: 'that of `src_dport`',
  }),
  enabled: one(flag, { doc: '0 leaves the redirect out.', default: '1' }),
}

/** `config redirect`: a port of ours that leads to a host of the LAN, in the words of OpenWrt's firewall. */
export interface RedirectConfig extends Properties<typeof options> {
  readonly name: string
  readonly protocols: readonly PortProtocol[]
  readonly srcDport: PortRange
  /** IPv4. */
  readonly destIp: string
  /** One port for all of them, or a range as long as `srcDport`. */
  readonly destPort: PortRange
}

const NO_ZONES: Foreign = {
  severity: 'warning',
  reason:
    'ignored, as there are no zones here: a redirect takes what arrives from the internet, to whichever LAN the host is in',
}
const NARROWING: Foreign = {
  severity: 'error',
  reason:
    'it would narrow the redirect in OpenWrt, and is not supported here; without it more would be let in',
}

/** Section `redirect`: a port that leads to a host of the LAN. */
export const redirect: Section<typeof options, RedirectConfig> = {
  type: 'redirect',
  doc: "A port that leads to a host of the LAN, from whichever path it is reached. The words are those of OpenWrt's firewall, so that a section can be copied; `src` and `dest` are ignored. The name may be left out.",
  options,
  anonymousName: 'redirect',
  foreign: {
    src: NO_ZONES,
    dest: NO_ZONES,
    src_mac: NARROWING,
    src_port: NARROWING,
    src_dip: NARROWING,
    ipset: NARROWING,
    mark: NARROWING,
    limit: NARROWING,
  },
  build(values: Values<typeof options>, context) {
    const { src_dport: srcDport = NO_PORT } = values
    if (context.enabled) check(values, context)
    return {
      ...propertiesOf(options, values),
      name: context.name,
      protocols: [...new Set(values.proto.flat())],
      srcDport,
      destIp: values.dest_ip ?? '',
      destPort: values.dest_port ?? srcDport,
    }
  },
}

/** In place of a value that is missing, which is an error unless the section is disabled. */
const NO_PORT: PortRange = { first: 0, last: 0 }

function check({ dest_ip, dest_port, src_dport }: Values<typeof options>, { report }: BuildContext): void {
  if (dest_ip !== undefined && (isLoopback(dest_ip) || isMulticast(dest_ip) || /^0\.|^255\./.test(dest_ip)))
    report({
      option: 'dest_ip',
      reason: `'${dest_ip}' is not the address of a host`,
      allowed: 'the address of a host in the LAN',
    })
  const one = dest_port === undefined || src_dport === undefined || dest_port.first === dest_port.last
  if (!one && dest_port.last - dest_port.first !== src_dport.last - src_dport.first)
    report({
      option: 'dest_port',
      reason: "the range is not as long as that of 'src_dport'",
      allowed: 'one port, or a range of the same length',
    })
}
