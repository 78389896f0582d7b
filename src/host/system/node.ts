/** Node's half of the port. It and what lies in node/ are the only files of src that know of Node, with launcher.ts. */
import { randomBytes } from 'node:crypto'
import { addon } from './node/addon.ts'
import { files } from './node/files.ts'
import { interfaces } from './node/interfaces.ts'
import { thisProcess } from './node/process.ts'
import { programs } from './node/programs.ts'
import { streams } from './node/streams.ts'
import { timers } from './node/timers.ts'
import { tls } from './node/tls.ts'
import type { System } from './port.ts'

/** This system, through Node. */
export const system: System = {
  files,
  streams,
  tls,
  programs,
  process: thisProcess,
  timers,
  random: (octets) => new Uint8Array(randomBytes(octets)),
  interfaces,
  addon,
}
