/** Resolves names inside a namespace: each line on stdin is a JSON object `{name, via}`, answered with a JSON line. */
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { SystemError } from '../../../src/app/ports.ts'
import { DnsResolver } from '../../../src/app/resolver.ts'
import { systemClock } from '../../../src/host/clock.ts'
import { NativeDatagrams } from '../../../src/host/datagrams.ts'
import { loadAddon } from '../../../src/host/native.ts'

const resolver = new DnsResolver(new NativeDatagrams(loadAddon()), systemClock, randomBytes)

for await (const line of createInterface({ input: process.stdin })) {
  const { name, via } = JSON.parse(line)
  try {
    const { addresses, ttl } = await resolver.resolve(name, via, AbortSignal.timeout(20_000))
    console.log(JSON.stringify({ addresses, ttl }))
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    console.log(JSON.stringify({ code: error.code }))
  }
}
