import { networkInterfaces } from 'node:os'
import type { DeviceAddresses } from '../port.ts'

const NO_ADDRESS = '00:00:00:00:00:00'

/** The network devices that are up, with their addresses. */
export function interfaces(): ReadonlyMap<string, DeviceAddresses> {
  return new Map(
    Object.entries(networkInterfaces()).map(([name, addresses = []]) => {
      const mac = addresses.find((each) => each.mac !== NO_ADDRESS)?.mac
      const ipv4 = addresses.filter(({ family }) => family === 'IPv4').map(({ address }) => address)
      return [name, { mac, ipv4 }]
    }),
  )
}
