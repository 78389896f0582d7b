import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex } from '../../../src/core/bytes.ts'
import { formatInterfaceId, linkLocal } from '../../../src/core/ip/interface-id.ts'

test('an interface identifier is shown in four groups and makes a link-local address', () => {
  assert.equal(formatInterfaceId(fromHex('00 00 00 00 00 00 00 01')), '0:0:0:1')
  assert.equal(formatInterfaceId(fromHex('cb00 710a 0000 0000')), 'cb00:710a:0:0')
  assert.equal(linkLocal(fromHex('0000000000000001')), 'fe80::1')
  assert.equal(linkLocal(fromHex('cb00710a00000000')), 'fe80::cb00:710a:0:0')
})
