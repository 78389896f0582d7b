/** A session of fixed ids without its protocols: the data path alone, the same at both ends. */
import type { DataPath, DataSession } from '../../../src/app/tuns.ts'
import type { Address } from '../../../src/core/endpoint.ts'
import { NativeDatagrams } from '../../../src/host/datagrams.ts'
import { loadAddon } from '../../../src/host/native.ts'

/** Where the datagrams leave. */
export interface Endpoint {
  readonly device: string
  readonly port: number
}

export function carry(attach: (session: DataSession) => DataPath, from: Endpoint, to: Address): void {
  const socket = new NativeDatagrams(loadAddon()).open({
    family: 4,
    ...from,
    onMessage: () => {},
    onError: () => {},
  })
  socket.connect(to)
  const ids = { localTunnelId: 1, localSessionId: 1, peerTunnelId: 1, peerSessionId: 1 }
  attach({ socket, peer: to, ...ids, mtu: 1462, sequencing: false, ipv4: true, ipv6: true })
}
