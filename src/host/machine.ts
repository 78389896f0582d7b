import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import type { Machine, MachineIdentity } from '../app/ports.ts'

const NO_ADDRESS = '00:00:00:00:00:00'

/** This machine, known by what does not change: its network hardware, or what was written when it was installed. */
export const machine: Machine = {
  // Copies of one card have the same machine-id, and containers of one machine see the same hardware.
  mark: createHash('sha256')
    .update(`${hardware()[0] ?? ''} ${readText('/etc/machine-id')}`)
    .digest('hex')
    .slice(0, 6),

  identity(devices): MachineIdentity {
    const interfaces = networkInterfaces()
    const addresses = devices.flatMap((device) => interfaces[device] ?? [])
    const inside = addresses.find(({ mac }) => mac !== NO_ADDRESS)
    return { mac: inside?.mac ?? hardware()[0], page: pageOf(addresses) }
  },
}

/** OpenWrt serves its pages from there. */
function pageOf(addresses: readonly NetworkInterfaceInfo[]): string | undefined {
  const own = addresses.find(({ family }) => family === 'IPv4')?.address
  return own !== undefined && existsSync('/www/luci-static') ? `http://${own}/` : undefined
}

/** Of network cards, in an order that stays; what is plugged in comes last, as it may be somewhere else tomorrow. */
function hardware(): string[] {
  const folder = '/sys/class/net'
  const cards = names(folder).flatMap((name) => {
    const device = realPath(`${folder}/${name}/device`)
    const address = readText(`${folder}/${name}/address`)
    if (device === undefined || !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(address)) return []
    return address === NO_ADDRESS ? [] : [{ address, plugged: device.includes('/usb') }]
  })
  return cards
    .sort((a, b) => Number(a.plugged) - Number(b.plugged) || (a.address < b.address ? -1 : 1))
    .map(({ address }) => address)
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}
