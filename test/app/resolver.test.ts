import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as dnsPacket from 'dns-packet'
import { type DatagramOptions, type Datagrams, type ResolveVia, SystemError } from '../../src/app/ports.ts'
import { DnsResolver } from '../../src/app/resolver.ts'
import { VirtualClock } from '../virtual-clock.ts'

interface Query {
  /** Milliseconds since the lookup began. */
  readonly at: number
  readonly resolver: string
  readonly type: string
  readonly name: string
  readonly id: number
  readonly edns: boolean
  readonly options: DatagramOptions
}

type Reaction = Partial<dnsPacket.Packet> | 'silence' | 'refused' | Uint8Array

/** Resolvers in memory: `react` says what comes back to each query, at once. */
class Net implements Datagrams {
  readonly queries: Query[] = []
  openSockets = 0
  readonly clock = new VirtualClock()
  readonly react: (query: Query) => Reaction

  constructor(react: (query: Query) => Reaction) {
    this.react = react
  }

  open(options: DatagramOptions) {
    if (options.device === 'gone0') throw new SystemError('ENODEV', 'no such device')
    let peer = { host: '', port: 0 }
    let open = true
    this.openSockets++
    return {
      local: { host: '192.0.2.2', port: 40_000 + this.queries.length },
      expect: () => {},
      connect: (to: typeof peer) => {
        assert.equal(to.port, 53)
        peer = to
      },
      send: (bytes: Uint8Array) => {
        assert.ok(open, 'nothing is sent on a closed socket')
        const packet = dnsPacket.decode(Buffer.from(bytes))
        const [question] = packet.questions ?? []
        assert.ok(question)
        const query: Query = {
          at: this.clock.now() - 1_000,
          resolver: peer.host,
          type: question.type,
          name: question.name,
          id: packet.id ?? -1,
          edns: (packet.additionals ?? []).length > 0,
          options,
        }
        this.queries.push(query)
        const reaction = this.react(query)
        if (reaction === 'silence') return
        if (reaction === 'refused') return options.onError('ECONNREFUSED')
        options.onMessage(peer, reaction instanceof Uint8Array ? reaction : answer(query, reaction))
      },
      close: () => {
        assert.ok(open, 'a socket is closed once')
        open = false
        this.openSockets--
      },
    }
  }

  openIcmp(): never {
    throw new Error('unused')
  }
}

function answer(query: Query, packet: Partial<dnsPacket.Packet>): Uint8Array {
  const { id, name, type } = query
  return dnsPacket.encode({
    type: 'response',
    id,
    questions: [{ name, type: type as 'A' }],
    ...packet,
    flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | (packet.flags ?? 0),
  })
}

const SERVFAIL = { flags: 2 }
const NXDOMAIN = { flags: 3 }
const REFUSED = { flags: 5 }
const NAME = 'lns.example.net'
const record = (type: 'A' | 'AAAA' | 'CNAME', data: string, ttl = 300, name = NAME) => ({
  type,
  name,
  data,
  ttl,
})
const BOTH: Record<string, Partial<dnsPacket.Packet>> = {
  A: { answers: [record('A', '198.51.100.1'), record('A', '198.51.100.2', 60)] },
  AAAA: { answers: [record('AAAA', '2001:db8:0:0::1')] },
}
const both = (query: Query): Reaction => BOTH[query.type] ?? 'silence'

/** Starts a lookup, lets time pass, and gives its outcome: the resolution, an error's code, or `pending`. */
async function lookup(net: Net, { name = NAME, via = {}, passing = 0 }: Lookup = {}) {
  let id = 0
  const resolver = new DnsResolver(net, net.clock, () => Uint8Array.of(id >> 8, id++ & 0xff))
  const path: ResolveVia = { device: 'eth0', source: undefined, resolvers: ['192.0.2.53'], ...via }
  let outcome: unknown = 'pending'
  resolver.resolve(name, path, new AbortController().signal).then(
    (resolution) => {
      outcome = resolution
    },
    (error) => {
      outcome = error instanceof SystemError ? error.code : error
    },
  )
  await settled()
  net.clock.advance(passing)
  await settled()
  if (outcome !== 'pending') {
    assert.equal(net.openSockets, 0, 'all sockets are closed')
    assert.equal(net.clock.armed, 0, 'no alarm is left')
  }
  return outcome
}

interface Lookup {
  name?: string
  via?: Partial<ResolveVia>
  passing?: number
}

const settled = () => new Promise((resolve) => setImmediate(resolve))
const TWO = { resolvers: ['192.0.2.53', '192.0.2.54'] }

describe('a lookup', () => {
  it('asks AAAA and A at once over the device, and gives IPv6 first with the smallest TTL', async () => {
    const net = new Net(both)
    assert.deepEqual(await lookup(net, { via: { source: '192.0.2.2' } }), {
      addresses: ['2001:db8::1', '198.51.100.1', '198.51.100.2'],
      ttl: 60_000,
    })
    assert.deepEqual(
      net.queries.map(({ at, type, name, edns }) => [at, type, name, edns]),
      [
        [0, 'AAAA', NAME, true],
        [0, 'A', NAME, true],
      ],
    )
    assert.notEqual(net.queries[0]?.id, net.queries[1]?.id)
    const options = net.queries[0]?.options
    assert.deepEqual(
      [options?.family, options?.device, options?.source, options?.port],
      [4, 'eth0', '192.0.2.2', undefined],
    )
  })

  it('of a literal address asks nobody', async () => {
    const net = new Net(both)
    const literal = { addresses: ['2001:db8::1'], ttl: Number.POSITIVE_INFINITY }
    assert.deepEqual(await lookup(net, { name: '2001:DB8:0::1', via: { resolvers: [] } }), literal)
    assert.deepEqual(net.queries, [])
  })

  it('takes a name in any form that names have', async () => {
    const asked = async (name: string) => {
      const net = new Net((query) => ({ answers: [{ ...record('A', '198.51.100.1'), name: query.name }] }))
      const outcome = await lookup(net, { name })
      return net.queries[0]?.name ?? outcome
    }
    assert.equal(await asked('LNS.Example.Net.'), 'lns.example.net')
    assert.equal(await asked('xn--bcher-kva.example'), 'xn--bcher-kva.example')
    assert.equal(await asked('_l2tp.example'), '_l2tp.example')
    for (const name of [
      '',
      '.',
      'a..b',
      `${'a'.repeat(64)}.example`,
      'a b.example',
      'bücher.example',
      'a\\.example',
      `${'a.'.repeat(127)}ab`,
    ]) {
      assert.equal(await asked(name), 'ENOTFOUND', name)
    }
  })

  it('follows aliases, whatever their case and order', async () => {
    const answers = [
      record('A', '198.51.100.9', 20, 'c.example'),
      record('CNAME', 'C.example', 10, 'b.example'),
      record('CNAME', 'b.example', 30, 'LNS.example.net'),
      record('A', '203.0.113.1', 5, 'unrelated.example'),
    ]
    const net = new Net(({ type }) => ({ answers: type === 'A' ? answers : [] }))
    assert.deepEqual(await lookup(net), { addresses: ['198.51.100.9'], ttl: 10_000 })
  })

  it('takes a time to live beyond 31 bits for none', async () => {
    const answers = (ttl: number) => ({ answers: [record('A', '198.51.100.1', ttl)] })
    const outcomeOf = (ttl: number) => lookup(new Net(({ type }) => (type === 'A' ? answers(ttl) : {})))
    const found = (ttl: number) => ({ addresses: ['198.51.100.1'], ttl })
    assert.deepEqual(await outcomeOf(2 ** 31 - 1), found((2 ** 31 - 1) * 1000))
    assert.deepEqual(await outcomeOf(2 ** 31), found(0))
  })

  it('ends on aliases that lead nowhere or in a circle', async () => {
    const circle = [record('CNAME', 'b.example'), record('CNAME', NAME, 300, 'b.example')]
    assert.equal(await lookup(new Net(() => ({ answers: circle }))), 'ENODATA')
    assert.equal(await lookup(new Net(() => ({ answers: [record('CNAME', 'b.example')] }))), 'ENODATA')
  })

  it('does not wait long for the family that a resolver never answers', async () => {
    const onlyA = () => new Net((query) => (query.type === 'A' ? both(query) : 'silence'))
    assert.equal(await lookup(onlyA(), { passing: 249 }), 'pending')
    assert.deepEqual(await lookup(onlyA(), { passing: 250 }), {
      addresses: ['198.51.100.1', '198.51.100.2'],
      ttl: 60_000,
    })
  })

  it('uses what is there of a truncated answer', async () => {
    const net = new Net((query) => ({ ...BOTH[query.type], flags: dnsPacket.TRUNCATED_RESPONSE }))
    assert.notEqual(await lookup(net), 'ESERVFAIL')
    assert.equal(await lookup(new Net(() => ({ flags: dnsPacket.TRUNCATED_RESPONSE }))), 'ESERVFAIL')
  })

  it('is asked again without EDNS by a server from before it', async () => {
    const net = new Net((query) => (query.edns ? { flags: 1 } : both(query)))
    assert.notEqual(await lookup(net), 'ESERVFAIL')
    assert.equal(net.queries.length, 4)
    const headerOnly = new Net(({ id }) => Uint8Array.of(id >> 8, id, 0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0))
    assert.equal(await lookup(headerOnly), 'ESERVFAIL')
    assert.equal(headerOnly.queries.length, 4)
  })
})

describe('several resolvers', () => {
  it('are the first four', async () => {
    const net = new Net(() => 'silence')
    const resolvers = [53, 54, 55, 56, 57, 58].map((last) => `192.0.2.${last}`)
    assert.equal(await lookup(net, { via: { resolvers }, passing: 60_000 }), 'ETIMEDOUT')
    assert.deepEqual(new Set(net.queries.map(({ resolver }) => resolver)), new Set(resolvers.slice(0, 4)))
  })

  it('are asked in turn a second apart, in three rounds', async () => {
    const net = new Net(() => 'silence')
    assert.equal(await lookup(net, { via: TWO, passing: 7_999 }), 'pending')
    net.clock.advance(1)
    assert.deepEqual(
      net.queries.filter(({ type }) => type === 'A').map(({ at, resolver }) => [at, resolver]),
      [
        [0, '192.0.2.53'],
        [1_000, '192.0.2.54'],
        [2_000, '192.0.2.53'],
        [3_000, '192.0.2.54'],
        [4_000, '192.0.2.53'],
        [6_000, '192.0.2.54'],
      ],
    )
    assert.equal(await lookup(new Net(() => 'silence'), { via: TWO, passing: 8_000 }), 'ETIMEDOUT')
  })

  for (const [what, reaction] of [
    ['that fails', SERVFAIL],
    ['that refuses', REFUSED],
    ['that is not there', 'refused'],
  ] as const) {
    it(`are asked next at once after one ${what}`, async () => {
      const net = new Net((query) => (query.resolver === '192.0.2.53' ? reaction : both(query)))
      const outcome = await lookup(net, { via: TWO })
      assert.deepEqual((outcome as { addresses: string[] }).addresses.length, 3)
      assert.equal(net.clock.now(), 1_000)
    })
  }

  it('answer for each other, family by family', async () => {
    const net = new Net((query) => {
      const answering = query.resolver === '192.0.2.53' ? 'A' : 'AAAA'
      return query.type === answering ? both(query) : SERVFAIL
    })
    const outcome = await lookup(net, { via: TWO })
    assert.deepEqual((outcome as { addresses: string[] }).addresses, [
      '2001:db8::1',
      '198.51.100.1',
      '198.51.100.2',
    ])
    assert.deepEqual(
      net.queries.map(({ resolver, type }) => `${resolver} ${type}`),
      ['192.0.2.53 AAAA', '192.0.2.53 A', '192.0.2.54 AAAA'],
    )
  })

  it('count with an answer that comes late', async () => {
    const late: (() => void)[] = []
    const net = new Net((query) => {
      if (query.resolver === '192.0.2.53')
        late.push(() =>
          query.options.onMessage({ host: query.resolver, port: 53 }, answer(query, BOTH[query.type] ?? {})),
        )
      return 'silence'
    })
    const outcome = lookup(net, { via: TWO, passing: 1_500 })
    await settled()
    for (const deliver of late) deliver()
    assert.equal(((await outcome) as { addresses: string[] }).addresses.length, 3)
  })

  it('on the loopback are asked from no device', async () => {
    const net = new Net(both)
    await lookup(net, { via: { source: '192.0.2.2', resolvers: ['127.0.0.53'] } })
    assert.deepEqual([net.queries[0]?.options.device, net.queries[0]?.options.source], [undefined, undefined])
  })

  it('of the other family are asked without the source', async () => {
    const net = new Net(both)
    await lookup(net, { via: { source: '192.0.2.2', resolvers: ['2001:db8::53'] } })
    const options = net.queries[0]?.options
    assert.deepEqual([options?.family, options?.device, options?.source], [6, 'eth0', undefined])
  })
})

describe('what is found out of a name without addresses', () => {
  const empty = (): Reaction => ({})
  const cases: [what: string, react: (query: Query) => Reaction, code: string][] = [
    ['no such name', () => NXDOMAIN, 'ENOTFOUND'],
    ['no such name for one type only', ({ type }) => (type === 'A' ? {} : NXDOMAIN), 'ENOTFOUND'],
    ['no address', empty, 'ENODATA'],
    ['no answer', () => 'silence', 'ETIMEDOUT'],
    ['an answer for one type only', ({ type }) => (type === 'A' ? {} : 'silence'), 'ETIMEDOUT'],
    ['a failing resolver', () => SERVFAIL, 'ESERVFAIL'],
    ['an absent resolver', () => 'refused', 'ECONNREFUSED'],
  ]
  for (const [what, react, code] of cases) {
    it(`${what} is ${code}`, async () =>
      assert.equal(await lookup(new Net(react), { passing: 10_000 }), code))
  }

  it('a server that does not recurse is ESERVFAIL', async () => {
    const bare = ({ id, name, type }: Query) =>
      dnsPacket.encode({ type: 'response', id, questions: [{ name, type: type as 'A' }] })
    assert.equal(await lookup(new Net(bare)), 'ESERVFAIL')
  })

  it('an address of one family is found though the other name "does not exist"', async () => {
    const net = new Net((query) => (query.type === 'A' ? both(query) : NXDOMAIN))
    assert.deepEqual(((await lookup(net)) as { addresses: string[] }).addresses, [
      '198.51.100.1',
      '198.51.100.2',
    ])
  })

  it('a device that is gone is ENODEV, and no resolver ENORESOLVER', async () => {
    assert.equal(await lookup(new Net(both), { via: { device: 'gone0' } }), 'ENODEV')
    assert.equal(await lookup(new Net(both), { via: { resolvers: [] } }), 'ENORESOLVER')
  })
})

describe('what does not answer the question', () => {
  const forged: [what: string, forge: (query: Query) => Reaction][] = [
    ['another id', (query) => answer({ ...query, id: query.id ^ 0x100 }, BOTH.A ?? {})],
    ['another name', (query) => answer({ ...query, name: 'other.example' }, BOTH.A ?? {})],
    ['another type', (query) => answer({ ...query, type: 'MX' }, BOTH.A ?? {})],
    ['a query', ({ id, name }) => dnsPacket.encode({ type: 'query', id, questions: [{ name, type: 'A' }] })],
    ['no question', ({ id }) => dnsPacket.encode({ type: 'response', id })],
    ['cut short', (query) => answer(query, BOTH.A ?? {}).subarray(0, 40)],
    ['nothing', () => new Uint8Array(0)],
  ]
  for (const [what, forge] of forged) {
    it(`is ignored: ${what}`, async () =>
      assert.equal(await lookup(new Net(forge), { passing: 500 }), 'pending'))
  }

  it('is ignored: another sender', async () => {
    const net = new Net((query) => {
      query.options.onMessage({ host: '192.0.2.66', port: 53 }, answer(query, BOTH[query.type] ?? {}))
      query.options.onMessage({ host: '192.0.2.53', port: 54 }, answer(query, BOTH[query.type] ?? {}))
      return 'silence'
    })
    assert.equal(await lookup(net, { passing: 500 }), 'pending')
  })
})

describe('an abort', () => {
  const via: ResolveVia = { device: undefined, source: undefined, resolvers: ['192.0.2.53'] }

  it('ends the lookup with its reason and closes everything', async () => {
    const net = new Net(() => 'silence')
    const controller = new AbortController()
    const outcome = new DnsResolver(net, net.clock, (octets) => new Uint8Array(octets)).resolve(
      NAME,
      via,
      controller.signal,
    )
    await settled()
    assert.equal(net.openSockets, 1)
    controller.abort(new Error('enough'))
    await assert.rejects(outcome, /enough/)
    assert.deepEqual([net.openSockets, net.clock.armed], [0, 0])
  })

  it('before the start asks nothing', async () => {
    const net = new Net(both)
    const resolver = new DnsResolver(net, net.clock, (octets) => new Uint8Array(octets))
    await assert.rejects(resolver.resolve(NAME, via, AbortSignal.abort(new Error('enough'))), /enough/)
    assert.deepEqual(net.queries, [])
  })
})
