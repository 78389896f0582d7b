/** The data paths in memory, which other tests rely on, give what every data path gives; so do those that carry in batches. */
import { describe } from 'node:test'
import { type DataPathBench, dataPathTests, OURS, THEIRS } from '../data-path.ts'
import { type Batches, dataSession, MemorySocket, MemoryTuns } from '../memory-tuns.ts'
import { dataMessage, ipv4Udp } from '../net/native/packets.ts'
import { VirtualClock } from '../virtual-clock.ts'

const HERE = [192, 0, 2, 1]
const THERE = [192, 0, 2, 2]
/** IPv4 and UDP. */
const HEADERS = 28

function textOf(packet: Uint8Array): string {
  return new TextDecoder().decode(packet.subarray(HEADERS))
}

function packetOf(from: readonly number[], to: readonly number[], text: string): Uint8Array {
  return ipv4Udp(from, to, [7001, 7000], new TextEncoder().encode(text))
}

function benchOf(device: string, batches?: Batches, clock = new VirtualClock()): DataPathBench {
  const tuns = new MemoryTuns({}, batches)
  const tun = tuns.open(device)
  const socket = new MemorySocket()
  const peerAddress = { host: '198.51.100.1', port: 1701 }
  const delivered: string[] = []
  const memory = tuns.devices.get(device)
  if (memory) memory.onPacket = (packet) => delivered.push(textOf(packet))
  const fromPeer = (bytes: Uint8Array) => socket.arrive(peerAddress, bytes)
  return {
    tun,
    socket,
    peerAddress,
    delivered,
    received: socket.sent,
    toJs: socket.heard,
    attach: (change) =>
      tuns.attach(
        tun,
        dataSession({
          socket,
          peer: peerAddress,
          localTunnelId: OURS.tunnel,
          localSessionId: OURS.session,
          peerTunnelId: THEIRS.tunnel,
          peerSessionId: THEIRS.session,
          ...change,
        }),
      ),
    fromPeer,
    fromStranger: (bytes) => socket.arrive({ ...peerAddress, port: 1702 }, bytes),
    dataFromPeer: (text, form = {}) =>
      fromPeer(dataMessage({ ...OURS, ...form }, packetOf(THERE, HERE, text))),
    fromApplication: (text) => memory?.inject(packetOf(HERE, THERE, text)),
    textsAtPeer: (header = 10) =>
      socket.sent
        .filter((message) => message[header] === 0x45)
        .map((message) => textOf(message.subarray(header))),
    until: async (condition, what) => {
      for (let waited = 0; !condition(); waited++) {
        if (waited > 100) throw new Error(`timed out waiting until ${what}`)
        await clock.pass(1)
      }
    },
  }
}

describe('packet by packet', () => dataPathTests(async (_t, device) => benchOf(device)))

describe('in batches, of frames that are headed anew', () =>
  dataPathTests(async (_t, device) => {
    const clock = new VirtualClock()
    return benchOf(device, { clock, span: 5 }, clock)
  }))
