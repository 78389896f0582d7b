/** Wiring only: the one file that sees core, hosts, app and command line. */
import { AddressLog } from './app/address-log.ts'
import { Announcer } from './app/announcer.ts'
import { Control } from './app/control/control.ts'
import { Daemon } from './app/daemon.ts'
import { examine } from './app/doctor/doctor.ts'
import { KnownTargets } from './app/failover/known-targets.ts'
import { Hooks } from './app/hooks.ts'
import { Apply } from './app/kernel/apply.ts'
import { Conntrack } from './app/kernel/conntrack.ts'
import { Devices } from './app/kernel/devices.ts'
import { DnsOffers } from './app/kernel/dns-offers.ts'
import { FactsWatcher, readFacts } from './app/kernel/facts.ts'
import { Keeper } from './app/kernel/keeper.ts'
import { NetlinkRequests } from './app/kernel/netlink-requests.ts'
import { LineLog } from './app/log.ts'
import { Publishers } from './app/mqtt/publishers.ts'
import { tryBrokers } from './app/mqtt/trial.ts'
import { planAtStart } from './app/plan.ts'
import { DnsResolver } from './app/resolver.ts'
import { StatusStore } from './app/status-store.ts'
import { filterGates } from './app/tunnel/filter-gates.ts'
import { Memory } from './app/tunnel/memory.ts'
import { Names } from './app/tunnel/names.ts'
import type { DaemonOptions } from './cli/context.ts'
import { DEFAULT_SOCKET } from './cli/daemon.ts'
import { EXIT } from './cli/exit-codes.ts'
import { runCli } from './cli/program.ts'
import { localZone, processTerminal } from './cli/terminal.ts'
import { digests } from './core/digests/digests.ts'
import { ok } from './core/result.ts'
import { loadConfig, readConfig, readFile, realPath } from './host/config-files.ts'
import { ControlClient } from './host/control-client.ts'
import { listenControl } from './host/control-socket.ts'
import { HookFolder } from './host/hook-runner.ts'
import { lockNamespace } from './host/namespace-lock.ts'
import { loadAddon } from './host/native.ts'
import { readText } from './host/read-text.ts'
import { Systemd } from './host/sd-notify.ts'
import { standardError } from './host/standard-error.ts'
import { StateDirectory } from './host/state-files.ts'
import { system } from './host/system/engine.ts'
import { openSystem } from './host/system.ts'
import { every } from './host/timers.ts'

declare const LIFELINE_VERSION: string
declare const LIFELINE_HOMEPAGE: string | null
const version = typeof LIFELINE_VERSION === 'string' ? LIFELINE_VERSION : 'development'
const homepage = typeof LIFELINE_HOMEPAGE === 'string' ? LIFELINE_HOMEPAGE : undefined

/** The hosts of this system, and what is made of them. Throws SystemError if the addon cannot be loaded. */
function openPorts(addon = loadAddon()) {
  const hosts = openSystem(addon)
  const { datagrams, netlinkSockets, clock, entropy } = hosts
  return {
    ...hosts,
    digests,
    netlinks: new NetlinkRequests(netlinkSockets, clock),
    resolver: new DnsResolver(datagrams, clock, entropy),
  }
}

/** Runs until SIGTERM or SIGINT; then everything of ours is gone again. */
async function startDaemon({ configFile, socket, notices }: DaemonOptions): Promise<number> {
  // Their defaults would end the process while that starts.
  const stopAsked = new Promise<void>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      const cancel = system.process.onSignal(name, () => {
        // Whoever asks twice does not want to wait.
        cancel()
        resolve()
      })
    }
  })
  let reloadAsked = false
  let reload = () => {
    reloadAsked = true
  }
  system.process.onSignal('SIGHUP', () => reload())
  const sink = standardError('info')
  const log = new LineLog(sink)
  const ready = readConfig(configFile)
  if (!ready.ok) {
    for (const problem of ready.error.problems ?? []) log.error(problem)
    return EXIT.usage
  }
  for (const warning of [...notices(), ...ready.value.warnings]) log.warn(warning)
  const { lifeline } = ready.value.config
  sink.level = lifeline.logLevel
  const addon = loadAddon()
  const lock = await lockNamespace({ sockets: [DEFAULT_SOCKET, socket], log, addon })
  const ports = openPorts(addon)
  const devices = new Devices(ports.tuns, ports.dataPaths)
  const watcher = new FactsWatcher(ports.netlinks, log)
  const files = new StateDirectory(lifeline.stateDir, log)
  const status = new StatusStore(ports.clock, version)
  const apply = new Apply({ ...ports, watcher, devices, log })
  const publishers = new Publishers({ ...ports, homepage, log, random: Math.random, status, files })
  const daemon = new Daemon(ready.value, {
    ...ports,
    log,
    devices,
    conntrack: new Conntrack({ ...ports, log }),
    watcher,
    apply,
    gates: filterGates(apply),
    refusals: apply,
    names: new Names(ports.resolver, files, ports.clock),
    memory: new Memory(files),
    known: new KnownTargets(files),
    zone: localZone,
    files,
    status,
    publishers,
    hostName: hostName(),
    readConfig: () => {
      const read = readConfig(configFile)
      if (!read.ok) return read
      const { config, warnings } = read.value
      sink.level = config.lifeline.logLevel
      return ok({ config, warnings: [...notices(), ...warnings] })
    },
  })
  const keeper = new Keeper({ ...ports, apply, watcher, log })
  const control = new Control(daemon, log)
  const listening = await listenControl(socket, (stream) => control.accept(stream))
  daemon.prepare()
  status.follow(({ seq: _seq, at: _at, event, ...fields }) => log.info(event, fields))
  new AddressLog(status, log)
  const hooks = new Hooks({ status, runner: new HookFolder(log), clock: ports.clock, log })
  await watcher.start()
  const offers = new DnsOffers({ ...ports, status, watcher, files, log, config: () => daemon.config })
  daemon.start()
  const unsettle = system.process.settle(log)
  const announcer = new Announcer(new Systemd(addon), status)
  reload = () => void announcer.reloading(daemon.reload())
  if (reloadAsked) reload()
  await stopAsked
  announcer.stopping()
  keeper.close()
  // Hanging up does not wait for a resolver's program that hangs itself.
  await Promise.all([offers.close(), daemon.stop()])
  await hooks.close()
  await files.settled()
  listening.close()
  watcher.close()
  lock.release()
  unsettle()
  return EXIT.ok
}

function hostName(): string {
  return readText('/proc/sys/kernel/hostname')?.trim() ?? ''
}

runCli(system.process.args, {
  version,
  terminal: processTerminal(system.process),
  connect: ControlClient.connect,
  startDaemon,
  planAtStart: async (configFile) => {
    const ready = readConfig(configFile)
    const ports = openPorts()
    return ready.ok ? ok(await planAtStart(ready.value, await readFacts(ports.netlinks), ports)) : ready
  },
  examine: async (configFile, tell) => {
    const ready = readConfig(configFile)
    return ready.ok ? ok(await examine(ready.value.config, openPorts(), tell)) : ready
  },
  tryBrokers: async (configFile, name, tell) => {
    const ready = readConfig(configFile)
    const ports = { ...openPorts(), homepage, version, hostName: hostName() }
    return ready.ok ? ok(await tryBrokers(ready.value.config, name, ports, tell)) : ready
  },
  realPath,
  readFile,
  loadConfig,
  now: () => new Date(),
  every,
}).then(
  (code) => system.process.exit(code),
  (error: unknown) => {
    system.process.complaints.write(`lifeline: ${error instanceof Error ? error.message : String(error)}\n`)
    system.process.exit(EXIT.failed)
  },
)
