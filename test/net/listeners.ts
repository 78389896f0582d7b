/**
 * Answers on ports of all addresses of a host, over TCP and UDP: what strangers would like to find.
 * `listeners.ts TCP-PORTS UDP-PORTS`, each separated by commas; says `ready` once all are open.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

const [tcp = [], udp = []] = process.argv.slice(2).map((list) => list.split(',').map(Number))
for (const port of tcp)
  await once(createServer((socket) => socket.on('error', () => {}).end()).listen(port), 'listening')
for (const port of udp) {
  const socket = createSocket('udp6', (message, { port, address }) => socket.send(message, port, address))
  socket.on('error', () => {})
  socket.bind(port)
  await once(socket, 'listening')
}
console.log('ready')
