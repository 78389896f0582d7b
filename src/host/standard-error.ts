import type { LogStyle, Sink } from '../app/log.ts'
import type { LogLevel } from '../core/config/types.ts'
import { readText } from './read-text.ts'
import { system } from './system/engine.ts'
import type { FileFacts, Output } from './system/port.ts'

/** Standard error of this process. A reader that went away is not an error of ours. */
export function standardError(level: LogLevel): Sink {
  const { complaints } = system.process
  complaints.onGone(() => {})
  return { level, style: styleOf(complaints), write: (line) => complaints.write(line) }
}

function styleOf({ columns }: Output): LogStyle {
  if (columns !== undefined) return 'terminal'
  const { environment, parent } = system.process
  // systemd.exec(5): JOURNAL_STREAM is inherited, so only where it names this very stream is journald reading.
  const stream = environment.JOURNAL_STREAM && systemFile('/proc/self/fd/2')
  if (stream && environment.JOURNAL_STREAM === `${stream.device}:${stream.inode}`) return 'journal'
  // OpenWrt's first process hands what its services say to syslog.
  return parent === 1 && readText('/proc/1/comm')?.trim() === 'procd' ? 'daemon' : 'file'
}

/** Undefined where it cannot be looked at. */
function systemFile(path: string): FileFacts | undefined {
  try {
    return system.files.look(path)
  } catch {
    return undefined
  }
}
