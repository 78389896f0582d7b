/** The same with the properties of each record written down in the opposite order. */
export function reversed<T>(value: T): T {
  return turned(value) as T
}

function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  const parts = Object.entries(value).map(([key, part]) => [key, turned(part)])
  return Object.fromEntries(parts.reverse())
}
