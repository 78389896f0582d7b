/** `config uplink 'NAME'`: a physical way out. */
import { address, deviceName } from './network-kinds.ts'
import { list, one, type Section, type Values } from './schema.ts'
import type { UplinkConfig } from './types.ts'

const LEARNT = 'learnt from the system'

const options = {
  device: one(deviceName, {
    doc: 'Network device. It need not exist yet, and may come and go.',
    required: true,
  }),
  gateway: one(address(4), { doc: 'Next hop for IPv4.', defaultText: LEARNT }),
  gateway6: one(address(6), { doc: 'Next hop for IPv6.', defaultText: LEARNT }),
  source: one(address(), {
    doc: 'Address of the device from which tunnels are dialled.',
    defaultText: LEARNT,
  }),
  dns: list(address(), {
    doc: 'Resolvers asked, over this uplink, for the names of servers.',
    defaultText: LEARNT,
  }),
}

export const uplink: Section<typeof options, UplinkConfig> = {
  type: 'uplink',
  doc: 'A physical way out, such as fibre, cable or 4G, that carries tunnels.',
  options,
  build: (values: Values<typeof options>, { name }) => ({
    name,
    device: values.device ?? '',
    gateway: values.gateway,
    gateway6: values.gateway6,
    source: values.source,
    dns: values.dns,
  }),
}
