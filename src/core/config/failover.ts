/** `config failover 'NAME'`: which paths lead to the internet, and how one is chosen. */
import { checkTime } from './check-time.ts'
import { duration, sectionName, wordOr } from './kinds.ts'
import { type ProbeConfig, probeOptions } from './probe.ts'
import { allAside, as, type Properties, propertiesOf } from './properties.ts'
import { list, one, type Section, type Values } from './schema.ts'

const options = {
  /** Never empty. */
  path: as(
    'paths',
    list(sectionName, {
      doc: 'Names of `uplink` and `tunnel` sections in order of preference. A tunnel without an `uplink` of its own is carried by the uplinks that follow it here.',
      required: true,
    }),
  ),
  mode: one(wordOr('auto', sectionName), {
    doc: '`auto` uses the most preferred path that works; the name of a path pins it, whatever its health. `lifeline use` changes it until the next start.',
    default: 'auto',
  }),
  dial_grace: one(duration('0s', '1m'), {
    doc: 'How long, while a more preferred tunnel can be dialled, a less preferred path is not used: connections wait rather than move.',
    default: '5',
  }),
  failback_delay: one(duration('0s', '10m'), {
    doc: 'How long a more preferred path has to be well before it is used again. Doubled, up to 10 minutes, each time that it fails soon after.',
    default: '10',
  }),
  standby_check: one(wordOr('off', checkTime), {
    doc: 'When each path that stands by is tested for real, in the local time of the machine (zone of the system, `TZ`): a tunnel is dialled and probed through, an uplink probed, one after the other. Where a session would take the address of a line only the LNS is asked. What was found is in status, events, log and MQTT. It waits while the traffic is not, and well, where it belongs; a time that was missed while the machine slept is made up for once.',
    default: 'off',
  }),
  ...allAside(probeOptions),
}

/** `config failover 'NAME'`: which paths lead to the internet. */
export interface FailoverConfig extends Properties<typeof options> {
  readonly name: string
  readonly probe: ProbeConfig
}

/** Section `failover`: the paths, their order, and when the traffic moves. */
export const failover: Section<typeof options, FailoverConfig> = {
  type: 'failover',
  doc: 'The ways to the internet, the best one first. There is at most one such section, of any name or none. Without it tunnels with `defaultroute` come first, in the order of the file, then the default route of the main table.',
  options,
  anonymousName: 'failover',
  single: true,
  build: (values: Values<typeof options>, { name }) => ({
    name,
    ...propertiesOf(options, values),
    probe: propertiesOf(probeOptions, values),
  }),
}
