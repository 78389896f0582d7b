import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalIp, parseIp, parsePrefix } from '../../../src/core/ip/address.ts'
import { decodeEcho } from '../../../src/core/ip/icmp.ts'
import {
  decodeRouterAdvertisement,
  encodeRouterAdvertisement,
  isRouterSolicitation,
  type RouterAdvertisement,
} from '../../../src/core/ip/ra.ts'
import { RouterDiscovery } from '../../../src/core/ip/router-discovery.ts'
import { after, millis } from '../../../src/core/time.ts'

const runs = { numRuns: Number(process.env.LIFELINE_FUZZ_RUNS ?? 20000) }

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { noNullPrototype: true })
const seconds = fc.oneof(fc.nat({ max: 0xffff_ffff }), fc.constantFrom(0, 1, 7200, 0xffff_ffff))
const address6 = fc.oneof(
  fc.ipV6().map((text) => canonicalIp(text) ?? '::'),
  fc.constantFrom('::', 'fe80::', 'ff02::1', '2001:db8::'),
)
const advertisements: fc.Arbitrary<RouterAdvertisement> = record({
  curHopLimit: fc.nat({ max: 255 }),
  managed: fc.boolean(),
  other: fc.boolean(),
  routerLifetime: fc.oneof(fc.nat({ max: 0xffff }), fc.constantFrom(0, 1)),
  mtu: fc.option(fc.nat({ max: 0xffff_ffff }), { nil: undefined }),
  prefixes: fc.array(
    record({
      prefix: record({ address: address6, length: fc.oneof(fc.nat({ max: 128 }), fc.constant(64)) }),
      onLink: fc.boolean(),
      autonomous: fc.boolean(),
      validLifetime: seconds,
      preferredLifetime: seconds,
    }),
    { maxLength: 4 },
  ),
  rdnss: fc.array(
    record({ lifetime: seconds, addresses: fc.array(address6, { minLength: 1, maxLength: 4 }) }),
    { maxLength: 2 },
  ),
})

/** Any octets, or a well-formed advertisement with a few of its octets changed and perhaps cut. */
const messages = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(
      advertisements,
      fc.array(fc.tuple(fc.nat({ max: 199 }), fc.nat({ max: 255 })), { maxLength: 3 }),
      fc.oneof(fc.constant(4096), fc.nat({ max: 200 })),
    )
    .map(([advertisement, changes, length]) => {
      const bytes = encodeRouterAdvertisement(advertisement)
      for (const [offset, value] of changes) if (offset < bytes.length) bytes[offset] = value
      return bytes.slice(0, length)
    }),
)

test('an advertisement survives the round trip', () => {
  fc.assert(
    fc.property(advertisements, (advertisement) => {
      const decoded = decodeRouterAdvertisement('fe80::1', 255, encodeRouterAdvertisement(advertisement))
      assert.deepEqual(decoded, { ok: true, value: advertisement })
    }),
    { numRuns: Math.min(runs.numRuns, 20000) },
  )
})

test('no octets make a decoder throw', () => {
  fc.assert(
    fc.property(messages, (message) => {
      decodeEcho(4, message)
      decodeEcho(6, message)
      decodeRouterAdvertisement('fe80::1', 255, message)
      isRouterSolicitation(message, 255)
    }),
    runs,
  )
})

test('no text makes an address reader throw', () => {
  const alphabet = fc.string({
    unit: fc.constantFrom(...'0123456789abcdefABCDEF:::...//%[]x-'),
    maxLength: 45,
  })
  fc.assert(
    fc.property(fc.oneof(alphabet, fc.string()), (text) => {
      const bytes = parseIp(text)
      assert.ok(bytes === undefined || bytes.length === 4 || bytes.length === 16)
      parsePrefix(text)
    }),
    runs,
  )
})

test('a live endpoint neither throws, nor grows, nor answers in storms, nor oversleeps', () => {
  const discovery = new RouterDiscovery((octets) => new Uint8Array(octets).fill(0x80))
  let now = millis(0)
  let solicited = Number.NEGATIVE_INFINITY
  discovery.command(now, { kind: 'start', interfaceId: new Uint8Array(8).fill(1) })
  assert.ok(discovery.pollTransmit())
  const inputs = fc.tuple(
    messages,
    fc.constantFrom('fe80::1', 'fe80::2', '2001:db8::1'),
    fc.nat({ max: 20_000 }),
  )
  fc.assert(
    fc.property(inputs, ([message, from, wait]) => {
      now = after(now, wait)
      discovery.receive(now, from, message, 255)
      discovery.timeout(now)
      while (discovery.pollTransmit()) {
        assert.ok(now - solicited >= 3_600, 'solicitations are about 4 s apart or more')
        solicited = now
      }
      while (discovery.pollEvent()) {
        const { addresses, dns } = discovery.learnt
        assert.ok(addresses.length <= 16 && dns.length <= 8)
        for (const { preferredUntil, validUntil } of addresses) {
          assert.ok(validUntil === undefined || validUntil > now)
          assert.ok(
            validUntil === undefined || (preferredUntil !== undefined && preferredUntil <= validUntil),
          )
        }
      }
      assert.ok((discovery.pollTimeout() ?? now) >= now)
    }),
    // What came before matters: there is nothing to shrink.
    { ...runs, endOnFailure: true },
  )
})
