/** The port to MQTT brokers. */
import type { AbortSignal } from '../core/abort.ts'
import type { BrokerUrl } from '../core/config/types.ts'
import type { BrokerFailure } from '../core/mqtt/failure.ts'
import type { Secret } from '../core/secret.ts'

/** One MQTT message: topic, UTF-8 text, and how it is delivered and kept. */
export interface BrokerMessage {
  readonly topic: string
  readonly payload: string
  readonly qos: 0 | 1
  readonly retain: boolean
}

/** A broker and how to log in; files are read when a connection is made. */
export interface BrokerOptions {
  readonly url: BrokerUrl
  readonly username: string | undefined
  readonly password: Secret | undefined
  readonly caFile: string | undefined
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
  readonly serverName: string | undefined
  readonly acceptAnyCertificate: boolean
  readonly clientId: string
  readonly protocol: '3.1.1' | '5'
  /** What the broker says in our name once the connection is lost. */
  readonly will?: BrokerMessage
  onMessage(topic: string, payload: Uint8Array, retained: boolean): void
  /** The connection is over; told once, after which nothing more happens. Not told after `close`. */
  onClose(failure: BrokerFailure): void
}

/** One connection to an MQTT broker; it does not come back once it is lost. */
export interface BrokerConnection {
  /**
   * Resolves when the broker has acknowledged the message (QoS 1), or when it has left for the network (QoS 0). Rejects
   * with BrokerError where the broker does not take it, or the connection ended before.
   */
  publish(message: BrokerMessage): Promise<void>
  /** QoS 1. Rejects with BrokerError where the broker does not grant it. */
  subscribe(filter: string): Promise<void>
  /** Says goodbye, so that the will is not published; resolves once the connection is gone, at the latest after a second. */
  close(): Promise<void>
}

/** Connects to MQTT brokers. */
export interface Brokers {
  /** Resolves once the broker lets us in; rejects with BrokerError, with `signal.reason` where aborted. */
  connect(options: BrokerOptions, signal: AbortSignal): Promise<BrokerConnection>
}
