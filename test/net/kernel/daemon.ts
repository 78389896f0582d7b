/**
 * Holds the kernel at a configuration as the daemon does, but with sessions that the test dictates. Each line of standard
 * input is a command in JSON; each is answered with a line `done N [failures]`, N counting from 1.
 */
import { createInterface } from 'node:readline'
import { Apply } from '../../../src/app/kernel/apply.ts'
import { Conntrack } from '../../../src/app/kernel/conntrack.ts'
import { Devices } from '../../../src/app/kernel/devices.ts'
import { FactsWatcher } from '../../../src/app/kernel/facts.ts'
import { Keeper } from '../../../src/app/kernel/keeper.ts'
import { NetlinkRequests } from '../../../src/app/kernel/netlink-requests.ts'
import { LineLog } from '../../../src/app/log.ts'
import { fromHex } from '../../../src/core/bytes.ts'
import type { Config } from '../../../src/core/config/types.ts'
import type { ActiveRoute } from '../../../src/core/failover/types.ts'
import { desiredState } from '../../../src/core/system/desired.ts'
import { NOTHING_DESIRED } from '../../../src/core/system/desired-state.ts'
import { nextState, type TunnelSession, type TunnelState } from '../../../src/core/system/session.ts'
import { systemClock as clock } from '../../../src/host/clock.ts'
import { NativeDataPaths } from '../../../src/host/data-paths.ts'
import { loadAddon } from '../../../src/host/native.ts'
import { NativeNetlinkSockets } from '../../../src/host/netlink-sockets.ts'
import { nft } from '../../../src/host/nft.ts'
import { sysctls } from '../../../src/host/sysctls.ts'
import { NativeTuns } from '../../../src/host/tuns.ts'
import { carry } from './carry.ts'
import type { DaemonCommand } from './kernel-daemon.ts'

const log = new LineLog({ level: 'debug', style: 'daemon', write: (line) => process.stdout.write(line) })

const addon = loadAddon()
const netlinks = new NetlinkRequests(new NativeNetlinkSockets(addon), clock)
const devices = new Devices(new NativeTuns(addon), new NativeDataPaths(addon))
const watcher = new FactsWatcher(netlinks, log)
const apply = new Apply({ watcher, devices, nft, sysctls, log })
const conntrack = new Conntrack({ netlinks, log })
const states = new Map<string, TunnelState>()
let active: ActiveRoute | undefined
let config: Config | undefined
await watcher.start()
const keeper = new Keeper({ apply, watcher, netlinks, clock, log })
watcher.onChange(() => void want())

let count = 0
for await (const text of createInterface({ input: process.stdin })) {
  const started = performance.now()
  const failures = await execute(JSON.parse(text))
  const took = (performance.now() - started).toFixed(1)
  const words = failures.map(({ message }) => message)
  console.log(`done ${++count} ${JSON.stringify(words)} in ${took} ms`)
}
keeper.close()
watcher.close()
devices.close()

function want() {
  const desired = config === undefined ? NOTHING_DESIRED : desiredState(config, watcher.facts, states, active)
  return apply.want(desired)
}

async function execute(command: DaemonCommand) {
  if (command.do === 'clear') config = undefined
  if (command.do === 'configure') config = command.config as Config
  if (command.do === 'route') active = command.active
  if (command.do === 'carry') {
    carry((session) => devices.open(command.tunnel).attach(session), command.from, command.to)
    return []
  }
  if (command.do === 'flush') {
    await conntrack.flush(command.address, command.scope)
    return []
  }
  if (command.do === 'guard') {
    await apply.guardPort(command.port)
    return []
  }
  if (command.do === 'show') {
    const session = command.session && sessionOf(command)
    states.set(command.tunnel, nextState(states.get(command.tunnel), session))
  }
  if (command.do === 'remember') {
    states.set(command.tunnel, { session: undefined, held: sessionOf(command) })
    return []
  }
  return want()
}

function sessionOf({ session }: Extract<DaemonCommand, { do: 'show' | 'remember' }>): TunnelSession {
  if (session === undefined) throw new Error('no session given')
  const { ipv6, ipv4 } = session
  const { interfaceId = '', addresses = [] } = ipv6 ?? {}
  return {
    ...session,
    ipv4,
    ipv6: ipv6 && { interfaceId: fromHex(interfaceId), addresses },
  }
}
