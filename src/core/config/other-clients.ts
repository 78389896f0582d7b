/** Options that people bring along from `proto l2tp` of OpenWrt, xl2tpd and pppd, and what takes their place here. */

const NEEDLESS =
  'it is not needed: a tunnel that is down is dialled again and again, with pauses of 1 s to 60 s'
const NO_PPPD =
  "there is no pppd, so that its options are not read: see 'username', 'password', 'auth', 'mtu' and 'echo_interval'"
const AUTH = "how the LNS may ask for the password is 'auth' here"

/** By `wordOf` their names. */
export const OTHER_CLIENTS: Readonly<Record<string, string>> = {
  keepalive: "its two numbers are 'echo_failures' and 'echo_interval' here",
  lcp_echo_interval: "it is 'echo_interval' here",
  lcp_echo_failure: "it is 'echo_failures' here",
  lcp_echo_adaptive: "echoes are sent at all times: see 'echo_interval'",
  lns: "it is 'server' here",
  user: "it is 'username' here",
  mru: "it follows from 'mtu' here",
  ifname: "the device that the tunnel becomes is 'device' here, and what carries it 'uplink'",
  interface: "what carries the tunnel is 'uplink' here",
  local_ip: "a static address of the tunnel is 'ipaddr' here",
  bind_address: "the address to dial from is 'source' of `config uplink` here",
  challenge: "it follows from 'tunnel_secret' here",
  usepeerdns: "it is 'peerdns' here",
  dns: "'peerdns' takes the resolvers of the LNS, and 'dns' of `config uplink` is who is asked for the server",
  port: "the port of the LNS is part of 'server' here (NAME:PORT), and ours is 'local_port'",
  pppoptfile: NO_PPPD,
  pppd_options: NO_PPPD,
  ppp_debug: NO_PPPD,
  require_chap: AUTH,
  refuse_chap: AUTH,
  require_pap: AUTH,
  refuse_pap: AUTH,
  checkup_interval: NEEDLESS,
  redial: NEEDLESS,
  redial_timeout: NEEDLESS,
  max_redials: NEEDLESS,
  autodial: NEEDLESS,
  persist: NEEDLESS,
  maxfail: NEEDLESS,
  holdoff: NEEDLESS,
}

/** The name of an option with underscores for the spaces of xl2tpd and the hyphens of pppd. */
export function wordOf(name: string): string {
  return name.toLowerCase().replace(/[ -]/g, '_')
}
