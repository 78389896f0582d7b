/** What both engines are asked under Node-API, and what each must answer. Runs on either; imports nothing. */

// biome-ignore lint/suspicious/noExplicitAny: functions in C take and give anything.
export type Probe = Record<string, (...values: any[]) => any>

/** Statuses of js_native_api_types.h. */
const OK = 0
const INVALID = 1
const OBJECT_EXPECTED = 2
const STRING_EXPECTED = 3
const NUMBER_EXPECTED = 6
const BOOLEAN_EXPECTED = 7
const ARRAY_EXPECTED = 8
const FAILED = 9
const PENDING = 10

const thrower = () => {
  throw new RangeError('thrown')
}

/** Each case: its name, what came, and what is due, as text. */
export function* cases(probe: Probe): Generator<readonly [name: string, came: string, due: string]> {
  const self = { name: 'self' }
  yield ['arguments', show(probe.echo?.call(self, 1)), show([1, 1, undefined, undefined, self, 'data'])]
  yield ['more than asked for', show(probe.echo?.call(self, 1, 2, 3, 4)), show([4, 1, 2, 3, self, 'data'])]
  yield ['name of a function', show([probe.echo?.name, probe.integer?.name]), show(['echo', 'integer'])]

  yield [
    'numbers',
    show(probe.numbers?.()),
    show([0, -0, 1.5, 2147483647, 2147483648, -2147483648, -2147483649, 9007199254740991]),
  ]
  const integers: [unknown, number, number][] = [
    [42, OK, 42],
    [-1.9, OK, -1],
    [2 ** 31, OK, -(2 ** 31)],
    [2 ** 32 + 5, OK, 5],
    [Number.NaN, OK, 0],
    [Number.POSITIVE_INFINITY, OK, 0],
    ['1', NUMBER_EXPECTED, -7],
    [undefined, NUMBER_EXPECTED, -7],
  ]
  for (const [value, status, due] of integers)
    yield [`integer ${String(value)}`, show(probe.integer?.(value)), show([status, due])]
  yield ['boolean true', show(probe.boolean?.(true)), show([OK, 1])]
  yield ['boolean 1', show(probe.boolean?.(1)), show([BOOLEAN_EXPECTED, 0])]

  const octetsOf = (text: string) =>
    [...text, ...'untouched'.slice(text.length)].slice(0, 5).map((c) => c.charCodeAt(0))
  yield ['string', show(probe.string?.('abc', 64)), show([OK, 3, 3, ...octetsOf('abc\0')])]
  yield ['string with a zero', show(probe.string?.('a\0b', 64)), show([OK, 3, 3, ...octetsOf('a\0b\0')])]
  yield ['string cut', show(probe.string?.('abc', 3)), show([OK, 3, 2, ...octetsOf('ab\0')])]
  yield [
    'string cut inside a character',
    show(probe.string?.('a\u20ac', 4)),
    show([OK, 4, 1, ...octetsOf('a\0')]),
  ]
  yield ['string of one octet', show(probe.string?.('abc', 1)), show([OK, 3, 0, ...octetsOf('\0')])]
  yield ['half of a pair', show(probe.string?.('\ud83d', 64)), show([OK, 3, 3, 0xef, 0xbf, 0xbd, 0, 0x75])]
  yield ['a pair', show(probe.string?.('\u{1f600}', 64)), show([OK, 4, 4, 0xf0, 0x9f, 0x98, 0x80, 0])]
  yield ['no string', show(probe.string?.(5, 64)), show([STRING_EXPECTED, 99, 99, ...octetsOf('')])]

  const bytes = Uint8Array.of(7, 8, 9, 10)
  yield ['octets', show(probe.octets?.(bytes)), show([1, OK, 1, 4, 0, 7])]
  yield ['a part of octets', show(probe.octets?.(bytes.subarray(2))), show([1, OK, 1, 2, 2, 9])]
  yield ['no octets', show(probe.octets?.(bytes.subarray(4))), show([1, OK, 1, 0, 4, -1])]
  yield ['clamped octets', show(probe.octets?.(Uint8ClampedArray.of(5))), show([1, OK, 2, 1, 0, 5])]
  yield ['signed octets', show(probe.octets?.(Int8Array.of(5))), show([1, OK, 0, 1, 0, 5])]
  const kinds = [Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array]
  for (const [i, kind] of kinds.entries())
    yield [kind.name, show(probe.octets?.(new kind(2)).slice(0, 4)), show([1, OK, i + 3, 2])]
  for (const value of [[1], 'text', new DataView(new ArrayBuffer(4)), new ArrayBuffer(4), undefined])
    yield ['no typed array', show(probe.octets?.(value).slice(0, 2)), show([0, INVALID])]
  yield ['octets made', show(Array.from(probe.makeOctets?.(6, 0, 6))), show([0, 1, 2, 3, 4, 5])]
  yield ['octets made of a part', show(Array.from(probe.makeOctets?.(6, 2, 3))), show([2, 3, 4])]
  yield ['octets made of nothing', show([probe.makeOctets?.(0, 0, 0) instanceof Uint8Array]), show([true])]
  yield ['octets out of bounds', caught(() => probe.makeOctets?.(4, 2, 3)).slice(0, 10), 'RangeError']

  yield ['property', show(probe.property?.({ a: 5 }, 'a')), show([OK, 5, undefined])]
  yield ['property that is not there', show(probe.property?.({}, 'a')), show([OK, undefined, undefined])]
  yield ['property of a text', show(probe.property?.('four', 'length')), show([OK, 4, undefined])]
  yield ['property of nothing', show(probe.property?.(undefined, 'a').slice(0, 1)), show([OBJECT_EXPECTED])]
  const getter = {
    get a() {
      return thrower()
    },
  }
  yield [
    'getter that throws',
    show(probe.property?.(getter, 'a')),
    show([FAILED, undefined, new RangeError('thrown')]),
  ]
  yield ['property set', show(probe.property?.({}, 'a', 6)), show([OK, 6, undefined, OK, undefined])]
  const setter = {
    set a(_value: number) {
      thrower()
    },
  }
  const setterDue = [OK, undefined, undefined, FAILED, new RangeError('thrown')]
  yield ['setter that throws', show(probe.property?.(setter, 'a', 6)), show(setterDue)]

  yield ['element', show(probe.element?.([4, 5], 1)), show([OK, 5, OK, 2])]
  yield ['element set', show(probe.element?.([4], 3, 'x')), show([OK, 'x', OK, 4, OK])]
  yield ['element of an object', show(probe.element?.({ 1: 'x' }, 1)), show([OK, 'x', ARRAY_EXPECTED, 99])]

  const external = probe.external?.(5)
  yield ['external', show(probe.externalValue?.(external)), show([OK, 5])]
  yield ['type of an external', typeof external, 'object']
  for (const value of [{}, 5, undefined])
    yield ['no external', show(probe.externalValue?.(value)), show([INVALID, -1])]

  yield ['error', caught(() => probe.throwError?.('Error', undefined, 'words')), 'Error: words undefined']
  yield [
    'error with a code',
    caught(() => probe.throwError?.('Error', 'ECODE', 'words')),
    'Error: words ECODE',
  ]
  yield [
    'type error',
    caught(() => probe.throwError?.('TypeError', undefined, '%s words')),
    'TypeError: %s words undefined',
  ]

  yield [
    'call',
    show(probe.call?.((a: number, b: number) => a + b, undefined, 3, 4)),
    show([OK, 7, undefined, OK]),
  ]
  yield [
    'self of a call',
    show(
      probe.call?.(function (this: unknown) {
        return this
      }, self),
    ),
    show([OK, self, undefined, OK]),
  ]
  yield ['call of no function', show(probe.call?.({}, undefined)).slice(0, 2), `[${INVALID}`]
  yield [
    'call that throws',
    show(probe.call?.(thrower, undefined)),
    show([PENDING, undefined, new RangeError('thrown'), PENDING]),
  ]
  yield ['exception left', caught(() => probe.callAndLeave?.(thrower)), 'RangeError: thrown undefined']
  yield ['after an exception', show(probe.callAndLeave?.(() => 8)), '8']
  const nested = () => probe.callAndLeave?.(() => probe.callAndLeave?.(thrower))
  yield ['exception through two calls', caught(nested), 'RangeError: thrown undefined']

  yield ['hold', show(probe.hold?.(self)), show(OK)]
  yield ['held', show(probe.held?.() === self), 'true']
  yield ['drop', show(probe.drop?.()), show(OK)]
  yield ['scopes', show(probe.scopes?.()), show(999)]
  yield ['global', show(probe.global?.() === globalThis), 'true']
}

/** Rings of another thread, as many as it makes and in their order; promises are carried out between them. */
export function rings(probe: Probe, count: number, done: (came: string, due: string) => void): void {
  const came: string[] = []
  probe.hold?.((place: number) => {
    came.push(`ring ${place}`)
    void Promise.resolve().then(() => {
      came.push(`promise ${place}`)
      if (place === count) done(came.join(), due.join())
    })
  })
  const due = Array.from({ length: count }, (_, i) => [`ring ${i + 1}`, `promise ${i + 1}`]).flat()
  probe.later?.(count)
}

/** Whether externals that nobody holds are finalized; `collect` makes the engine look for them. */
export function finalized(
  probe: Probe,
  collect: () => void,
  done: (came: string, due: string) => void,
): void {
  for (let i = 0; i < 3; i++) probe.external?.(1)
  collect()
  setImmediate(() => done(`${probe.finalized?.() >= 303}`, 'true'))
}

function caught(run: () => unknown): string {
  try {
    return `no error: ${show(run())}`
  } catch (error) {
    const { name, message, code } = error as Error & { code?: unknown }
    return `${name}: ${message} ${String(code)}`
  }
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${Array.from(value, show).join(', ')}]`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (Object.is(value, -0)) return '-0'
  if (typeof value === 'object' && value !== null) return JSON.stringify(value)
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
