import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '../../../src/core/bytes.ts'
import { decodeEcho, type Echo, encodeEcho } from '../../../src/core/ip/icmp.ts'

const ping: Echo = { kind: 'echoRequest', identifier: 0x1234, sequence: 1, data: fromHex('61626364') }

describe('echo', () => {
  const vectors: [family: 4 | 6, kind: Echo['kind'], hex: string][] = [
    [4, 'echoRequest', '0800 2104 1234 0001 61626364'],
    [4, 'echoReply', '0000 2904 1234 0001 61626364'],
    [6, 'echoRequest', '8000 0000 1234 0001 61626364'],
    [6, 'echoReply', '8100 0000 1234 0001 61626364'],
  ]
  for (const [family, kind, hex] of vectors) {
    it(`${kind} of family ${family} is written and read`, () => {
      assert.equal(toHex(encodeEcho(family, { ...ping, kind })), hex.replaceAll(' ', ''))
      assert.deepEqual(decodeEcho(family, fromHex(hex)), { ok: true, value: { ...ping, kind } })
    })
  }

  const wrong: [family: 4 | 6, hex: string, code: string][] = [
    [4, '', 'short'],
    [4, '0800 2104 1234 00', 'short'],
    [4, '0800 2105 1234 0001 61626364', 'checksum'],
    [4, '0300 fcff 0000 0000', 'notEcho'],
    [4, '8000 0000 1234 0001', 'notEcho'],
    [6, '0800 2104 1234 0001 61626364', 'notEcho'],
    [6, '8001 0000 1234 0001', 'notEcho'],
  ]
  for (const [family, hex, code] of wrong) {
    it(`family ${family} ${hex || 'nothing'} is refused: ${code}`, () => {
      const decoded = decodeEcho(family, fromHex(hex))
      assert.equal(!decoded.ok && decoded.error.code, code)
    })
  }
})
