/** What a network device has carried since it came, headers of its link included. */
export interface DeviceTraffic {
  readonly receivedOctets: number
  readonly receivedPackets: number
  readonly sentOctets: number
}

/** Columns of /proc/net/dev behind the name: eight of what was received, then eight of what was sent. */
const RECEIVED_OCTETS = 0
const RECEIVED_PACKETS = 1
const SENT_OCTETS = 8

/** Reads /proc/net/dev: each device by its name. Lines that are none of it are left out. */
export function parseProcNetDev(text: string): Map<string, DeviceTraffic> {
  const devices = new Map<string, DeviceTraffic>()
  for (const line of text.split('\n')) {
    const [, name, rest = ''] = /^\s*([^\s:]+):(.*)$/.exec(line) ?? []
    const columns = rest.trim().split(/\s+/).map(Number)
    const [receivedOctets, receivedPackets, sentOctets] = [
      RECEIVED_OCTETS,
      RECEIVED_PACKETS,
      SENT_OCTETS,
    ].map((column) => columns[column] ?? Number.NaN)
    if (name === undefined || !isCount(receivedOctets) || !isCount(receivedPackets) || !isCount(sentOctets))
      continue
    devices.set(name, { receivedOctets, receivedPackets, sentOctets })
  }
  return devices
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value)
}
