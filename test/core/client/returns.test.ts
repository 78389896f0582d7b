import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RETURN_DELAY, Returns } from '../../../src/core/client/returns.ts'
import { millis } from '../../../src/core/time.ts'

const FIBRE = { name: 'fibre', id: 'fibre#2' }
const LTE = { name: 'lte', id: 'lte#3' }
const OVER_LTE = { id: 1, uplink: LTE, server: { host: 'lns.example', port: 1701 }, address: '192.0.2.1' }
const NOW = millis(5000)

/** How long the first of the uplinks has to be usable. */
function delay(returns: Returns, uplinks = [FIBRE, LTE]): number | undefined {
  const going = returns.settle(NOW, uplinks, OVER_LTE)
  if (going === undefined) return undefined
  assert.ok(going.step === 'settling')
  assert.equal(going.uplink, uplinks[0])
  return going.at - NOW
}

test('there is a way back only to an uplink that is better', () => {
  const returns = new Returns()
  assert.equal(delay(returns), RETURN_DELAY)
  assert.equal(delay(returns, [LTE, FIBRE]), undefined)
  assert.equal(delay(returns, [LTE]), undefined)
  assert.equal(delay(returns, []), undefined)
  assert.equal(delay(returns, [{ ...LTE, id: 'lte#4' }]), RETURN_DELAY, 'the device was made anew')
})

test('each vain try doubles the time before the next one, up to ten minutes; one that succeeds counts anew', () => {
  const returns = new Returns()
  const delays = Array.from({ length: 8 }, () => {
    returns.vain()
    return delay(returns)
  })
  assert.deepEqual(delays, [20_000, 40_000, 80_000, 160_000, 320_000, 600_000, 600_000, 600_000])
  returns.proved()
  assert.equal(delay(returns), RETURN_DELAY)
})
