import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProcNetDev } from '../../../src/core/system/device-traffic.ts'

const TEXT = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 3216548     321    0    0    0     0          0         0  3216548     321    0    0    0     0       0          0
pppoe-aaisp:18446744073709551615 98765 0 0 0 0 0 0 1234 12 0 0 0 0 0 0
wan-4g:   0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
`

test('octets and packets of each device', () => {
  assert.deepEqual(
    [...parseProcNetDev(TEXT)],
    [
      ['lo', { receivedOctets: 3216548, receivedPackets: 321, sentOctets: 3216548 }],
      ['pppoe-aaisp', { receivedOctets: 2 ** 64, receivedPackets: 98765, sentOctets: 1234 }],
      ['wan-4g', { receivedOctets: 0, receivedPackets: 0, sentOctets: 0 }],
    ],
  )
})

test('what is none of it is left out', () => {
  for (const text of ['', 'eth0', 'eth0:', 'eth0: 1 2 3', 'eth0: a b c d e f g h i', ':'])
    assert.equal(parseProcNetDev(text).size, 0)
})
