import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { formatLine, LineLog, type LogStyle, type Sink } from '../../src/app/log.ts'
import { SystemError } from '../../src/app/ports.ts'
import { Secret } from '../../src/core/secret.ts'

function recorder(style: LogStyle = 'daemon') {
  const lines: string[] = []
  const sink: Sink = { level: 'info', style, write: (line) => lines.push(line) }
  return { lines, sink, log: new LineLog(sink) }
}

test('a line is a message and its fields', () => {
  const { lines, log } = recorder()
  log
    .with({ tunnel: 'aaisp' })
    .info('tunnel up', { mtu: 1462, dns: ['192.0.2.1', '192.0.2.2'], nothing: undefined })
  assert.deepEqual(lines, ['info: tunnel up tunnel=aaisp mtu=1462 dns=192.0.2.1,192.0.2.2\n'])
})

test('journald is told the level', () => {
  const { lines, log } = recorder('journal')
  log.info('a')
  log.warn('b')
  log.error('c')
  assert.deepEqual(lines, ['<6>a\n', '<4>b\n', '<3>c\n'])
})

test('a level set later holds for every log of the sink', () => {
  const { lines, sink, log } = recorder()
  const child = log.with({ tunnel: 'x' })
  child.debug('hidden')
  sink.level = 'debug'
  child.debug('shown')
  sink.level = 'error'
  child.warn('hidden')
  assert.deepEqual(lines, ['debug: shown tunnel=x\n'])
})

test('secrets are hidden wherever they are', () => {
  const secret = new Secret('wonderland')
  const line = formatLine('login', {
    password: 'wonderland',
    tunnel_secret: 'wonderland',
    secret,
    config: { tunnel: [{ password: 'wonderland', nested: { secret } }] },
    list: [secret],
    inside: { value: secret },
    chap_response: Uint8Array.of(1, 2, 3),
    text: `${secret}`,
    inspected: inspect({ secret }),
  })
  assert.equal(line.includes('wonderland'), false, line)
  assert.equal(line.includes('010203'), false, line)
})

test('octets are hexadecimal and bounded', () => {
  assert.equal(formatLine('rx', { bytes: Uint8Array.of(0xc8, 2) }), 'rx bytes=c802')
  const long = formatLine('rx', { bytes: new Uint8Array(100) })
  assert.equal(long, `rx bytes="${'00'.repeat(64)}...(100 octets)"`)
})

test('an error of the system shows its code and causes, a bug its stack', () => {
  const cause = new SystemError('ENODEV', 'no device eth7', { cause: new SystemError('EIO', 'read failed') })
  assert.equal(formatLine('failed', { cause }), 'failed cause="no device eth7 (ENODEV): read failed (EIO)"')
  assert.match(formatLine('failed', { cause: new TypeError('bug') }), /TypeError: bug at .*log\.test\.ts/)
})

test('engines that leave what was thrown out of the stack make the same line of it', () => {
  const bug = new TypeError('two\n words')
  const shown = (stack: string | undefined) => {
    Object.assign(bug, { stack })
    return formatLine('failed', { bug })
  }
  const frames = '    at run (main.ts:12:3)\n    at <anonymous> (main.ts:80)\n'
  const line = 'failed bug="TypeError: two words at run (main.ts:12:3) at <anonymous> (main.ts:80)"'
  assert.equal(shown(`TypeError: two\n words\n${frames}`), line)
  assert.equal(shown(frames), line)
  assert.equal(shown(''), 'failed bug="TypeError: two words"')
  assert.equal(shown(undefined), 'failed bug="TypeError: two words"')
})

test('no text of a peer begins a line of its own or reaches a terminal as a control', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (message, value) => {
      const { lines, log } = recorder()
      log.info(message, { value })
      assert.equal(lines.length, 1)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      assert.match(lines[0] ?? '', /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*\n$/)
    }),
  )
})

test('a value that is costly to say is asked for only if the line is shown', () => {
  const lines: string[] = []
  let asked = 0
  const sink: Sink = { level: 'info', style: 'terminal', write: (line) => lines.push(line) }
  const packet = () => {
    asked++
    return 'SCCRQ ns 0 nr 0'
  }
  new LineLog(sink).debug('sent', { packet })
  assert.equal(asked, 0)
  sink.level = 'debug'
  new LineLog(sink).debug('sent', { packet })
  assert.match(lines.join(''), /sent packet="SCCRQ ns 0 nr 0"/)
})
