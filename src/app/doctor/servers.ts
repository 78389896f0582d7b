/** Whether each server can be found and reached over each uplink, and how large a packet may be on the way. */
import { AbortController } from '../../core/abort.ts'
import type { ServerName } from '../../core/client/round.ts'
import type { Config, TunnelConfig } from '../../core/config/types.ts'
import { failureMessage, unusedDefaultText } from '../../core/failure.ts'
import { ipFamily } from '../../core/ip/address.ts'
import { innerMtu, overheadOf } from '../../core/ip/encapsulation.ts'
import {
  candidateAddresses,
  carriersOf,
  noUplink,
  type Uplink,
  type UsableUplink,
  unusedDefaults,
  uplinks,
} from '../../core/system/uplinks.ts'
import { after } from '../../core/time.ts'
import { SystemError, type SystemProbe } from '../ports.ts'
import { askLns } from './ask-lns.ts'
import type { DoctorPorts, Finding, Situation } from './finding.ts'
import { measurePathMtu } from './path-mtu.ts'
import { inWords, isLifeline, portHolder } from './processes.ts'
import { refusalFinding } from './refusals.ts'

/** ms for one name in all. */
const LOOK_UP_LIMIT = 8000

/** The uplinks that are configured or that the system uses. */
export function checkUplinks({ config, facts }: Situation): Finding[] {
  const found = uplinks(config, facts)
  if (found.length === 0) {
    const advice = 'connect one, or name devices in uplink sections'
    const unused = config.tunnels.flatMap((tunnel) => unusedDefaults(tunnel, config, facts))
    const reasons = [...new Set(unused.map(unusedDefaultText))]
    const message = reasons.length > 0 ? reasons.join('; ') : 'this machine has no default route'
    return [{ severity: 'problem', subject: 'uplinks', message, advice }]
  }
  return found.map(uplinkFinding)
}

/** All servers of all enabled tunnels over all uplinks that could carry them now. */
export async function checkServers(ports: DoctorPorts, { config, facts }: Situation): Promise<Finding[]> {
  const enabled = config.tunnels.filter((tunnel) => tunnel.enabled)
  const ways = enabled.flatMap((tunnel) =>
    carriersOf(tunnel, config, facts).flatMap((uplink) =>
      tunnel.servers.map((server) => ({ tunnel, uplink, server })),
    ),
  )
  const findings = await Promise.all(ways.map((way) => checkServer(ports, way)))
  return [
    ...enabled.flatMap((tunnel) => withoutUplink(tunnel, config, { config, facts })),
    ...findings.flat(),
  ]
}

function uplinkFinding({ name, device, state, addresses, source }: Uplink): Finding {
  const subject = `uplink ${name}`
  switch (state) {
    case 'up':
      return { severity: 'ok', subject, message: `${device} is up with ${addresses.join(', ')}` }
    case 'absent':
      return {
        severity: 'warning',
        subject,
        message: `there is no device ${device}`,
        advice: 'plug it in, or correct option device',
      }
    case 'down':
      return {
        severity: 'warning',
        subject,
        message: `${device} has no link`,
        advice: 'check its cable or its dial-up',
      }
    case 'no_address':
      if (source !== undefined && addresses.length > 0)
        return {
          severity: 'warning',
          subject,
          message: `${device} does not have the address ${source} (option source), but ${addresses.join(', ')}`,
          advice: 'correct option source, or leave it out',
        }
      return {
        severity: 'warning',
        subject,
        message: `${device} has no address to send from`,
        advice: 'check its DHCP or static configuration',
      }
  }
}

function withoutUplink(tunnel: TunnelConfig, config: Config, { facts }: Situation): Finding[] {
  if (carriersOf(tunnel, config, facts).length > 0) return []
  const message = failureMessage(noUplink(tunnel, config, facts))
  return [{ severity: 'problem', subject: `tunnel ${tunnel.name}`, message, advice: 'see the uplinks above' }]
}

interface Way {
  readonly tunnel: TunnelConfig
  readonly uplink: UsableUplink
  readonly server: ServerName
}

async function checkServer(ports: DoctorPorts, way: Way): Promise<Finding[]> {
  const { tunnel, uplink, server } = way
  const subject = `${tunnel.name}: ${server.host} over ${uplink.name}`
  let addresses: readonly string[]
  try {
    addresses = candidateAddresses(await lookUp(ports, way), uplink)
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause
    return [
      {
        severity: 'problem',
        subject,
        message: `cannot be looked up: ${cause instanceof SystemError ? cause.message : 'no answer in time'}`,
        advice: `check the name, and the resolvers of ${uplink.name} (option dns names others)`,
      },
    ]
  }
  if (addresses.length === 0) {
    const families = uplink.ways.map(({ family }) => `IPv${family}`).join(' and ')
    return [
      {
        severity: 'problem',
        subject,
        message: `it has no address for ${families}`,
        advice: 'use another uplink for it',
      },
    ]
  }
  const asked = await Promise.all(addresses.map((address) => checkAddress(ports, way, address, subject)))
  // Any address that answers is enough: the others are only worth a warning.
  const reached = asked.some(([first]) => first?.severity === 'ok')
  return asked
    .flat()
    .map((finding) =>
      reached && finding.severity === 'problem' ? { ...finding, severity: 'warning' } : finding,
    )
}

async function lookUp(
  { clock, resolver, systemResolvers }: DoctorPorts,
  { server, uplink }: Way,
): Promise<readonly string[]> {
  if (ipFamily(server.host) !== undefined) return [server.host]
  const { name, device, source, dns, link } = uplink
  const resolvers = dns.length > 0 ? dns : systemResolvers.forLink({ name, device, ifindex: link.index })
  const limit = new AbortController()
  const cancel = clock.alarm(after(clock.now(), LOOK_UP_LIMIT), () => limit.abort())
  try {
    return (await resolver.resolve(server.host, { device, source, resolvers }, limit.signal)).addresses
  } finally {
    cancel()
  }
}

async function checkAddress(
  ports: DoctorPorts,
  way: Way,
  address: string,
  subject: string,
): Promise<Finding[]> {
  const { tunnel, uplink, server } = way
  try {
    const answer = await askLns(ports, tunnel, { host: address, port: server.port }, uplink)
    if (answer.type === 'refused') return [{ severity: 'problem', subject, message: answer.reason }]
    if (answer.type === 'silent') return [await silence(ports, way, address, subject, answer.code)]
    const message = `${address} answers as ${answer.hostName} after ${answer.roundTrip.toFixed(0)} ms`
    const mtu = await measurePathMtu(ports, address, uplink)
    return [{ severity: 'ok', subject, message }, mtuFinding(tunnel, uplink, address, mtu)]
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause
    if (cause.code === 'EADDRINUSE') return [portTaken(ports.probe, subject, tunnel.localPort)]
    return [{ severity: 'problem', subject, message: cause.message }]
  }
}

function portTaken(probe: SystemProbe, subject: string, port: number): Finding {
  const holder = portHolder(probe, port)
  const taken = `was not asked: UDP port ${port} (option local_port) is held by`
  if (holder === undefined) {
    const message = `${taken} a process that cannot be seen from here`
    return { severity: 'note', subject, message, advice: 'run doctor as root, or see `ss -lunp`' }
  }
  if (isLifeline(holder)) {
    const message = `${taken} the running daemon (process ${holder.pid}), which speaks for itself: see lifeline status`
    return { severity: 'note', subject, message }
  }
  return {
    severity: 'problem',
    subject,
    message: `${taken} ${inWords(holder)}, so the tunnel cannot be dialled`,
    advice: `stop ${holder.name}, or leave out option local_port`,
  }
}

async function silence(
  { nft }: DoctorPorts,
  { uplink, server: { port } }: Way,
  address: string,
  subject: string,
  code: string | undefined,
): Promise<Finding> {
  if (code === 'EPERM') return refusalFinding(nft, subject, { address, port, device: uplink.device })
  if (code === 'ECONNREFUSED') {
    const advice = 'check the address; if it is right, the LNS is down'
    return {
      severity: 'problem',
      subject,
      message: `nothing listens at ${address} on UDP port ${port}`,
      advice,
    }
  }
  if (code !== undefined) {
    const advice = 'check the routes of this uplink, and firewalls that reject'
    return { severity: 'problem', subject, message: `${address} cannot be reached (${code})`, advice }
  }
  return {
    severity: 'problem',
    subject,
    message: `${address} does not answer`,
    advice: `check the address, and that nothing on the way drops UDP port ${port}; some LNSes need option local_port 1701`,
  }
}

function mtuFinding(
  tunnel: TunnelConfig,
  uplink: UsableUplink,
  address: string,
  measured: number | undefined,
): Finding {
  const subject = `${tunnel.name}: MTU to ${address} over ${uplink.name}`
  const overhead = overheadOf(ipFamily(address) ?? 4, 'l2tp')
  const wanted = innerMtu(tunnel, uplink.link.mtu, overhead)
  if (measured === undefined) {
    const message = `it answers no pings, so the path cannot be measured; the tunnel's MTU is ${wanted}`
    return { severity: 'note', subject, message }
  }
  const fitting = innerMtu({ ...tunnel, mtu: 'auto' }, measured, overhead)
  if (wanted <= fitting) {
    return {
      severity: 'ok',
      subject,
      message: `${measured} octets get through in one piece; the tunnel's MTU is ${wanted}`,
    }
  }
  return {
    severity: 'warning',
    subject,
    message: `only ${measured} octets get through in one piece, and the tunnel's MTU is ${wanted}: large packets travel in fragments, which is slow and on some lines fails`,
    advice: `set option mtu '${fitting}' for the tunnel`,
  }
}
