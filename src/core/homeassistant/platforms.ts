/** Home Assistant's MQTT platforms that we use, with the keys that we give them. Templates are Jinja. */
export type Component = BinarySensor | Sensor | Event | Button | Switch | Select

/** What every entity has. `default_entity_id` took the place of `object_id` (Home Assistant 2026.4). */
interface Entity {
  readonly unique_id: string
  readonly name: string
  readonly default_entity_id: string
  readonly icon?: string
  readonly entity_category?: 'diagnostic'
  readonly enabled_by_default?: false
  readonly qos: 0 | 1
}

interface Readable {
  readonly state_topic: string
  readonly value_template: string
  readonly json_attributes_topic?: string
  readonly json_attributes_template?: string
}

/** Compared with `ON` and `OFF`, which are Home Assistant's defaults. */
export interface BinarySensor extends Entity, Readable {
  readonly platform: 'binary_sensor'
  readonly device_class?: 'connectivity' | 'problem'
}

/** A value of `None` shows as unknown. */
export interface Sensor extends Entity, Readable {
  readonly platform: 'sensor'
  readonly device_class?: 'enum' | 'timestamp' | 'data_rate' | 'data_size' | 'duration'
  readonly state_class?: 'measurement' | 'total_increasing'
  readonly unit_of_measurement?: 'Mbit/s' | 'GB' | 'ms' | '%'
  readonly suggested_display_precision?: number
  readonly options?: readonly string[]
  /** Seconds. */
  readonly expire_after?: number
}

/** An empty value is no event. */
export interface Event extends Entity {
  readonly platform: 'event'
  readonly state_topic: string
  readonly value_template: string
  readonly event_types: readonly string[]
}

/** Something that is done when it is pressed. */
export interface Button extends Entity {
  readonly platform: 'button'
  readonly command_topic: string
  readonly payload_press: string
  readonly device_class?: 'restart'
}

/** Something that is on or off. */
export interface Switch extends Entity, Readable {
  readonly platform: 'switch'
  readonly command_topic: string
  readonly payload_on: string
  readonly payload_off: string
  readonly state_on: 'ON'
  readonly state_off: 'OFF'
}

/** A choice out of a few. */
export interface Select extends Entity, Readable {
  readonly platform: 'select'
  readonly command_topic: string
  readonly command_template: string
  readonly options: readonly string[]
}
