/**
 * Holds the kernel at a configuration as the daemon does, but with sessions that the test dictates. Each line of standard
 * input is a command in JSON; each is answered with a line `done N [failures]`, N counting from 1.
 */
import { createInterface } from 'node:readline'
import { Kernel } from '../../../src/app/kernel.ts'
import type { Log } from '../../../src/app/ports.ts'
import { fromHex } from '../../../src/core/bytes.ts'
import type { Config } from '../../../src/core/config/types.ts'
import type { TunnelSession } from '../../../src/core/system/session.ts'
import { systemClock } from '../../../src/host/clock.ts'
import { NativeNetlinks } from '../../../src/host/netlinks.ts'
import { nft } from '../../../src/host/nft.ts'
import { sysctls } from '../../../src/host/sysctls.ts'
import { NativeTuns } from '../../../src/host/tuns.ts'
import type { DaemonCommand } from './kernel-daemon.ts'

const log: Log = {
  debug: line,
  info: line,
  warn: line,
  error: line,
  with: () => log,
}

const kernel = new Kernel({
  clock: systemClock,
  netlinks: new NativeNetlinks(),
  nft,
  sysctls,
  tuns: new NativeTuns(),
  log,
})
await kernel.start()

let count = 0
for await (const text of createInterface({ input: process.stdin })) {
  const started = performance.now()
  const failures = await execute(JSON.parse(text))
  const took = (performance.now() - started).toFixed(1)
  const words = failures.map(({ message }) => message)
  console.log(`done ${++count} ${JSON.stringify(words)} in ${took} ms`)
}
kernel.close()

async function execute(command: DaemonCommand) {
  switch (command.do) {
    case 'configure':
      return kernel.configure(command.config as Config)
    case 'remember':
      if (command.session) kernel.remember(command.tunnel, sessionOf(command))
      return []
    case 'show':
      return kernel.show(command.tunnel, command.session && sessionOf(command))
    case 'clear':
      return kernel.clear()
  }
}

function sessionOf({ session }: Extract<DaemonCommand, { tunnel: string }>): TunnelSession {
  if (session === undefined) throw new Error('no session given')
  const { ipv6, ipv4 } = session
  const { interfaceId = '', addresses = [] } = ipv6 ?? {}
  return {
    ...session,
    ipv4,
    ipv6: ipv6 && { interfaceId: fromHex(interfaceId), addresses },
  }
}

function line(message: string, fields?: unknown): void {
  console.log(`${performance.now().toFixed(1)} ${message} ${JSON.stringify(fields ?? {})}`)
}
