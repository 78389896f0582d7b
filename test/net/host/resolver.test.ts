/**
 * The resolver through real sockets:
 *
 *     near, with a stub on its loopback            far, with a resolver
 *       up0 192.0.2.2, 2001:db8::2  ------------  192.0.2.1, 2001:db8::1
 *       up1 198.51.100.2            ------------  198.51.100.1, no resolver
 */
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { after, test } from 'node:test'
import { DnsServer } from '../dns.ts'
import { NamespaceGroup } from '../namespace.ts'

const ADDRESSES = ['2001:db8:feed::1', '203.0.113.1', '203.0.113.2']

const group = new NamespaceGroup()
after(() => group.remove())
const [near, far] = await group.add('near', 'far')
assert.ok(near && far)
await near.ip(
  'link set lo up',
  `link add up0 index 20 type veth peer name far0 index 30 netns ${far.name}`,
  `link add up1 index 21 type veth peer name far1 index 31 netns ${far.name}`,
  'address add 192.0.2.2/24 dev up0',
  'address add 2001:db8::2/64 dev up0 nodad',
  'address add 198.51.100.2/24 dev up1',
  'link set up0 up',
  'link set up1 up',
)
await far.ip(
  'link set lo up',
  'address add 192.0.2.1/24 dev far0',
  'address add 2001:db8::1/64 dev far0 nodad',
  'address add 198.51.100.1/24 dev far1',
  'link set far0 up',
  'link set far1 up',
)
// Otherwise far1 would answer ARP for the address of far0.
await far.sysctl('net.ipv4.conf.all.arp_ignore=1')
const server = new DnsServer(far, { 'lns.example': ADDRESSES, 'empty.example': [] })
const stub = new DnsServer(near, { 'lns.example': ['203.0.113.53'] })
const client = near.start('resolve', [
  process.execPath,
  '--import',
  'tsx',
  resolve('test/net/host/resolve.ts'),
])
await Promise.all([server.start(), stub.start()])
let answered = 0

async function lookup(
  resolvers: readonly string[],
  { name = 'lns.example', device = 'up0', source = '' } = {},
) {
  const via = { device, ...(source !== '' && { source }), resolvers }
  client.write(`${JSON.stringify({ name, via })}\n`)
  await client.waitForOutput(new RegExp(`^(.*\\n){${++answered}}`))
  return JSON.parse(client.output.split('\n')[answered - 1] ?? '')
}

const found = { addresses: ADDRESSES, ttl: 60_000 }

test('a name is resolved over the device, at resolvers of both families', async () => {
  assert.deepEqual(await lookup(['192.0.2.1']), found)
  assert.deepEqual(await lookup(['2001:db8::1']), found)
  assert.deepEqual(await lookup(['192.0.2.1'], { source: '192.0.2.2' }), found)
  assert.deepEqual(server.questions.slice(0, 2).sort(), ['lns.example A', 'lns.example AAAA'])
})

test('a link-local resolver is reached over the device', async () => {
  await far.ip('address add fe80::53/64 dev far0 nodad')
  await near.ip('address add fe80::2/64 dev up0 nodad')
  assert.deepEqual(await lookup(['fe80::53']), found)
})

test('a name that does not exist and one without addresses are told apart', async () => {
  assert.deepEqual(await lookup(['192.0.2.1'], { name: 'none.example' }), { code: 'ENOTFOUND' })
  assert.deepEqual(await lookup(['192.0.2.1'], { name: 'empty.example' }), { code: 'ENODATA' })
})

test('a resolver that is not reached from the device gives way to the next', async () => {
  assert.deepEqual(await lookup(['2001:db8:53::1']), { code: 'ENETUNREACH' })
  assert.deepEqual(await lookup(['2001:db8:53::1', '192.0.2.1']), found)
  // IPv4 takes what has no route over a device for a neighbour, and finds out by ARP that it is none.
  assert.deepEqual(await lookup(['192.0.2.99', '192.0.2.1']), found)
  assert.deepEqual(await lookup(['10.0.0.1', '192.0.2.1']), found)
})

test('nothing leaves by another device than the one asked for', async () => {
  const asked = server.questions.length
  assert.match((await lookup(['192.0.2.1'], { device: 'up1' })).code, /^(ETIMEDOUT|EHOSTUNREACH)$/)
  assert.equal(server.questions.length, asked)
})

test('a stub on the loopback is asked though the uplink is another device', async () => {
  assert.deepEqual(await lookup(['127.0.0.1']), { addresses: ['203.0.113.53'], ttl: 60_000 })
  assert.deepEqual(await lookup(['::1']), { addresses: ['203.0.113.53'], ttl: 60_000 })
})

test('a refusal by ICMP is noticed at once', async () => {
  await server.stop()
  // Had a timeout been waited for, the code would be ETIMEDOUT.
  assert.deepEqual(await lookup(['192.0.2.1']), { code: 'ECONNREFUSED' })
})

test('a device or a source that is gone is an error with its name', async () => {
  assert.deepEqual(await lookup(['192.0.2.1'], { device: 'none0' }), { code: 'ENODEV' })
  assert.deepEqual(await lookup(['192.0.2.1'], { source: '192.0.2.77' }), { code: 'EADDRNOTAVAIL' })
})
