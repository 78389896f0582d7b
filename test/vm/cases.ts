import type { FailureCode } from '../../src/core/failure.ts'

/** The dials that are tried at a real pppd: what its options are, and those of our tunnel. What must come of each is the tests'. */

/** Methods by which pppd can be told to ask for a login, each alone. */
export const PPPD_METHODS = ['pap', 'chap', 'mschap', 'mschap-v2', 'eap'] as const
export type PppdMethod = (typeof PPPD_METHODS)[number]

/** Methods of option `auth`. */
export const METHODS = ['chap', 'mschapv2', 'pap'] as const
export type Method = (typeof METHODS)[number]

export const PASSWORD = 'wonderland'

/** What has to become of a dial: a login, or none for a reason. */
export type Expected =
  | { readonly up: Method }
  | { readonly fails: FailureCode }
  /** There is a session, and status says what it lacks. */
  | { readonly problem: RegExp }

/** One dial. */
export interface Dial {
  /** Options of pppd, with their values. */
  readonly pppd: readonly string[]
  /** Options of the tunnel; server and login are filled in. */
  readonly tunnel: Readonly<Record<string, unknown>>
  readonly expected: Expected
  /** It has a daemon of its own, where it is the default route. Others share one, each a tunnel of it. */
  readonly alone?: true
  /** ms that a session has to last before it is looked at. */
  readonly watched?: number
}

/** Names of methods in pppd's options, and in ours. */
const OURS: Partial<Record<PppdMethod, Method>> = { pap: 'pap', chap: 'chap', 'mschap-v2': 'mschapv2' }
const BY_DEFAULT: readonly Method[] = ['chap', 'mschapv2']

/** The dials of each method that pppd asks for alone: with the default `auth`, and with every order of it. */
export const LOGINS: Readonly<Record<string, Dial>> = Object.fromEntries(
  PPPD_METHODS.flatMap((asked) =>
    [undefined, ...orders()].map((auth): [string, Dial] => {
      const method = OURS[asked]
      const allowed = method !== undefined && (auth ?? BY_DEFAULT).includes(method)
      const dial: Dial = {
        pppd: [`require-${asked}`],
        tunnel: auth === undefined ? {} : { auth },
        expected: allowed ? { up: method } : { fails: 'auth_method' },
      }
      return [`${asked}, auth ${auth?.join(' ') ?? 'by default'}`, dial]
    }),
  ),
)

const up: Expected = { up: 'chap' }
const wrong = { password: 'looking-glass' }

/** All others. */
export const OTHERS = {
  'several methods, auth by default': {
    pppd: ['require-pap', 'require-chap', 'require-mschap-v2', 'require-eap'],
    tunnel: {},
    expected: { up: 'chap' },
  },
  'several methods, auth pap': {
    pppd: ['require-pap', 'require-chap', 'require-mschap-v2', 'require-eap'],
    tunnel: { auth: ['pap'] },
    expected: { up: 'pap' },
  },
  'wrong password, pap': {
    pppd: ['require-pap'],
    tunnel: { auth: ['pap'], ...wrong },
    expected: { fails: 'auth_failed' },
  },
  'wrong password, chap': { pppd: ['require-chap'], tunnel: wrong, expected: { fails: 'auth_failed' } },
  'wrong password, mschap-v2': {
    pppd: ['require-mschap-v2'],
    tunnel: wrong,
    expected: { fails: 'auth_failed' },
  },
  'require-mppe': {
    pppd: ['require-mschap-v2', 'require-mppe-128'],
    tunnel: {},
    expected: { fails: 'declined' },
  },
  // Nobody advertises a prefix behind this pppd.
  noip: {
    pppd: ['require-chap', 'noip', '+ipv6'],
    tunnel: {},
    expected: { problem: /IPv4.*IPv6/ },
    alone: true,
  },
  '+ipv6': { pppd: ['require-chap', '+ipv6'], tunnel: {}, expected: up, alone: true },
  'noip, ipv6 0': {
    pppd: ['require-chap', 'noip', '+ipv6'],
    tunnel: { ipv6: false },
    expected: { fails: 'no_network' },
  },
  'mtu 1280': { pppd: ['require-chap', '+ipv6', 'mtu 1280', 'mru 1280'], tunnel: {}, expected: up },
  'mtu 1200': {
    pppd: ['require-chap', '+ipv6', 'mtu 1200', 'mru 1200'],
    tunnel: {},
    expected: { problem: /IPv6 is not opened: .* at most 1200 octets/ },
  },
  'lcp-echo': {
    pppd: ['require-chap', 'lcp-echo-interval 1', 'lcp-echo-failure 2'],
    tunnel: { echo_interval: 1, echo_failures: 3 },
    expected: up,
    watched: 8000,
  },
} as const satisfies Readonly<Record<string, Dial>>

/** By name. */
export const DIALS: Readonly<Record<string, Dial>> = { ...LOGINS, ...OTHERS }

/** Every order of every choice of methods. */
function orders(left: readonly Method[] = METHODS): Method[][] {
  return left.flatMap((first) => [
    [first],
    ...orders(left.filter((method) => method !== first)).map((rest) => [first, ...rest]),
  ])
}
