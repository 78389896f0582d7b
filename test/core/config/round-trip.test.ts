import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { server as serverKind } from '../../../src/core/config/network-kinds.ts'
import { printEffective } from '../../../src/core/config/print.ts'
import { quoteUci } from '../../../src/core/uci/print.ts'
import { mustRead, plain, SECRETS } from './reading.ts'

type Value = string | number | boolean
type Content = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, Value | readonly Value[]>>>>>
>

const address4 = fc.ipV4().filter((text) => text !== '0.0.0.0')
const address6 = fc.ipV6().filter((text) => !/^[0:.]*$/.test(text))
/** Addresses that a machine may have. */
const own4 = fc.ipV4().map((text) => text.replace(/^\d+/, '100'))
const own6 = fc.integer({ min: 0, max: 0xffff }).map((n) => `2001:db8::${n.toString(16)}:1`)
/** Addresses that somebody else may have. */
const server4 = fc.ipV4().map((text) => text.replace(/^\d+/, '198'))
const server6 = fc.integer({ min: 1, max: 0xffff }).map((n) => `2001:db9::${n.toString(16)}`)
const line = fc.stringMatching(/^[ -~à-ž]{1,30}$/)
const host = fc.stringMatching(/^[a-z][a-z0-9]{0,10}(\.[a-z]{2,5}){0,2}$/)
const server = fc.oneof(
  host,
  server4,
  server6,
  host.map((name) => `${name}:1702`),
  server6.map((text) => `[${text}]:1703`),
)
/** The same for an address in other words, which a list takes only once. */
const meaning = (text: unknown) => {
  const parsed = serverKind.parse(String(text))
  return parsed.ok ? serverKind.identity?.(parsed.value) : text
}
const some = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc
    .uniqueArray(arbitrary, { minLength: 1, maxLength: 3, selector: meaning })
    .chain((values) => fc.constantFrom<T | T[]>(values, values[0] as T))
const name = fc.stringMatching(/^[a-z0-9_]{1,8}$/)

const uplink = fc.record(
  {
    gateway: address4,
    gateway6: address6,
    source: fc.oneof(address4, address6),
    dns: some(fc.oneof(address4, address6)),
  },
  { requiredKeys: [] },
)

const tunnel = fc.record(
  {
    server: some(server),
    username: line,
    password_file: fc.constant('/etc/lifeline/aaisp'),
    tunnel_secret_file: fc.constant('/etc/lifeline/other'),
    auth: fc.shuffledSubarray(['chap', 'mschapv2', 'pap'], { minLength: 1 }),
    mtu: fc.oneof(fc.constant('auto'), fc.integer({ min: 1280, max: 1500 })),
    ipv6: fc.constantFrom<Value>(true, false, 'on', 'no', 1, '0'),
    ipaddr: some(own4),
    ip6addr: some(fc.tuple(own6, fc.integer({ min: 16, max: 128 })).map(([text, bits]) => `${text}/${bits}`)),
    defaultroute: fc.boolean(),
    peerdns: fc.boolean(),
    hello_interval: fc.oneof(
      fc.integer({ min: 1, max: 3600 }),
      fc.integer({ min: 1, max: 60 }).map((n) => `${n}m`),
    ),
    echo_interval: fc.integer({ min: 100, max: 3_600_000 }).map((n) => `${n}ms`),
    echo_failures: fc.integer({ min: 1, max: 1000 }),
    firewall: fc.constantFrom('default', 'none'),
    enabled: fc.boolean(),
  },
  { requiredKeys: ['server', 'username', 'password_file'] },
)

const content: fc.Arbitrary<Content> = fc
  .record({
    log_level: fc.constantFrom('debug', 'info', 'warn', 'error'),
    uplinks: fc.uniqueArray(
      name.map((text) => `u${text}`),
      { maxLength: 3 },
    ),
    tunnels: fc.uniqueArray(
      name.map((text) => `t${text}`),
      { maxLength: 3 },
    ),
    uplink: fc.array(uplink, { minLength: 3, maxLength: 3 }),
    tunnel: fc.array(tunnel, { minLength: 3, maxLength: 3 }),
  })
  .map(({ log_level, uplinks, tunnels, ...options }) => ({
    lifeline: { main: { log_level } },
    uplink: Object.fromEntries(uplinks.map((key, i) => [key, { device: `eth${i}`, ...options.uplink[i] }])),
    tunnel: Object.fromEntries(
      tunnels.map((key, i) => [
        key,
        { ...options.tunnel[i], device: `l2tp${i}`, ...(uplinks.length > 0 && { uplink: uplinks }) },
      ]),
    ),
  }))

function toUci(types: Content): string {
  let text = ''
  for (const [type, sections] of Object.entries(types))
    for (const [section, options] of Object.entries(sections)) {
      text += `config ${type} '${section}'\n`
      for (const [option, value] of Object.entries(options))
        for (const single of [value].flat())
          text += `\t${Array.isArray(value) ? 'list' : 'option'} ${option} ${quoteUci(String(single))}\n`
    }
  return text
}

test('the same in UCI and in JSON is the same configuration', () => {
  fc.assert(
    fc.property(content, (types) => {
      const uci = mustRead('uci', toUci(types)).config
      const json = mustRead('json', JSON.stringify(types)).config
      assert.deepEqual(plain(uci), plain(json))
    }),
    { numRuns: 1000 },
  )
})

test('what `check` prints reads back as the same configuration, with nothing left to add', () => {
  fc.assert(
    fc.property(content, (types) => {
      const read = mustRead('json', JSON.stringify(types))
      for (const notation of ['uci', 'json'] as const) {
        const printed = printEffective(read.effective, notation)
        for (const secret of Object.values(SECRETS)) assert.ok(secret === '' || !printed.includes(secret))
        const again = mustRead(notation, printed)
        assert.deepEqual(plain(again.config), plain(read.config))
        assert.equal(printEffective(again.effective, notation), printed)
      }
    }),
    { numRuns: 500 },
  )
})
