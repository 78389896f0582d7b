/** `config tunnel 'NAME'`: an L2TP tunnel with one PPP session. */
import { LARGEST_INNER_MTU, LEAST_IPV6_MTU } from '../ip/encapsulation.ts'
import { Secret } from '../secret.ts'
import { duration, flag, integer, oneOf, path, secret, sectionName, text, wordOr } from './kinds.ts'
import { addressPrefix, deviceName, network, server } from './network-kinds.ts'
import { OTHER_CLIENTS } from './other-clients.ts'
import { type ProbeOverrides, probeOverrideOptions, probeOverrides } from './probe.ts'
import { allAside, as, aside, type Properties, propertiesOf } from './properties.ts'
import { type BuildContext, type Foreign, list, one, type Section, type Values } from './schema.ts'
import { secretOf } from './secret-option.ts'

/** PAP carries lengths in one octet (RFC 1334 section 2.2.1). */
const LOGIN_OCTETS = 255
/** RFC 791 section 3.1: every host takes datagrams of 576 octets. */
const SMALLEST_MTU = 576
/** The kernel's own tables are 253 (default), 254 (main) and 255 (local). */
const LARGEST_TABLE = 2 ** 31 - 1
const SYSTEM_TABLES = [253, 254, 255]

const options = {
  /** Port 1701 unless given as `host:port` or `[v6]:port`. */
  server: as(
    'servers',
    list(server, {
      doc: 'The LNS: a host name or literal address. Several are tried in order, and all addresses of a name.',
      required: true,
    }),
  ),
  username: one(text(LOGIN_OCTETS), { doc: 'Login at the provider.', required: true }),
  password: one(secret(LOGIN_OCTETS), { doc: 'Password of the login. Either this or `password_file`.' }),
  password_file: aside(
    one(path, {
      doc: 'File with the password; one line break at its end does not count.',
    }),
  ),
  tunnel_secret: one(secret(LOGIN_OCTETS), {
    doc: 'Secret shared with the LNS, with which both ends prove themselves. Either this, `tunnel_secret_file`, or none.',
  }),
  tunnel_secret_file: aside(one(path, { doc: 'File with the tunnel secret.' })),
  device: one(deviceName, {
    doc: 'Network device that the tunnel becomes.',
    defaultFor: (name) => `l2tp-${name}`,
    defaultText: 'l2tp-NAME',
  }),
  /** Empty means the device of main's default route. */
  uplink: as(
    'uplinks',
    list(sectionName, {
      doc: 'Names of `uplink` sections in order of preference: the first usable one carries the tunnel.',
      defaultText: "the device of the main table's default route, followed as it changes",
    }),
  ),
  /** What we are willing to be asked for; never empty. */
  auth: list(oneOf('chap', 'mschapv2', 'pap'), {
    doc: 'How the LNS may ask for the password: whichever of these it asks for is taken. The order is that of the suggestions to an LNS that asks for another one. `pap` sends the password in the clear.',
    default: ['chap', 'mschapv2'],
  }),
  /** Octets of an inner packet, or derived from the underlay. */
  mtu: one(wordOr('auto', integer(SMALLEST_MTU, LARGEST_INNER_MTU, 'octets')), {
    doc: `Largest packet inside the tunnel, in octets; \`auto\` takes what the uplink leaves room for. With \`ipv6\` at least ${LEAST_IPV6_MTU}. The LNS may ask for less.`,
    default: 'auto',
  }),
  ipv6: one(flag, { doc: 'Negotiate IPv6 (IPV6CP).', default: '1' }),
  ipaddr: as(
    'ipaddrs',
    list(addressPrefix(4), {
      doc: 'Static IPv4 addresses, besides the negotiated one. Of a block such as 203.0.113.9/29 only the address itself is put on the device; replies from all of the block leave by the tunnel, and what is unused of it is unreachable.',
    }),
  ),
  ip6addr: as('ip6addrs', list(addressPrefix(6), { doc: 'Static IPv6 addresses.' })),
  ip6prefix: as(
    'ip6prefixes',
    list(network(6), {
      doc: 'IPv6 prefixes that the provider routes to this tunnel, for hosts behind this machine: packets from them leave by the tunnel, and what is unused of them is unreachable.',
    }),
  ),
  defaultroute: one(flag, {
    doc: 'Use the tunnel as the way to the internet. With `0` only what comes from an address of the tunnel, such as a reply, leaves by it; so do the answers of UDP daemons that are bound to no address, to whoever asked them through the tunnel.',
    default: '1',
  }),
  /** Undefined means allotted from `tableBase`. */
  ip4table: one(integer(1, LARGEST_TABLE), {
    doc: 'Routing table for the IPv4 routes of the tunnel, its default route among them. They are in no other table then, and rules of your own choose who uses it; packets from an address of the tunnel always do.',
    defaultText: 'one of those from `table_base` on',
  }),
  ip6table: one(integer(1, LARGEST_TABLE), {
    doc: 'Routing table for the IPv6 routes of the tunnel, its default route among them. They are in no other table then, and rules of your own choose who uses it; packets from an address of the tunnel always do.',
    defaultText: 'one of those from `table_base` on',
  }),
  peerdns: one(flag, {
    doc: 'Have the system ask the resolvers that the LNS names, through systemd-resolved or resolvconf, while the tunnel is up and, if it is a path of `failover`, in use.',
    default: '0',
  }),
  hello_interval: one(duration('1s', '1h'), {
    doc: 'Silence on the control connection after which a HELLO asks whether the LNS is there.',
    default: '25',
  }),
  echo_interval: one(duration('100ms', '1h'), {
    doc: 'Time between two LCP Echo-Requests.',
    default: '1',
  }),
  /** Echo intervals in which nothing at all arrived before the session counts as dead. */
  echo_failures: one(integer(1, 1000), {
    doc: 'Number of echo intervals in which nothing at all arrived after which the session counts as dead.',
    default: '10',
  }),
  /** 0 means a fresh one for each attempt. */
  local_port: one(integer(0, 65535), {
    doc: 'Fixed UDP source port, for an LNS that only answers 1701; 0 takes a fresh one for each attempt.',
    default: '0',
  }),
  firewall: one(oneOf('default', 'none'), {
    doc: '`default` follows the `firewall` section, and without one lets in replies and ICMP and nothing else; `none` leaves the device to the rules of others.',
    default: 'default',
  }),
  standby: one(oneOf('cold', 'warm', 'hot', 'auto'), {
    doc: 'What the tunnel keeps while another path of `failover` is in use: nothing, the control connection, or the session as well. `auto` is `warm`, and `cold` where the LNS closes idle tunnels or the budget is short. `hot` needs an address that no more preferred path has.',
    default: 'auto',
  }),
  /** Undefined: found by itself. */
  backs_up: one(sectionName, {
    doc: 'The `uplink` whose public address the session takes over, as with the login of the line itself.',
    defaultText: 'found when the addresses are the same',
  }),
  ...allAside(probeOverrideOptions),
  enabled: one(flag, { doc: '0 leaves the tunnel out.', default: '1' }),
}

type TunnelValues = Values<typeof options>

/** `config tunnel 'NAME'`: an L2TP tunnel with one PPP session. */
export interface TunnelConfig extends Properties<typeof options> {
  readonly name: string
  readonly username: string
  readonly password: Secret
  readonly probe: ProbeOverrides
}

/** Section `tunnel`: an L2TP tunnel with one PPP session. */
export const tunnel: Section<typeof options, TunnelConfig> = {
  type: 'tunnel',
  doc: 'An L2TP tunnel with one PPP session. The name is the one used in commands and in status.',
  options,
  foreign: Object.fromEntries(Object.entries(OTHER_CLIENTS).map(([name, hint]) => [name, ineffective(hint)])),
  build(values: TunnelValues, context) {
    if (context.enabled) check(values, context)
    const password = secretOf(
      { name: 'password', option: options.password, value: values.password, file: values.password_file },
      context,
    )
    if (context.enabled && !context.given('password') && !context.given('password_file'))
      context.report({ reason: "there is neither a 'password' nor a 'password_file'" })
    return {
      name: context.name,
      ...propertiesOf(options, values),
      username: values.username ?? '',
      // Without a password the section is disabled or has an error; either way nothing dials with it.
      password: password ?? new Secret(''),
      tunnelSecret: tunnelSecretOf(values, context),
      probe: probeOverrides(values),
    }
  },
}

function ineffective(hint: string): Foreign {
  return { severity: 'warning', reason: `unknown, so it has no effect; ${hint}` }
}

/** What the single values cannot show. */
function check(values: TunnelValues, { given, report }: BuildContext): void {
  const device = deviceName.parse(values.device)
  if (!given('device') && !device.ok)
    report({ reason: `${device.error}; set 'device'`, allowed: deviceName.allowed })
  if (values.mtu !== 'auto' && values.ipv6 && values.mtu < LEAST_IPV6_MTU)
    report({
      option: 'mtu',
      reason: `${values.mtu} octets are too few for IPv6`,
      allowed: `${LEAST_IPV6_MTU} to ${LARGEST_INNER_MTU}, or less with ipv6 0`,
    })
  if (values.standby === 'hot' && given('backs_up'))
    report({
      option: 'standby',
      reason: `a session that is up would take the address away from '${values.backs_up}' while that is well`,
      allowed: 'cold, warm or auto together with backs_up',
    })
  for (const option of ['ip4table', 'ip6table'] as const) {
    const table = values[option]
    if (table !== undefined && SYSTEM_TABLES.includes(table))
      report({ option, reason: `table ${table} belongs to the system`, allowed: 'any other table' })
  }
}

function tunnelSecretOf(values: TunnelValues, context: BuildContext): Secret | undefined {
  const { tunnel_secret: value, tunnel_secret_file: file } = values
  return secretOf({ name: 'tunnel_secret', option: options.tunnel_secret, value, file }, context)
}
