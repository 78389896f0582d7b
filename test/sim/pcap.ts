/** Reads the L2TP packets of an Ethernet capture, for tests that replay what real peers said. */
import { readFileSync } from 'node:fs'
import { formatIp } from '../../src/core/ip/address.ts'

export interface CapturedPacket {
  /** Milliseconds since the first packet of the file. */
  readonly time: number
  /** By the UDP ports: `toLns` goes to port 1701. */
  readonly direction: 'toLns' | 'fromLns'
  readonly from: { readonly host: string; readonly port: number }
  readonly to: { readonly host: string; readonly port: number }
  /** The UDP payload. */
  readonly bytes: Uint8Array
}

const L2TP = 1701
const UDP = 17

/**
 * All unfragmented UDP packets to or from port 1701 of a classic pcap file (microseconds, either byte order), over IPv4
 * or IPv6, in file order.
 */
export function readPcap(path: string): CapturedPacket[] {
  const file = readFileSync(path)
  const little = file.readUInt32LE(0) === 0xa1b2c3d4
  if (!little && file.readUInt32BE(0) !== 0xa1b2c3d4) throw new Error(`${path}: not a pcap file`)
  const u32 = (offset: number) => (little ? file.readUInt32LE(offset) : file.readUInt32BE(offset))
  const packets: CapturedPacket[] = []
  let start: number | undefined
  for (let offset = 24; offset + 16 <= file.length; ) {
    const micros = u32(offset) * 1e6 + u32(offset + 4)
    const captured = u32(offset + 8)
    start ??= micros
    const packet = readFrame(file.subarray(offset + 16, offset + 16 + captured))
    if (packet) packets.push({ time: (micros - start) / 1000, ...packet })
    offset += 16 + captured
  }
  return packets
}

function readFrame(frame: Buffer): Omit<CapturedPacket, 'time'> | undefined {
  const etherType = frame.readUInt16BE(12)
  const ip = frame.subarray(14)
  if (etherType === 0x0800) {
    const fragment = ip.readUInt16BE(6) & 0x3fff
    if (ip.readUInt8(9) !== UDP || fragment !== 0) return undefined
    const header = (ip.readUInt8(0) & 15) * 4
    return readUdp(ip.subarray(header), formatIp(ip.subarray(12, 16)), formatIp(ip.subarray(16, 20)))
  }
  if (etherType !== 0x86dd || ip.readUInt8(6) !== UDP) return undefined
  return readUdp(ip.subarray(40), formatIp(ip.subarray(8, 24)), formatIp(ip.subarray(24, 40)))
}

function readUdp(udp: Buffer, source: string, destination: string): Omit<CapturedPacket, 'time'> | undefined {
  const from = { host: source, port: udp.readUInt16BE(0) }
  const to = { host: destination, port: udp.readUInt16BE(2) }
  if (from.port !== L2TP && to.port !== L2TP) return undefined
  const bytes = new Uint8Array(udp.subarray(8, udp.readUInt16BE(4)))
  return { direction: to.port === L2TP ? 'toLns' : 'fromLns', from, to, bytes }
}
