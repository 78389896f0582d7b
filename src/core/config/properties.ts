/** What options become in `Config`: each one property, whose name follows from its own. */
import type { Option, Options, Values } from './schema.ts'

/** `dial_grace` -> `dialGrace` */
type Camel<S extends string> = S extends `${infer First}_${infer Rest}`
  ? `${First}${Capitalize<Camel<Rest>>}`
  : S

/** An option that becomes another property than its name says; null: none that follows from it alone. */
interface Named<P extends string | null> {
  readonly property: P
}

type NameOf<O, K> =
  O extends Named<infer P> ? (P extends string ? P : never) : K extends string ? Camel<K> : never

/** The properties that options become. Comments at the options are those of the properties. */
export type Properties<O extends Options> = {
  readonly [K in keyof O as NameOf<O[K], K>]: O[K] extends Option<infer V> ? V : never
}

/** An option whose property bears this name. */
export function as<V, const P extends string>(property: P, option: Option<V>): Option<V> & Named<P> {
  return { ...option, property }
}

/** An option that the section's `build` makes something of by itself. */
export function aside<V>(option: Option<V>): Option<V> & Named<null> {
  return { ...option, property: null }
}

/** Options that are set aside together, as those that become one property. */
export type Aside<O extends Options> = {
  readonly [K in keyof O]: O[K] extends Option<infer V> ? Option<V> & Named<null> : never
}

/** All of these set aside, in their order. */
export function allAside<O extends Options>(options: O): Aside<O> {
  const entries = Object.entries(options).map(([name, option]) => [name, aside(option)])
  return Object.fromEntries(entries) as Aside<O>
}

/** The properties as the values are. */
export function propertiesOf<O extends Options>(options: O, values: NoInfer<Values<O>>): Properties<O> {
  const named = Object.entries<string>(optionOf(options))
  const entries = named.map(([property, name]) => [property, values[name]])
  return Object.fromEntries(entries) as Properties<O>
}

/** The name of the option that decides each property. */
export function optionOf<O extends Options>(options: O): Readonly<Record<keyof Properties<O>, string>> {
  const entries = Object.entries(options).flatMap(([name, option]) => {
    const property = propertyOf(name, option)
    return property === null ? [] : [[property, name]]
  })
  return Object.fromEntries(entries)
}

function propertyOf(name: string, option: Option<unknown> & Partial<Named<string | null>>): string | null {
  return option.property === undefined
    ? name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    : option.property
}
