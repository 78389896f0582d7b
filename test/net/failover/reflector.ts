/**
 * `reflector.ts PORT DOWNLOAD-PORT STREAM-PORT SINK-PORT`: answers each line over TCP, and each datagram
 * over UDP, with `TEXT from [ADDRESS]:PORT`, the sender as this host sees it. Whoever connects to DOWNLOAD-PORT is sent octets as fast as it takes them, to
 * STREAM-PORT at the pace of a good film; at SINK-PORT all that is sent is read. Says `ready`.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

const [port, downloadPort, streamPort, sinkPort] = process.argv.slice(2).map(Number)
const CHUNK = Buffer.alloc(65_536, 'lifeline')
/** ms between two chunks, about 1.3 MB/s. */
const STREAM_INTERVAL = 50
const MOST_WAITING = 1_000_000

const talking = createServer({ keepAlive: false }, (socket) => {
  const from = `[${socket.remoteAddress}]:${socket.remotePort}`
  socket.on('error', () => {})
  // It repeats the errors of its input, and would end the process with them.
  const lines = createInterface({ input: socket }).on('error', () => {})
  lines.on('line', (line) => socket.write(`${line} from ${from}\n`))
})
await once(talking.listen(port, '::'), 'listening')

const datagrams = createSocket('udp6', (message, from) =>
  datagrams.send(`${message} from [${from.address}]:${from.port}\n`, from.port, from.address),
)
datagrams.on('error', () => {})
datagrams.bind(port, '::')
await once(datagrams, 'listening')

const sending = createServer((socket) => {
  const fill = () => {
    while (!socket.destroyed && socket.write(CHUNK)) {}
  }
  socket.on('error', () => {}).on('drain', fill)
  socket.resume()
  fill()
})
await once(sending.listen(downloadPort, '::'), 'listening')

const streaming = createServer((socket) => {
  const timer = setInterval(() => {
    if (socket.writableLength < MOST_WAITING) socket.write(CHUNK)
  }, STREAM_INTERVAL)
  socket.on('error', () => {}).on('close', () => clearInterval(timer))
  socket.resume()
})
await once(streaming.listen(streamPort, '::'), 'listening')
const sinking = createServer((socket) => {
  socket.on('error', () => {})
  socket.resume()
})
await once(sinking.listen(sinkPort, '::'), 'listening')
console.log('ready')
