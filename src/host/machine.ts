import type { Machine, MachineIdentity } from '../app/ports.ts'
import { encodeUtf8, toHex } from '../core/bytes.ts'
import { sha256 } from '../core/digests/sha256.ts'
import { realPath } from './config-files.ts'
import { readText } from './read-text.ts'
import { system } from './system/engine.ts'
import { systemProbe } from './system-probe.ts'

const NO_ADDRESS = '00:00:00:00:00:00'

/** This machine, known by what does not change: its network hardware, or what was written when it was installed. */
export const machine: Machine = {
  // Copies of one card have the same machine-id, and containers of one machine see the same hardware.
  mark: toHex(sha256(encodeUtf8(`${hardware()[0] ?? ''} ${lineOf('/etc/machine-id')}`))).slice(0, 6),

  identity(devices): MachineIdentity {
    const interfaces = system.interfaces()
    const inside = devices.flatMap((device) => interfaces.get(device) ?? [])
    const [mac = hardware()[0]] = inside.flatMap((device) => device.mac ?? [])
    const [address] = inside.flatMap(({ ipv4 }) => ipv4)
    return { mac, page: pageAt(address) }
  },
}

/** OpenWrt serves its pages from there. */
function pageAt(address: string | undefined): string | undefined {
  return address !== undefined && systemProbe.exists('/www/luci-static') ? `http://${address}/` : undefined
}

/** Of network cards, in an order that stays; what is plugged in comes last, as it may be somewhere else tomorrow. */
function hardware(): string[] {
  const folder = '/sys/class/net'
  const cards = systemProbe.names(folder).flatMap((name) => {
    const device = realPath(`${folder}/${name}/device`)
    const address = lineOf(`${folder}/${name}/address`)
    if (device === undefined || !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(address)) return []
    return address === NO_ADDRESS ? [] : [{ address, plugged: device.includes('/usb') }]
  })
  return cards
    .sort((a, b) => Number(a.plugged) - Number(b.plugged) || (a.address < b.address ? -1 : 1))
    .map(({ address }) => address)
}

/** Nothing where it cannot be read. */
function lineOf(file: string): string {
  return readText(file)?.trim() ?? ''
}
