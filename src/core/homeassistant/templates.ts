/** Units, classes and Jinja templates that several entities share. */

/** Units and classes of what is measured. */
export const RATE = {
  device_class: 'data_rate',
  state_class: 'measurement',
  unit_of_measurement: 'Mbit/s',
  suggested_display_precision: 2,
} as const

/** Of octets that are counted up. */
export const VOLUME = {
  device_class: 'data_size',
  state_class: 'total_increasing',
  unit_of_measurement: 'GB',
  suggested_display_precision: 2,
} as const

/** Of a time in ms. */
export const SPAN = {
  device_class: 'duration',
  state_class: 'measurement',
  unit_of_measurement: 'ms',
  suggested_display_precision: 1,
} as const

/** Key of the payload, name, icon, and whether it is of interest to many. */
export const DIAGNOSTICS = [
  ['ipv4', 'IPv4', 'mdi:ip-outline', true],
  ['ipv6_prefix', 'IPv6 prefix', 'mdi:ip-network-outline', true],
  ['lns', 'LNS', 'mdi:server-network-outline', false],
  ['mtu', 'MTU', 'mdi:arrow-expand-horizontal', false],
] as const

/** Where a state is read, and how. */
export function read(topic: string, value_template: string) {
  return { state_topic: topic, value_template }
}

/** A template for the states that Home Assistant expects of what is on or off. */
export function onOff(condition: string): string {
  return `{{ 'ON' if ${condition} else 'OFF' }}`
}

/** What a value is divided by. */
export const MEGA = 1_000_000
/** The same. */
export const GIGA = 1_000_000_000

/** The same of what is true, false or null: not known. */
export function known(value: string): string {
  return `{{ None if ${value} is none else 'ON' if ${value} else 'OFF' }}`
}

/** bit/s as Mbit/s, and octets as GB: Home Assistant converts both to what its user wants. */
export function scaled(key: string, unit: number): string {
  return `{{ (value_json.${key} / ${unit}) | round(3) if value_json.${key} is number else None }}`
}

/** Keys of the payload that are shown as attributes of the entity. */
export function attributes(topic: string, ...keys: readonly string[]) {
  const members = keys.map((key) => `"${key}": value_json.${key}`)
  return { json_attributes_topic: topic, json_attributes_template: `{{ {${members.join(', ')}} | tojson }}` }
}
