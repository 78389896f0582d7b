import type { ServiceManager } from '../app/ports.ts'
import { encodeUtf8 } from '../core/bytes.ts'
import type { Addon } from './native.ts'
import { system } from './system/engine.ts'

/** The service manager behind NOTIFY_SOCKET (sd_notify(3)). That it does not listen is no failure of the service. */
export class Systemd implements ServiceManager {
  readonly #addon: Addon

  constructor(addon: Addon) {
    this.#addon = addon
  }

  ready(): void {
    this.#notify('READY=1')
  }

  /** Type=notify-reload (since systemd 253) wants to know which reload it is that has begun. */
  reloading(): void {
    this.#notify('RELOADING=1', `MONOTONIC_USEC=${monotonicMicroseconds()}`)
  }

  stopping(): void {
    this.#notify('STOPPING=1')
  }

  status(text: string): void {
    this.#notify(`STATUS=${text.replace(/\s+/g, ' ')}`)
  }

  #notify(...assignments: readonly string[]): void {
    const socket = system.process.environment.NOTIFY_SOCKET
    if (socket?.startsWith('/') || socket?.startsWith('@'))
      this.#addon.notify(socket, encodeUtf8(assignments.join('\n')))
  }
}

function monotonicMicroseconds(): number {
  const { start, now } = system.timers
  return Math.floor((start + now()) * 1000)
}
