import type { ServiceManager } from '../app/ports.ts'
import { encodeUtf8 } from '../core/bytes.ts'
import { loadAddon } from './native.ts'

/** The service manager behind NOTIFY_SOCKET (sd_notify(3)). That it does not listen is no failure of the service. */
export const systemd: ServiceManager = {
  ready: () => notify('READY=1'),
  // Type=notify-reload (since systemd 253) wants to know which reload it is that has begun.
  reloading: () => notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
  stopping: () => notify('STOPPING=1'),
  status: (text) => notify(`STATUS=${text.replace(/\s+/g, ' ')}`),
}

function notify(...assignments: readonly string[]): void {
  const socket = process.env.NOTIFY_SOCKET
  if (socket?.startsWith('/') || socket?.startsWith('@'))
    loadAddon().notify(socket, encodeUtf8(assignments.join('\n')))
}
