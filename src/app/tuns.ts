/** The port to TUN devices, and to what carries the packets of sessions over them. */
import type { Address } from '../core/endpoint.ts'
import type { DatagramSocket } from './ports.ts'

/** The keys of the session whose packets the data path carries. */
export interface DataSession {
  readonly socket: DatagramSocket
  readonly peer: Address
  readonly localTunnelId: number
  readonly localSessionId: number
  readonly peerTunnelId: number
  readonly peerSessionId: number
  /** Largest inner packet in octets. */
  readonly mtu: number
  /** Data messages carry sequence numbers (RFC 2661 section 5.4). */
  readonly sequencing: boolean
  /** Which network protocols are open; packets of others are dropped. */
  readonly ipv4: boolean
  readonly ipv6: boolean
}

/** What may change while a session's packets are carried. Peer and ids may not: a kernel that carries them has them fixed. */
export type DataSessionChange = Partial<Pick<DataSession, 'mtu' | 'sequencing' | 'ipv4' | 'ipv6'>>

/**
 * Carries the IP packets of one session between its device and its socket, from `attach` on: one by one, in batches, or by
 * the kernel. test/data-path.ts holds each kind to what follows.
 * - The session's is what its peer sends with its ids. IP packets of open families reach the device; what else is IP data,
 *   malformed, of other ids or of strangers is dropped and counted.
 * - Any other frame of the session reaches the socket's onMessage, in order, as the message that it came in. Who is handed
 *   frames alone heads them anew, with Ns where the peer numbers its messages: that is followed (RFC 2661 section 5.4).
 * - Control messages reach onMessage, whoever sent them.
 * - What is sent through the socket leaves as before, numbered as one with what the path sends.
 * - A pause of JavaScript loses no packet and delays none.
 */
export interface DataPath {
  /** How it carries them now, for status; it may get worse or better meanwhile. */
  readonly rung: string
  update(change: DataSessionChange): void
  /** Data messages of the session that arrived from its peer, whatever is in them: proof of life. */
  received(): number
  /** Stops carrying; device and socket stay open. Does nothing if that has ended already. */
  detach(): void
}

/** Makes the data path of a session: between its device and its socket. */
export interface DataPaths {
  /**
   * Device and socket come from the ports of the same system. Throws SystemError (EBUSY: one of them has another data path).
   * Ends when either is closed.
   */
  attach(device: TunDevice, session: DataSession): DataPath
}

/** What a data path carried from the peer (rx) and to it (tx), in inner packets and their octets, and what it dropped. */
export interface DataCounters {
  readonly rx: { readonly packets: number; readonly octets: number; readonly dropped: number }
  readonly tx: { readonly packets: number; readonly octets: number; readonly dropped: number }
}

/** A persistent TUN device: it outlives sessions and this process, until `destroy`. */
export interface TunDevice {
  readonly name: string
  setCarrier(on: boolean): void
  /** Since the device was opened by this process, whichever sessions it had. */
  counters(): DataCounters
  /** Lets go of the device, which stays with its addresses. */
  close(): void
  /** Removes the device from the system. */
  destroy(): void
}

/** Opens TUN devices. */
export interface Tuns {
  /**
   * Opens or creates the persistent device, its carrier off. `onGone`: somebody removed it; close it and open it anew.
   * Throws SystemError (EBUSY: another process carries it).
   */
  open(name: string, onGone?: () => void): TunDevice
}
