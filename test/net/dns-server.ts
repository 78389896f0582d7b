/**
 * A resolver on port 53 of all addresses of its namespace, or of those that it is given (a host with many addresses
 * answers from the one that it was asked at only then). Each line on stdin is a JSON object, name -> addresses, which
 * replaces what it knows; each is answered with `ready N`, each question logged as `asked NAME TYPE`.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { createInterface } from 'node:readline'
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, RECURSION_DESIRED } from 'dns-packet'

const NXDOMAIN = 3
const TTL_SECONDS = 60

let records = new Map<string, readonly string[]>()

function answerTo(message: Buffer): Buffer {
  const { id, flags = 0, questions = [] } = decode(message)
  const [question] = questions
  const addresses = records.get(question?.name.toLowerCase() ?? '')
  if (question !== undefined) console.log(`asked ${question.name} ${question.type}`)
  const answers: Answer[] = (addresses ?? []).flatMap((data) => {
    const type = data.includes(':') ? 'AAAA' : 'A'
    return question !== undefined && question.type === type
      ? [{ type, name: question.name, ttl: TTL_SECONDS, data }]
      : []
  })
  const kept = AUTHORITATIVE_ANSWER | (flags & RECURSION_DESIRED)
  return encode({
    type: 'response',
    id: id ?? 0,
    flags: kept | (addresses === undefined ? NXDOMAIN : 0),
    questions,
    answers,
  })
}

const given = process.argv.slice(2)
for (const address of given.length > 0 ? given : ['0.0.0.0', '::']) {
  const type = isIPv6(address) ? 'udp6' : 'udp4'
  const socket = createSocket({ type, ipv6Only: type === 'udp6' })
  socket.on('message', (message, from) => socket.send(answerTo(message), from.port, from.address))
  socket.bind(53, address)
  await once(socket, 'listening')
}

let told = 0
for await (const line of createInterface({ input: process.stdin })) {
  records = new Map(Object.entries(JSON.parse(line)))
  console.log(`ready ${++told}`)
}
