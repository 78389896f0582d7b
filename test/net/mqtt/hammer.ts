/** `hammer.ts PORT RATE SECONDS`: changes a status RATE times a second while a publisher tells it to a broker. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Publishers } from '../../../src/app/mqtt/publishers.ts'
import { StatusStore } from '../../../src/app/status-store.ts'
import { err, ok } from '../../../src/core/result.ts'
import { systemClock as clock } from '../../../src/host/clock.ts'
import { deviceCounters } from '../../../src/host/device-counters.ts'
import { machine } from '../../../src/host/machine.ts'
import { brokers } from '../../../src/host/mqtt.ts'
import { mustRead } from '../../core/config/reading.ts'
import { MemoryFiles } from '../../memory-files.ts'
import { MemoryLog } from '../../memory-log.ts'

const [port = 1883, rate = 1000, seconds = 5] = process.argv.slice(2).map(Number)
const { config } = mustRead(
  'json',
  JSON.stringify({
    lifeline: { main: { node: 'router' } },
    tunnel: { aaisp: { server: '192.0.2.1', username: 'alice', password: 'x' } },
    mqtt: { home: { url: `mqtt://127.0.0.1:${port}` } },
  }),
)
const status = new StatusStore(clock, '0.1.0')
status.configure({ node: 'router', tunnels: config.tunnels, uplinks: config.uplinks })
const begun = performance.now()
const publishers = new Publishers({
  brokers,
  clock,
  log: new MemoryLog('error'),
  random: Math.random,
  status,
  files: new MemoryFiles(),
  machine,
  counters: deviceCounters,
  homepage: undefined,
})
const done = () => ok(undefined)
publishers.configure(config, {
  up: done,
  down: done,
  reconnect: done,
  use: done,
  paths: () => [],
  drill: async () => err({ code: 'refused', message: 'not here' }),
})
await sleep(3000)

const collect = globalThis.gc ?? (() => {})
collect()
const before = process.memoryUsage().heapUsed
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
let last = 0
const started = performance.now()
while (performance.now() - started < seconds * 1000) {
  const due = ((performance.now() - started) / 1000) * rate
  while (last < due) status.tunnel('aaisp', { mtu: ++last })
  await sleep(1)
}
delay.disable()
await sleep(500)
const took = Math.round(performance.now() - begun)
collect()
const grown = Math.round((process.memoryUsage().heapUsed - before) / 1000)
console.log(JSON.stringify({ last, took, lag: Math.round(delay.max / 1e6), grown }))
await Promise.race([publishers.stop(), sleep(1500)])
process.exit()
