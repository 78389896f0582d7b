import { u16 } from '../../core/bytes.ts'
import { ipFamily } from '../../core/ip/address.ts'
import { IP_HEADER } from '../../core/ip/encapsulation.ts'
import { decodeEcho, encodeEcho } from '../../core/ip/icmp.ts'
import type { UsableUplink } from '../../core/system/uplinks.ts'
import { after } from '../../core/time.ts'
import { type IcmpSocket, SystemError } from '../ports.ts'
import type { DoctorPorts } from './finding.ts'

/** MTUs of common lines: Ethernet, PPPoE, tunnels of several kinds, and the least that IPv6 allows. */
const COMMON_MTUS = [1500, 1492, 1480, 1472, 1460, 1452, 1440, 1432, 1420, 1400, 1380, 1340, 1320, 1280]
/** One that gets through everywhere, to see whether echoes are answered at all. */
const SMALL = 128

const ECHO_HEADER = 8

/** ms between the rounds, and after the last. An answer may be lost or limited in rate. */
const ROUND = 500
const ROUNDS = 3

type Ports = Pick<DoctorPorts, 'clock' | 'datagrams' | 'entropy'>

/**
 * The largest IP packet, in octets, that gets to `host` and back in one piece over an uplink: echoes of several sizes, none
 * of which may be fragmented. At most the link's MTU; undefined if `host` answers no echoes.
 */
export async function measurePathMtu(
  { clock, datagrams, entropy }: Ports,
  host: string,
  { device, source, link }: UsableUplink,
): Promise<number | undefined> {
  const family = ipFamily(host) ?? 4
  const identifier = u16(entropy(2), 0)
  const sizes = [...new Set([link.mtu, ...COMMON_MTUS, SMALL])].filter((size) => size <= link.mtu)
  const answered = new Set<number>()
  let socket: IcmpSocket
  try {
    socket = datagrams.openIcmp({
      family,
      device,
      identifier,
      whole: true,
      ...(source !== undefined && ipFamily(source) === family ? { source } : {}),
      onMessage: (from, message) => {
        const echo = decodeEcho(family, message)
        if (
          !echo.ok ||
          from !== host ||
          echo.value.kind !== 'echoReply' ||
          echo.value.identifier !== identifier
        )
          return
        answered.add(echo.value.data.length + ECHO_HEADER + IP_HEADER[family])
      },
      onError: () => {},
    })
  } catch (cause) {
    if (cause instanceof SystemError) return undefined
    throw cause
  }
  try {
    for (let round = 0; round < ROUNDS && !answered.has(link.mtu); round++) {
      for (const [sequence, size] of sizes.entries()) {
        if (answered.has(size)) continue
        const data = new Uint8Array(size - ECHO_HEADER - IP_HEADER[family])
        socket.send(encodeEcho(family, { kind: 'echoRequest', identifier, sequence, data }), host)
      }
      await new Promise<void>((resolve) => clock.alarm(after(clock.now(), ROUND), resolve))
    }
  } finally {
    socket.close()
  }
  return answered.size === 0 ? undefined : Math.max(...answered)
}
