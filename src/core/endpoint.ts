import type { Millis } from './time.ts'

/** A UDP endpoint. `host` is a literal address in canonical text (RFC 5952 for IPv6); `port` 1..65535. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** One datagram to be sent. */
export interface Transmit {
  readonly to: Address
  readonly bytes: Uint8Array
}

/**
 * A sans-IO protocol endpoint. Every input carries `now`; after each input the driver drains `pollTransmit` and
 * `pollEvent` until both are empty, executes commands that events led to, and then re-arms its one alarm to
 * `pollTimeout`. Handlers of events queue commands and never re-enter.
 */
export interface ProtocolEndpoint<Command, Event> {
  /** A datagram arrived. Bytes from a peer never throw. */
  receive(now: Millis, from: Address, bytes: Uint8Array): void
  command(now: Millis, command: Command): void
  /** The alarm rang. An early call does nothing. */
  timeout(now: Millis): void
  pollTransmit(): Transmit | undefined
  pollEvent(): Event | undefined
  /** The earliest deadline, if any. */
  pollTimeout(): Millis | undefined
}
