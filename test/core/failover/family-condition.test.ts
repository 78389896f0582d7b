/** What the states of a family carry from one to the next. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProbeTarget } from '../../../src/core/config/types.ts'
import { ANYCAST, PathScript, SETTLED } from './path-script.ts'

const ANYCAST6: ProbeTarget = { kind: 'icmp', address: '2001:db8:53::1' }

test('a link that goes while a probe is missed was in trouble since that probe', () => {
  const path = PathScript.up()
  path.silence()
  const sent = path.health.pollTimeout()
  path.run(700)
  assert.equal(path.health.health, 'suspect')
  path.link(false)
  assert.ok(sent !== undefined && sent < path.now)
  assert.equal(path.health.troubleSince, sent)
})

test('a path of which nothing is known yet is in trouble since its first probe that was missed', () => {
  const path = new PathScript({ down: 3 })
  path.run(300)
  path.silence()
  path.link(true)
  path.targets([ANYCAST])
  path.run(1_500)
  assert.equal(path.health.health, 'unknown')
  assert.equal(path.health.troubleSince, 300)
})

test('that a family is lost or back is told although the path is as well as before', () => {
  const path = PathScript.up({ require: 'ipv4' }, [ANYCAST, ANYCAST6])
  path.answer = ({ id }) => (id % 2 === 1 ? 20 : undefined)
  path.run(5_000)
  path.answer = () => 20
  path.run(20_000)
  assert.deepEqual(
    path.changes.filter(({ at }) => at > SETTLED).map(({ health, reason }) => [health, reason]),
    [
      ['up', 'lost IPv6: no answer from 2001:db8:53::1'],
      ['up', 'probes are answered'],
    ],
  )
})
