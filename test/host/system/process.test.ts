import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textOf } from '../../../src/core/utf8-decoder.ts'
import { system } from '../../../src/host/system/engine.ts'
import { every, later, pause } from '../../../src/host/timers.ts'

const { timers, files } = system

test('this process knows itself', () => {
  const status = textOf(files.read('/proc/self/status'))
  const [, parent] = /^PPid:\s(\d+)$/m.exec(status) ?? []
  const [, user] = /^Uid:\s\d+\s(\d+)/m.exec(status) ?? []
  const { process } = system
  assert.equal(files.target('/proc/self'), String(process.pid))
  assert.deepEqual([String(process.parent), String(process.user)], [parent, user])
  assert.equal(typeof process.environment.PATH, 'string')
})

test('a signal runs what was asked for, until it is cancelled', async () => {
  let rung = 0
  const cancel = system.process.onSignal('SIGHUP', () => {
    rung++
  })
  const kill = async () => {
    const program = await system.programs.start('sh', ['-c', `kill -HUP ${system.process.pid}`], {
      environment: { PATH: system.process.environment.PATH },
      input: new Uint8Array(),
      onOutput: () => {},
      onComplaint: () => {},
    })
    await program.closed
    await pause(20)
  }
  await kill()
  assert.equal(rung, 1)
  const keep = system.process.onSignal('SIGHUP', () => {})
  cancel()
  await kill()
  assert.equal(rung, 1)
  keep()
})

test('random octets are as many as asked for, and others each time', () => {
  assert.equal(system.random(0).length, 0)
  const [one, other] = [system.random(16), system.random(16)]
  assert.equal(one.length, 16)
  assert.notDeepEqual(one, other)
  assert.equal(Object.getPrototypeOf(one), Uint8Array.prototype)
})

test('the clock goes on evenly from the start of the machine', () => {
  const uptime = () => Number(textOf(files.read('/proc/uptime')).split(' ')[0]) * 1000
  // That counts the time that the machine slept too, and in hundredths of a second.
  const [now, later] = [timers.start + timers.now(), uptime()]
  assert.ok(now <= later + 20, `${now} of ${later}`)
  const [first, second] = [timers.now(), timers.now()]
  assert.ok(first > 0 && first <= second)
})

test('a timer rings at or after its time, and not before this turn is over', async () => {
  const rung: string[] = []
  const begun = timers.now()
  const times: number[] = []
  for (const span of [60.6, 3.3, -5, 0.2])
    later(span, () => {
      rung.push(String(span))
      times.push(timers.now() - begun - span)
    })
  assert.deepEqual(rung, [])
  await pause(120)
  assert.deepEqual(rung.slice().sort(), ['-5', '0.2', '3.3', '60.6'])
  assert.equal(rung.at(-1), '60.6')
  for (const late of times) assert.ok(late >= 0, `${late}`)
})

test('what is cancelled does not ring, nor does what is due in a month', async () => {
  let rung = 0
  const ring = () => {
    rung++
  }
  later(-1, ring)()
  later(3, ring)()
  const month = later(2 ** 31 + 1000, ring)
  const beats: number[] = []
  const beat = every(2, () => beats.push(timers.now()))
  while (beats.length < 3) await pause(2)
  beat()
  const { length } = beats
  await pause(20)
  month()
  assert.equal(rung, 0)
  assert.equal(beats.length, length)
})

test('a device that is up tells its addresses', () => {
  assert.deepEqual(system.interfaces().get('lo')?.ipv4[0], '127.0.0.1')
  assert.equal(system.interfaces().get('lo')?.mac, undefined)
  assert.equal(system.interfaces().get('lifeline-nowhere'), undefined)
})
