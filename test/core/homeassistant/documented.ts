/**
 * What Home Assistant documents of its MQTT platforms (https://www.home-assistant.io/integrations/mqtt/ and the page of
 * each platform, releases 2024.12 to 2026.11) and checks when it discovers a device: typed from there, not from our code.
 */
export interface Platform {
  readonly required: readonly string[]
  readonly allowed: readonly string[]
  readonly deviceClasses: readonly string[]
}

/** Keys of every entity. `object_id` was removed in 2026.4 and is left out. */
const COMMON = [
  'platform',
  'availability',
  'availability_mode',
  'availability_template',
  'availability_topic',
  'default_entity_id',
  'device',
  'enabled_by_default',
  'encoding',
  'entity_category',
  'entity_picture',
  'icon',
  'json_attributes_template',
  'json_attributes_topic',
  'name',
  'payload_available',
  'payload_not_available',
  'qos',
  'unique_id',
]

export const PLATFORMS: Readonly<Record<string, Platform>> = {
  binary_sensor: {
    required: ['state_topic'],
    allowed: [
      ...COMMON,
      'device_class',
      'expire_after',
      'force_update',
      'off_delay',
      'payload_off',
      'payload_on',
      'state_topic',
      'value_template',
    ],
    deviceClasses: [
      'battery',
      'battery_charging',
      'carbon_monoxide',
      'cold',
      'connectivity',
      'door',
      'garage_door',
      'gas',
      'heat',
      'light',
      'lock',
      'moisture',
      'motion',
      'moving',
      'occupancy',
      'opening',
      'plug',
      'power',
      'presence',
      'problem',
      'running',
      'safety',
      'smoke',
      'sound',
      'tamper',
      'update',
      'vibration',
      'window',
    ],
  },
  sensor: {
    required: ['state_topic'],
    allowed: [
      ...COMMON,
      'device_class',
      'expire_after',
      'force_update',
      'last_reset_value_template',
      'options',
      'state_class',
      'state_topic',
      'suggested_display_precision',
      'unit_of_measurement',
      'value_template',
    ],
    deviceClasses: ['date', 'timestamp', 'enum', 'data_rate', 'data_size', 'duration', 'monetary', 'power'],
  },
  event: {
    required: ['state_topic', 'event_types'],
    allowed: [...COMMON, 'device_class', 'event_types', 'state_topic', 'value_template'],
    deviceClasses: ['button', 'doorbell', 'motion'],
  },
  button: {
    required: ['command_topic'],
    allowed: [...COMMON, 'command_template', 'command_topic', 'device_class', 'payload_press', 'retain'],
    deviceClasses: ['identify', 'restart', 'update'],
  },
  switch: {
    required: ['command_topic'],
    allowed: [
      ...COMMON,
      'command_template',
      'command_topic',
      'device_class',
      'optimistic',
      'payload_off',
      'payload_on',
      'retain',
      'state_off',
      'state_on',
      'state_topic',
      'value_template',
    ],
    deviceClasses: ['outlet', 'switch'],
  },
  select: {
    required: ['command_topic', 'options'],
    allowed: [
      ...COMMON,
      'command_template',
      'command_topic',
      'optimistic',
      'options',
      'retain',
      'state_topic',
      'value_template',
    ],
    deviceClasses: [],
  },
}

/** Of sensors: the units and state classes that fit a device class; of others any do. */
export const SENSOR_CLASSES: Readonly<
  Record<string, { readonly units: readonly string[]; readonly stateClasses: readonly string[] }>
> = {
  enum: { units: [], stateClasses: [] },
  timestamp: { units: [], stateClasses: [] },
  data_rate: {
    units: ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'B/s', 'kB/s', 'MB/s', 'GB/s', 'KiB/s', 'MiB/s', 'GiB/s'],
    stateClasses: ['measurement'],
  },
  data_size: {
    units: [
      'bit',
      'kbit',
      'Mbit',
      'Gbit',
      'B',
      'kB',
      'MB',
      'GB',
      'TB',
      'PB',
      'EB',
      'ZB',
      'YB',
      'KiB',
      'MiB',
      'GiB',
      'TiB',
      'PiB',
      'EiB',
      'ZiB',
      'YiB',
    ],
    stateClasses: ['total_increasing', 'measurement'],
  },
  duration: { units: ['d', 'h', 'min', 's', 'ms', 'μs'], stateClasses: ['measurement'] },
}

export const STATE_CLASSES = ['measurement', 'measurement_angle', 'total', 'total_increasing']
/** `config` is for entities that can be written to. */
export const READ_ONLY_CATEGORIES = ['diagnostic']

/** Keys of the message as a whole, of its device and of its origin. */
export const ROOT = {
  required: ['device', 'origin', 'components'],
  allowed: [
    'device',
    'origin',
    'components',
    'availability',
    'availability_mode',
    'availability_template',
    'availability_topic',
    'payload_available',
    'payload_not_available',
    'state_topic',
    'command_topic',
    'qos',
    'encoding',
  ],
}
export const DEVICE_KEYS = [
  'configuration_url',
  'connections',
  'hw_version',
  'identifiers',
  'manufacturer',
  'model',
  'model_id',
  'name',
  'serial_number',
  'suggested_area',
  'sw_version',
  'via_device',
]
export const ORIGIN_KEYS = ['name', 'sw_version', 'support_url']

/** homeassistant/components/mqtt/discovery.py: what a discovery topic may look like behind the prefix. */
export const DISCOVERY_TOPIC = /^device\/[a-zA-Z0-9_-]+\/config$/
/** homeassistant/const.py */
export const MAX_STATE_LENGTH = 255
/** Entity ids are `domain.object_id` of lower case letters, digits and single underscores. */
export const ENTITY_ID = /^[a-z_]+\.(?!_)[a-z0-9_]+(?<!_)$/
