import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as dnsPacket from 'dns-packet'
import fc from 'fast-check'
import { fromHex } from '../../../src/core/bytes.ts'
import { decodeResponse, encodeQuery, TYPE } from '../../../src/core/dns/message.ts'

const HEADER = { query: '1234 0100 0001 0000 0000', response: '1234 8180 0001' }
const QUESTION = '03 6c6e73 07 6578616d706c65 00 001c 0001'

test('a query, octet by octet, without EDNS and with it', () => {
  const question = { name: 'lns.example', type: TYPE.aaaa }
  assert.deepEqual(encodeQuery(0x1234, question), fromHex(`${HEADER.query} 0000 ${QUESTION}`))
  const edns = '00 0029 04d0 00000000 0000'
  assert.deepEqual(encodeQuery(0x1234, question, 1232), fromHex(`${HEADER.query} 0001 ${QUESTION} ${edns}`))
})

/** A response with these records in the answer, and in the other two sections. */
function response(answers: readonly string[], others: readonly string[] = [], counts?: string): Uint8Array {
  const word = (count: number) => count.toString(16).padStart(4, '0')
  const sections = counts ?? `${word(answers.length)} 0000 ${word(others.length)}`
  return fromHex([HEADER.response, sections, QUESTION, ...answers, ...others].join(' '))
}

const AAAA = 'c00c 001c 0001 0000012c 0010 20010db8000000000000000000000001'

test('a response, octet by octet', () => {
  const bytes = response([AAAA], ['00 0029 04d0 01000000 0000'])
  const decoded = decodeResponse(bytes)
  assert.deepEqual(
    decoded?.answers.map(({ name, type, ttl }) => ({ name, type, ttl })),
    [{ name: 'lns.example', type: TYPE.aaaa, ttl: 300 }],
  )
  assert.deepEqual(decoded?.question, { name: 'lns.example', type: TYPE.aaaa })
  const { id, rcode, authoritative, truncated, recursionAvailable } = decoded ?? {}
  assert.deepEqual(
    [id, rcode, authoritative, truncated, recursionAvailable],
    [0x1234, 16, false, false, true],
  )
  const [record] = decoded?.answers ?? []
  assert.deepEqual(bytes.subarray(record?.start, record?.end), fromHex('20010db8000000000000000000000001'))
})

test('the first question counts, and EDNS only where it belongs', () => {
  const other = QUESTION.replace('6c6e73', '6c6e74')
  const two = fromHex(`1234 8180 0002 0000 0000 0000 ${QUESTION} ${other}`)
  assert.equal(decodeResponse(two)?.question?.name, 'lns.example')
  assert.equal(decodeResponse(response(['00 0029 04d0 01000000 0000']))?.rcode, 0)
})

test('records of another class are none of ours', () => {
  assert.deepEqual(decodeResponse(response([AAAA.replace('001c 0001', '001c 0003')]))?.answers, [])
})

test('a response that is malformed anywhere is none', () => {
  const wrong = {
    'an address of IPv4 with five octets': response(['c00c 0001 0001 0000012c 0005 c000020100']),
    'an address of IPv6 with four octets': response(['c00c 001c 0001 0000012c 0004 c0000201']),
    'an alias with an octet too many': response(['c00c 0005 0001 0000012c 0003 c00c00']),
    'an alias that ends outside of its data': response(['c00c 0005 0001 0000012c 0001 c00c']),
    'data beyond the end': response(['c00c 0010 0001 0000012c 0004 00']),
    'fewer records than it counts': response([AAAA], [], '0002 0000 0000'),
    'no authority where it counts one': response([AAAA], [], '0001 0001 0000'),
    'a query': encodeQuery(0x1234, { name: 'lns.example', type: TYPE.aaaa }),
    'half a header': fromHex(HEADER.response),
    'half a question': response([]).subarray(0, 28),
  }
  for (const [what, bytes] of Object.entries(wrong)) assert.equal(decodeResponse(bytes), undefined, what)
})

const label = fc.stringMatching(/^[a-z0-9_-]{1,12}$/)
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'))
const ttl = fc.nat({ max: 2 ** 32 - 1 })
const record = fc.oneof(
  fc.record({ type: fc.constant('A' as const), name, ttl, data: fc.ipV4() }),
  fc.record({ type: fc.constant('CNAME' as const), name, ttl, data: name }),
  fc.record({ type: fc.constant('TXT' as const), name, ttl, data: fc.string() }),
)

test('what another codec writes is read as it was meant, and what is written here it reads', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 65535 }),
      name,
      fc.array(record),
      fc.array(record),
      (id, asked, answers, others) => {
        const questions = [{ type: 'A' as const, name: asked }]
        const bytes = dnsPacket.encode({ type: 'response', id, questions, answers, authorities: others })
        const decoded = decodeResponse(bytes)
        assert.equal(decoded?.id, id)
        assert.deepEqual(decoded.question, { name: asked, type: TYPE.a })
        const types = { A: TYPE.a, CNAME: TYPE.cname, TXT: 16 }
        assert.deepEqual(
          decoded.answers.map((each) => [each.name, each.type, each.ttl]),
          answers.map((each) => [each.name, types[each.type], each.ttl]),
        )
        const query = dnsPacket.decode(Buffer.from(encodeQuery(id, { name: asked, type: TYPE.aaaa }, 1232)))
        assert.deepEqual([query.type, query.id, query.flag_rd], ['query', id, true])
        assert.deepEqual(query.questions, [{ name: asked, type: 'AAAA', class: 'IN' }])
        assert.deepEqual(
          query.additionals?.map((each) => [each.type, 'udpPayloadSize' in each && each.udpPayloadSize]),
          [['OPT', 1232]],
        )
      },
    ),
  )
})
