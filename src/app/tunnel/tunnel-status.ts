import type { DialerState } from '../../core/client/dialer-state.ts'
import type { Attempt } from '../../core/client/race.ts'
import type { CallPhase } from '../../core/client/types.ts'
import { server as serverKind } from '../../core/config/network-kinds.ts'
import { formatInterfaceId } from '../../core/ip/interface-id.ts'
import type { TunnelState } from '../../core/status/status.ts'
import type { Millis } from '../../core/time.ts'
import type { TunnelPatch } from '../status-store.ts'
import type { Session } from './session.ts'

/** A tunnel as the choice among paths sees it. */
export interface TunnelPath {
  readonly device: string
  /** Enabled, with an uplink that can carry it. */
  readonly dialable: boolean
  readonly session: 'none' | 'dialling' | 'up'
  /** The last round came to nothing, or the session ended: it is tried again later. */
  readonly failed: boolean
  /** What keeps a session that is there from being of use, in words. */
  readonly problem: string | null
  /** The control connection is open. */
  readonly control: boolean
  /** When the LNS was last heard through it. */
  readonly heardAt: Millis | undefined
  /** How often the LNS has closed the control connection while no session was wanted. */
  readonly idleClosed: number
  /** IPv4, now or last. */
  readonly address: string | undefined
  /** Literal addresses on the device now. */
  readonly addresses: readonly string[]
  readonly dns: readonly string[]
}

/** The same from what a supervisor knows. A session that had its time and has no address is none, and counts as failed. */
export function tunnelPath(
  view: Pick<TunnelPath, 'device' | 'dialable' | 'idleClosed' | 'control' | 'heardAt'> &
    Pick<TunnelView, 'dialer' | 'applied' | 'session'> & { readonly lastAddress: string | undefined },
): TunnelPath {
  const { device, dialable, idleClosed, control, heardAt, dialer, applied, session, lastAddress } = view
  const { ipv4, ipv6 } = session?.fitted.session ?? {}
  const stuck = session?.stuck ?? false
  const dialling = dialer.name === 'dialling' || (dialer.name === 'open' && dialer.session)
  return {
    device,
    dialable,
    session: applied ? 'up' : dialling && !stuck ? 'dialling' : 'none',
    failed: stuck || dialer.name === 'recalling' || dialer.name === 'waiting',
    problem: session?.standing.problem ?? null,
    control,
    heardAt,
    idleClosed,
    address: ipv4?.address ?? lastAddress,
    addresses: [...(ipv4 ? [ipv4.address] : []), ...(ipv6?.addresses.map(({ address }) => address) ?? [])],
    dns: session?.dns ?? [],
  }
}

/** What a supervisor knows of its tunnel. */
export interface TunnelView {
  readonly dialer: DialerState
  readonly disabled: boolean
  /** How far each attempt has come, by its id. */
  readonly phases: ReadonlyMap<number, CallPhase>
  /** The kernel holds the session. */
  readonly applied: boolean
  /** Dials since the session was last up. */
  readonly dials: number
  readonly session: Session | undefined
}

/** The same as users see it. */
export function tunnelPatch(view: TunnelView): TunnelPatch {
  const attempt = shownAttempt(view.dialer)
  return {
    state: shownState(view),
    attempts: view.dials,
    retry_at: retryAt(view.dialer),
    ...(attempt ? { uplink: attempt.uplink.name, server: serverText(attempt) } : {}),
    ...sessionPatch(view),
  }
}

function shownState({ dialer, disabled, phases, applied }: TunnelView): TunnelState {
  switch (dialer.name) {
    case 'cold':
      return disabled ? 'disabled' : 'waiting'
    case 'waiting':
    case 'closing':
      return dialer.name
    case 'stranded':
    case 'recalling':
      return 'waiting'
    case 'dialling': {
      const attempt = shownAttempt(dialer)
      return attempt ? (phases.get(attempt.id) ?? 'dialling') : 'resolving'
    }
    case 'open':
      if (!dialer.session) return 'waiting'
      return applied ? 'up' : 'configuring'
  }
}

function retryAt(dialer: DialerState): TunnelPatch['retry_at'] {
  if (dialer.name === 'waiting') return dialer.until
  return dialer.name === 'recalling' ? dialer.at : null
}

function shownAttempt(dialer: DialerState): Attempt | undefined {
  if (dialer.name === 'open' || dialer.name === 'recalling') return dialer.attempt
  if (dialer.name === 'dialling') return dialer.opened ?? dialer.race.attempts[0]
  return undefined
}

function serverText({ server, address }: Attempt): string {
  const written = serverKind.print(server)
  return server.host === address ? `${written}` : `${written} (${address})`
}

function sessionPatch({ session }: TunnelView): TunnelPatch {
  if (!session?.keys) return {}
  const { localTunnel, localSession, peerTunnel, peerSession } = session.keys
  const { ipv4, ipv6, mtu } = session.fitted.session
  const { standing } = session
  return {
    local: { tunnel_id: localTunnel, session_id: localSession },
    peer: { tunnel_id: peerTunnel, session_id: peerSession },
    mtu: session.open ? mtu : null,
    ipv4: { address: ipv4?.address ?? null, peer: ipv4?.peer ?? null, reason: standing.ipv4 },
    ipv6: {
      interface_id: ipv6 ? formatInterfaceId(ipv6.interfaceId) : null,
      addresses: ipv6?.addresses.map(({ address, length }) => `${address}/${length}`) ?? [],
      reason: standing.ipv6,
    },
    problem: standing.problem,
    refused: standing.refused,
    dns: session.dns,
    datapath: session.rung ?? null,
  }
}
