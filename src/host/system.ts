/** The hosts of this system, one for each port of the app. */

import { systemClock as clock } from './clock.ts'
import { NativeDataPaths } from './data-paths.ts'
import { NativeDatagrams } from './datagrams.ts'
import { deviceCounters } from './device-counters.ts'
import { entropy } from './entropy.ts'
import { machine } from './machine.ts'
import { brokers } from './mqtt.ts'
import type { Addon } from './native.ts'
import { NativeNetlinkSockets } from './netlink-sockets.ts'
import { nft } from './nft.ts'
import { sysctls } from './sysctls.ts'
import { ProgramDns } from './system-dns.ts'
import { systemProbe as probe } from './system-probe.ts'
import { FileSystemResolvers } from './system-resolvers.ts'
import { NativeTcpProbes } from './tcp-probes.ts'
import { NativeTuns } from './tuns.ts'

/** Nothing is opened yet. */
export function openSystem(addon: Addon) {
  return {
    clock,
    counters: deviceCounters,
    datagrams: new NativeDatagrams(addon),
    netlinkSockets: new NativeNetlinkSockets(addon),
    tuns: new NativeTuns(addon),
    dataPaths: new NativeDataPaths(addon),
    tcpProbes: new NativeTcpProbes(addon),
    nft,
    brokers,
    machine,
    sysctls,
    entropy,
    systemResolvers: new FileSystemResolvers(),
    dns: new ProgramDns(),
    probe,
  }
}
