import { encodeUtf8 } from '../../core/bytes.ts'
import { failureOfL2tp } from '../../core/client/failure-of.ts'
import type { TunnelConfig } from '../../core/config/types.ts'
import type { Address } from '../../core/endpoint.ts'
import { failureMessage } from '../../core/failure.ts'
import { ipFamily } from '../../core/ip/address.ts'
import { L2tpEndpoint } from '../../core/l2tp/endpoint.ts'
import type { L2tpCommand, L2tpEvent } from '../../core/l2tp/types.ts'
import type { UsableUplink } from '../../core/system/uplinks.ts'
import { type Millis, millis } from '../../core/time.ts'
import { Driver } from '../driver.ts'
import type { DatagramSocket } from '../ports.ts'
import type { DoctorPorts } from './finding.ts'

/** What came of asking an LNS for a control connection. */
export type LnsAnswer =
  /** It opened a control connection, which was closed again at once. `roundTrip` in ms. */
  | { readonly type: 'opened'; readonly hostName: string; readonly roundTrip: number }
  /** It answered, but would not have us. */
  | { readonly type: 'refused'; readonly reason: string }
  /** Nothing came back, or only the errno name of what the network said. */
  | { readonly type: 'silent'; readonly code: string | undefined }

/** Four transmissions of SCCRQ: 0, 0.5, 1.5 and 3.5 s, and silence means no answer after 5 s. */
const PATIENCE = {
  first: millis(500),
  cap: millis(8000),
  attemptsSccrq: 4,
  lastWait: millis(1500),
}

type Ports = Pick<DoctorPorts, 'clock' | 'datagrams' | 'digests' | 'entropy'>

/**
 * Opens an L2TP control connection and closes it: what an LNS that is reachable answers, with the tunnel secret checked
 * on the way. Throws SystemError if no socket can be had.
 */
export async function askLns(
  ports: Ports,
  tunnel: TunnelConfig,
  peer: Address,
  uplink: UsableUplink,
): Promise<LnsAnswer> {
  const answer = await askOnce(ports, tunnel, peer, uplink)
  if (answer.type !== 'silent' || answer.code !== undefined || !tunnel.tunnelSecret) return answer
  // Some that have no secret for us say nothing to whoever wants one proved.
  const unasked = await askOnce(ports, { ...tunnel, tunnelSecret: undefined }, peer, uplink)
  return unasked.type === 'opened'
    ? { type: 'refused', reason: failureMessage({ code: 'secret_unproved' }) }
    : answer
}

function askOnce(
  { clock, datagrams, digests, entropy }: Ports,
  tunnel: TunnelConfig,
  peer: Address,
  { device, source }: UsableUplink,
): Promise<LnsAnswer> {
  const family = ipFamily(peer.host) ?? 4
  const started = clock.now()
  return new Promise((resolve) => {
    const { tunnelSecret } = tunnel
    const endpoint = new L2tpEndpoint({
      role: 'lac',
      peer,
      hostName: 'lifeline-doctor',
      helloInterval: millis(0),
      retransmission: PATIENCE,
      ...(tunnelSecret ? { secret: encodeUtf8(tunnelSecret.reveal()) } : {}),
      digests,
      entropy,
    })
    let answer: LnsAnswer | undefined
    let socketError: string | undefined
    const socket: DatagramSocket = datagrams.open({
      family,
      device,
      port: tunnel.localPort,
      ...(source !== undefined && ipFamily(source) === family ? { source } : {}),
      onMessage: (from, bytes) => driver.receive(from, bytes),
      onError: (code) => {
        socketError = code
      },
    })
    const driver: Driver<L2tpCommand, L2tpEvent> = new Driver(
      endpoint,
      clock,
      (bytes, to) => socket.send(bytes, to),
      heard,
    )
    driver.command({ type: 'open' })

    function heard(event: L2tpEvent): void {
      switch (event.type) {
        case 'opened':
          answer = { type: 'opened', hostName: event.hostName, roundTrip: clock.now() - started }
          driver.command({ type: 'close' })
          break
        case 'closed':
          answer ??= refusal(clock.now(), event.cause, tunnel, peer.host, socketError)
          // The endpoint stays to refuse an answer that comes late; whoever waits for a word does not.
          if (answer.type === 'silent') end()
          break
        case 'finished':
          end()
      }
    }

    function end(): void {
      driver.stop()
      socket.close()
      resolve(answer ?? { type: 'silent', code: socketError })
    }
  })
}

function refusal(
  now: Millis,
  cause: Extract<L2tpEvent, { type: 'closed' }>['cause'],
  { tunnelSecret }: TunnelConfig,
  server: string,
  code: string | undefined,
): LnsAnswer {
  if (cause.by === 'timeout' && cause.awaited === 'acknowledgement') return { type: 'silent', code }
  const secret = tunnelSecret !== undefined
  const history = { server, secret, credentialsSentAt: undefined, authenticated: false, wasUp: false }
  const failure = failureOfL2tp(now, cause, history)
  return { type: 'refused', reason: failure === undefined ? 'it was closed' : failureMessage(failure) }
}
