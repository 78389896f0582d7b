import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log } from '../../src/app/ports.ts'
import { SocketErrors } from '../../src/app/socket-errors.ts'
import { type Millis, seconds } from '../../src/core/time.ts'

interface Line {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

function teller(): { errors: SocketErrors; lines: Line[]; pass(span: number): void } {
  const lines: Line[] = []
  const at = (level: string) => (message: string, fields: Line['fields']) =>
    lines.push({ level, message, fields })
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } as unknown as Log
  let now = 0
  const errors = new SocketErrors({ now: () => now as Millis }, log)
  return {
    errors,
    lines,
    pass: (span) => {
      now += span
    },
  }
}

test('what this machine itself forbids is a warning that says so; what the network answers is information', () => {
  const { errors, lines } = teller()
  errors.tell('router discovery', 'EPERM', { device: 'l2tp-aaisp' })
  errors.tell('L2TP', 'EHOSTUNREACH')
  errors.tell('L2TP', 'EINVAL')
  assert.deepEqual(
    lines.map(({ level, message }) => `${level} ${message}`),
    [
      "warn router discovery: this machine refuses a packet of lifeline's own: a firewall rule of this machine forbids it",
      'info L2TP: the network does not take a packet',
      "warn L2TP: this machine refuses a packet of lifeline's own",
    ],
  )
  assert.deepEqual(lines[0]?.fields, { device: 'l2tp-aaisp', code: 'EPERM' })
})

test('the same error is told once in ten minutes, with how often it came; another one, or of another socket, at once', () => {
  const { errors, lines, pass } = teller()
  for (let second = 0; second < 600; second++) {
    errors.tell('probes', 'EPERM')
    pass(seconds(1))
  }
  assert.equal(lines.length, 1)
  errors.tell('probes', 'ENOBUFS')
  errors.tell('L2TP', 'EPERM')
  assert.equal(lines.length, 3)
  errors.tell('probes', 'EPERM')
  assert.deepEqual(lines[3]?.fields, { code: 'EPERM', repeated: 599 })
})

test('errors of ever new kinds cannot fill the memory', () => {
  const { errors, lines } = teller()
  for (let kind = 0; kind < 10_000; kind++) errors.tell(`kind ${kind}`, 'EPERM')
  assert.equal(lines.length, 10_000)
})
