import { createHash } from 'node:crypto'
import { Driver } from '../../src/app/driver.ts'
import { ClientEndpoint, type ClientOptions } from '../../src/core/client/endpoint.ts'
import type { ClientCommand, ClientEvent } from '../../src/core/client/types.ts'
import type { Digests } from '../../src/core/crypto.ts'
import type { Address } from '../../src/core/endpoint.ts'
import { type LnsCommand, type LnsEvent, type LnsOptions, LnsServer } from '../../src/core/lns/server.ts'
import { Secret } from '../../src/core/secret.ts'
import { seconds } from '../../src/core/time.ts'
import type { Network } from './network.ts'
import { seededEntropy } from './random.ts'

export const LNS_ADDRESS: Address = { host: '192.0.2.1', port: 1701 }
export const CLIENT_ADDRESS: Address = { host: '192.0.2.2', port: 40_000 }

/** Those that CHAP and the tunnel secret need. */
export const digests: Digests = {
  md4: () => {
    throw new Error('not used here')
  },
  md5: (data) => Uint8Array.from(createHash('md5').update(data).digest()),
  sha1: (data) => Uint8Array.from(createHash('sha1').update(data).digest()),
  des: () => {
    throw new Error('not used here')
  },
}

/** alice/wonderland gets 203.0.113.10, as at the LNS of the captures. */
export function lnsOptions(seed: number): LnsOptions {
  const entropy = seededEntropy(seed)
  return {
    l2tp: { hostName: 'lns.example', helloInterval: seconds(60), digests, entropy },
    ppp: {
      mru: 1462,
      auth: ['chap'],
      ipv6: true,
      echoInterval: seconds(1),
      echoFailures: 60,
      name: 'lns.example',
      verify: (username) => (username === 'alice' ? new Secret('wonderland') : undefined),
      assign: () => ({
        address: '203.0.113.10',
        ownAddress: '203.0.113.1',
        dns: ['198.51.100.53', '198.51.100.54'],
      }),
      digests,
      entropy,
    },
    maxPeers: 100,
  }
}

export function clientOptions(seed: number): ClientOptions {
  const entropy = seededEntropy(seed ^ 0x5eed)
  return {
    l2tp: { peer: LNS_ADDRESS, hostName: 'client.example', helloInterval: seconds(25), digests, entropy },
    ppp: {
      mru: 1462,
      auth: ['chap'],
      ipv6: true,
      echoInterval: seconds(1),
      echoFailures: 10,
      username: 'alice',
      password: new Secret('wonderland'),
      wantDns: true,
      digests,
      entropy,
    },
    remembered: {},
    server: LNS_ADDRESS.host,
  }
}

export function startLns(
  network: Network,
  options: LnsOptions,
  onEvent: (event: LnsEvent) => void = () => {},
): Driver<LnsCommand, LnsEvent> {
  const lns: Driver<LnsCommand, LnsEvent> = new Driver(
    new LnsServer(options),
    network.clock,
    (bytes, to) => network.send(LNS_ADDRESS, to, bytes),
    onEvent,
  )
  network.bind(LNS_ADDRESS, (from, bytes) => lns.receive(from, bytes))
  return lns
}

/** One client endpoint; `events` are all that it told so far. */
export function startClient(
  network: Network,
  options: ClientOptions,
): { client: Driver<ClientCommand, ClientEvent>; events: ClientEvent[] } {
  const events: ClientEvent[] = []
  return { client: driveClient(network, options, (event) => events.push(event)), events }
}

/** One client endpoint at its address. */
export function driveClient(
  network: Network,
  options: ClientOptions,
  onEvent: (event: ClientEvent) => void,
): Driver<ClientCommand, ClientEvent> {
  const client: Driver<ClientCommand, ClientEvent> = new Driver(
    new ClientEndpoint(options),
    network.clock,
    (bytes, to) => network.send(CLIENT_ADDRESS, to, bytes),
    onEvent,
  )
  network.bind(CLIENT_ADDRESS, (from, bytes) => client.receive(from, bytes))
  return client
}
