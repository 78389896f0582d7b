import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flag, integer } from '../../../src/core/config/kinds.ts'
import {
  allAside,
  as,
  aside,
  optionOf,
  type Properties,
  propertiesOf,
} from '../../../src/core/config/properties.ts'
import { list, one } from '../../../src/core/config/schema.ts'

const number = integer(0, 100)
const probe = { probe_up: as('up', one(number, { doc: '', default: '1' })) }
const options = {
  mode: one(flag, { doc: '', default: '0' }),
  ip4table: one(number, { doc: '' }),
  accept_any_certificate: one(flag, { doc: '', default: '0' }),
  path: as('paths', list(number, { doc: '' })),
  password_file: aside(one(number, { doc: '' })),
  ...allAside(probe),
}
const values = {
  mode: true,
  ip4table: undefined,
  accept_any_certificate: false,
  path: [1, 2],
  password_file: 3,
  probe_up: 4,
}

test('an option becomes the property of its name in camel case, or the one that it names, or none', () => {
  const properties: Properties<typeof options> = propertiesOf(options, values)
  // The compiler has the same names, or this does not compile.
  const { mode, ip4table, acceptAnyCertificate, paths, ...rest } = properties
  assert.deepEqual([mode, ip4table, acceptAnyCertificate, paths, rest], [true, undefined, false, [1, 2], {}])
  assert.deepEqual(Object.keys(properties), ['mode', 'ip4table', 'acceptAnyCertificate', 'paths'])
  assert.deepEqual(propertiesOf(probe, values), { up: 4 })
})

test('each property leads back to its option', () => {
  assert.deepEqual(optionOf(options), {
    mode: 'mode',
    ip4table: 'ip4table',
    acceptAnyCertificate: 'accept_any_certificate',
    paths: 'path',
  })
})

test('what is set aside is read and printed as before, in its place', () => {
  assert.deepEqual(Object.keys(options).at(-1), 'probe_up')
  assert.deepEqual(options.probe_up.absent(''), 1)
  assert.deepEqual(options.probe_up.print(7), [7])
})
