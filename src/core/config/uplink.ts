/** `config uplink 'NAME'`: a physical way out. */
import { flag, size } from './kinds.ts'
import { address, deviceName } from './network-kinds.ts'
import { type ProbeOverrides, probeOverrideOptions, probeOverrides } from './probe.ts'
import { allAside, aside, type Properties, propertiesOf } from './properties.ts'
import { type BuildContext, list, one, type Section, type Values } from './schema.ts'

const LEARNT = 'learnt from the system'

const options = {
  device: aside(
    one(deviceName, {
      doc: 'Network device. It need not exist yet, and may come and go.',
      required: true,
    }),
  ),
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
  metered: one(flag, {
    doc: 'Its volume costs money: while it stands by it is probed once a minute only. `check` says what standing by costs.',
    default: '0',
  }),
  monthly_budget: one(size('1M', '1000000G'), {
    doc: 'Octets, both directions together, that a calendar month (UTC) may hold. There are warnings at 80 % and at 100 %.',
  }),
  budget_cutoff: one(flag, {
    doc: '1 stops using the uplink, for tunnels as well, until the month ends once the budget is spent.',
    default: '0',
  }),
  ...allAside(probeOverrideOptions),
}

/** How the device of an uplink is found. Which one that is, and whether there is one, the system tells. */
export interface DeviceBy {
  readonly by: 'name'
  readonly name: string
}

/** `config uplink 'NAME'`: a physical way out. */
export interface UplinkConfig extends Properties<typeof options> {
  readonly name: string
  readonly device: DeviceBy
  readonly probe: ProbeOverrides
}

/** Section `uplink`: a physical way out. */
export const uplink: Section<typeof options, UplinkConfig> = {
  type: 'uplink',
  doc: 'A physical way out, such as fibre, cable or 4G, that carries tunnels and may itself be a path of `failover`.',
  options,
  build(values: Values<typeof options>, context) {
    check(values, context)
    return {
      name: context.name,
      ...propertiesOf(options, values),
      device: { by: 'name', name: values.device ?? '' },
      probe: probeOverrides(values),
    }
  },
}

function check(values: Values<typeof options>, { given, report }: BuildContext): void {
  if (given('monthly_budget') && !values.metered)
    report({
      severity: 'warning',
      option: 'monthly_budget',
      reason: 'the uplink is not metered, so that standing by spends the budget freely; set metered 1',
    })
  if (values.budget_cutoff && !given('monthly_budget'))
    report({
      severity: 'warning',
      option: 'budget_cutoff',
      reason: "there is no 'monthly_budget', so it has no effect",
    })
}
