import { quote } from './quote.ts'

/**
 * Why a tunnel is not up, as `last_error` shows it: a code for programs, and one sentence that says what happened and,
 * where it can be known, what to do. Texts of the peer must already be printable.
 */
export type Failure =
  // Before the first packet
  | NoUplink
  | { readonly code: 'name_not_found'; readonly name: string }
  | { readonly code: 'resolver_silent'; readonly name: string; readonly resolvers: readonly string[] }
  | { readonly code: 'resolver_failed'; readonly name: string; readonly cause: string }
  | { readonly code: 'unreachable'; readonly server: string; readonly cause: string }
  // L2TP tunnel
  /** `secret`: it was asked to prove that it knows the tunnel secret. */
  | { readonly code: 'no_answer'; readonly server: string; readonly secret?: boolean }
  | { readonly code: 'port_closed'; readonly server: string }
  | { readonly code: 'blocked_here'; readonly server: string }
  | { readonly code: 'secret_wrong' }
  | { readonly code: 'secret_unproved' }
  | { readonly code: 'secret_needed' }
  | { readonly code: 'tunnel_refused'; readonly reason: string }
  | { readonly code: 'tunnel_closed'; readonly reason: string }
  | { readonly code: 'tunnel_lost' }
  // L2TP session
  | { readonly code: 'session_refused'; readonly reason: string }
  /** Result 2 with error 7, of a CDN or StopCCN: it wants us at another LNS. */
  | { readonly code: 'try_another'; readonly server: string; readonly peerMessage?: string }
  | { readonly code: 'session_closed'; readonly reason: string }
  // PPP
  | { readonly code: 'lcp_silent' }
  | { readonly code: 'lcp_disagreed'; readonly reason: string }
  | { readonly code: 'looped_back' }
  | {
      readonly code: 'auth_method'
      /** All that the LNS would have taken. */
      readonly asked: readonly string[]
      readonly allowed: readonly string[]
      /** Configuration can allow one of these. */
      readonly allowable: boolean
    }
  /** `reason`: what a code of the LNS means. */
  | {
      readonly code: 'auth_failed'
      readonly method: string
      readonly reason?: string
      readonly peerMessage?: string
    }
  | { readonly code: 'auth_closed'; readonly reason?: string }
  | { readonly code: 'auth_silent' }
  | { readonly code: 'auth_impostor' }
  | { readonly code: 'no_network'; readonly reason: string }
  | { readonly code: 'terminated'; readonly peerMessage?: string }
  /** The LNS ended it when we had just told it that we do not do this. */
  | {
      readonly code: 'declined'
      readonly what: readonly ('mppe' | 'ecp' | 'ipv6' | 'ipv6Packets')[]
      readonly peerMessage?: string
    }
  | { readonly code: 'silent'; readonly seconds: number }
  | { readonly code: 'protocol_error'; readonly reason: string }
  // This machine
  | { readonly code: 'uplink_lost'; readonly uplink: string }
  | { readonly code: 'device_busy'; readonly device: string }
  | { readonly code: 'not_permitted'; readonly action: string }
  | { readonly code: 'firewall_refused'; readonly reason: string }
  | { readonly code: 'system_refused'; readonly action: string; readonly cause: string }

/** No uplink can carry the tunnel, and what is known of why. */
export interface NoUplink {
  readonly code: 'no_uplink'
  /** Those that are named for the tunnel; empty: the system's default route was to lead the way. */
  readonly uplinks: readonly string[]
  /** Those that are up without the address that they are to send from. */
  readonly lacking?: readonly { readonly uplink: string; readonly address: string }[]
  /** Those whose budget for the month is spent. */
  readonly spent?: readonly string[]
  /** Default routes that are there all the same. */
  readonly defaults?: readonly UnusedDefault[]
}

/** A default route that cannot carry a tunnel. */
export interface UnusedDefault {
  readonly device: string
  /** `tunnel`: it is the device of one of ours; `replaced`: the tunnel is to stand in for it; `table`: not in main. */
  readonly why: 'down' | 'no_address' | 'tunnel' | 'replaced' | 'table'
  /** Its number, where it is not main. */
  readonly table?: number
}

/** What a failure is called in status, events and hooks; part of the interface, never renamed. */
export type FailureCode = Failure['code']

/** One sentence without a capital letter and without a full stop, fit to follow "because" or a colon. */
export function failureMessage(failure: Failure): string {
  switch (failure.code) {
    case 'no_uplink':
      return `no uplink is usable: ${unusable(failure).join('; ')}`
    case 'name_not_found':
      return `the server name ${failure.name} does not exist: check option server`
    case 'resolver_silent':
      return failure.resolvers.length === 0
        ? `the server name ${failure.name} cannot be looked up: no resolver is known for this uplink (option dns of the uplink names one)`
        : `the server name ${failure.name} cannot be looked up: no answer from ${failure.resolvers.join(', ')}`
    case 'resolver_failed':
      return `the server name ${failure.name} cannot be looked up: ${failure.cause}`
    case 'unreachable':
      return `the LNS ${failure.server} cannot be reached over this uplink: ${failure.cause}`
    case 'no_answer':
      return `the LNS ${failure.server} does not answer: ${silence(failure).join(', or ')}`
    case 'port_closed':
      return `${failure.server} answers that nothing listens on the L2TP port: it is not an LNS, or its service is down`
    case 'blocked_here':
      return `a firewall rule of this machine forbids packets to the LNS ${failure.server}: look at the output and postrouting chains of \`nft list ruleset\``
    case 'secret_wrong':
      return 'the LNS uses another tunnel secret: option tunnel_secret is wrong on one of the two sides'
    case 'secret_unproved':
      return 'the LNS did not prove that it knows the tunnel secret: it has none for us, so set it there or remove option tunnel_secret here'
    case 'secret_needed':
      return 'the LNS asks for a tunnel secret and none is configured: set option tunnel_secret'
    case 'tunnel_refused':
      return `the LNS refused the tunnel: ${failure.reason}`
    case 'tunnel_closed':
      return `the LNS closed the tunnel: ${failure.reason}`
    case 'tunnel_lost':
      return 'the LNS stopped answering: it was restarted, or the line to it is broken'
    case 'session_refused':
      return `the LNS refused the session: ${failure.reason}`
    case 'try_another':
      return `the LNS ${failure.server} asks us to use another server${quoted(failure.peerMessage)}`
    case 'session_closed':
      return `the LNS closed the session: ${failure.reason}`
    case 'lcp_silent':
      return 'the LNS accepted the call but never answered PPP: it may have no service for this call'
    case 'lcp_disagreed':
      return `the LNS and this machine could not agree on how to speak PPP: ${failure.reason}`
    case 'looped_back':
      return 'the line is looped back: what we send comes back to us'
    case 'auth_method':
      return `the LNS wants a login by ${failure.asked.join(', ')} and only ${failure.allowed.join(', ')} is allowed: ${failure.allowable ? 'see option auth' : 'lifeline can do no such login, so set the LNS to one that is allowed'}`
    case 'auth_failed':
      return failure.reason === undefined
        ? `the LNS refused user name or password (${failure.method})${quoted(failure.peerMessage)}`
        : `the LNS refused the login (${failure.method}): ${failure.reason}${quoted(failure.peerMessage, ', ')}`
    case 'auth_closed':
      return `the LNS closed the session right after the password was sent: user name or password is probably wrong${quoted(failure.reason, '; it said: ')}`
    case 'auth_silent':
      return 'the LNS did not say whether it accepts the password: its login service (RADIUS) may be down'
    case 'auth_impostor':
      return 'the LNS did not prove that it knows our password: it may not be the one that it claims to be'
    case 'no_network':
      return `the LNS let us in, but neither IPv4 nor IPv6 came up (${failure.reason})`
    case 'terminated':
      return `the LNS ended the connection${quoted(failure.peerMessage)}`
    case 'declined':
      return `the LNS ended the connection when it was denied ${failure.what.map((what) => DECLINED[what]).join(' and ')}${quoted(failure.peerMessage)}`
    case 'silent':
      return `nothing arrived from the LNS for ${failure.seconds} s: the line to it is broken, or it was restarted`
    case 'protocol_error':
      return `the LNS broke the protocol: ${failure.reason}`
    case 'uplink_lost':
      return `the uplink ${failure.uplink} went down`
    case 'device_busy':
      return `the device ${failure.device} is in use by another program: stop that program or choose another name with option device`
    case 'not_permitted':
      return `this process may not ${failure.action}: run it as root or with CAP_NET_ADMIN and CAP_NET_RAW`
    case 'firewall_refused':
      return `the firewall rules could not be loaded, so the tunnel stays closed: ${failure.reason}`
    case 'system_refused':
      return `the system refused to ${failure.action}: ${failure.cause}`
  }
}

function unusable({ uplinks, lacking = [], spent = [], defaults = [] }: NoUplink): string[] {
  const others = uplinks.filter(
    (name) => !lacking.some(({ uplink }) => uplink === name) && !spent.includes(name),
  )
  const reasons = [
    ...lacking.map(({ uplink, address }) => `${uplink} does not have the address ${address} (option source)`),
    ...spent.map((name) => `the budget of ${name} is spent for this month`),
  ]
  if (others.length > 0)
    return [
      `${others.join(', ')} ${others.length === 1 ? 'has' : 'have'} no working link with an address`,
      ...reasons,
    ]
  if (uplinks.length === 0) reasons.push(...defaults.map(unusedDefaultText))
  return reasons.length > 0 ? reasons : ['this machine has no default route']
}

/** Why a default route that is there leads no tunnel. */
export function unusedDefaultText({ device, why, table }: UnusedDefault): string {
  const route = `the default route leads over ${device}`
  switch (why) {
    case 'down':
      return `${route}, which has no link`
    case 'no_address':
      return `${route}, which has no address to send from`
    case 'tunnel':
      return `${route}, which is the device of a tunnel of ours`
    case 'replaced':
      return `${route}, which comes before the tunnel in failover: say with option uplink what may carry it`
    case 'table':
      return `the default route over ${device} is in table ${table} and not in main: name ${device} in an uplink section`
  }
}

/** What may keep an LNS from answering, the likely first. */
function silence({ secret }: Extract<Failure, { code: 'no_answer' }>): string[] {
  return [
    'its address may be wrong, it may be down or take no more tunnels at the moment',
    ...(secret ? ['it may have no tunnel secret for us (option tunnel_secret is set here)'] : []),
    'something on the way drops UDP port 1701',
  ]
}

const DECLINED = {
  mppe: 'encryption by MPPE, which it seems to require and lifeline does not do',
  ecp: 'encryption by ECP, which it seems to require and lifeline does not do',
  ipv6: 'IPv6, which it seems to require and which is off here (see option ipv6)',
  ipv6Packets:
    'IPv6, which it seems to require and which needs larger packets than it takes or sends (1280 octets)',
} as const

/** What the peer said, after `lead`; nothing if it said nothing. */
function quoted(peerMessage: string | undefined, lead = ': '): string {
  const text = quote(peerMessage)
  return text === '' ? '' : `${lead}${text}`
}
