/** Sends one datagram, given in hexadecimal, to the RADIUS server of this network namespace, and prints the answer. */
import { createSocket } from 'node:dgram'

const socket = createSocket('udp4')
const patience = setTimeout(() => {
  console.error('no answer from RADIUS')
  process.exit(1)
}, 5000)
socket.on('message', (answer) => {
  clearTimeout(patience)
  console.log(answer.toString('hex'))
  socket.close()
})
socket.send(Buffer.from(process.argv[2] ?? '', 'hex'), 1812, '127.0.0.1')
