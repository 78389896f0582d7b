/**
 * `talker.ts tcp|udp HOST PORT`: one connection to a reflector. Each line on stdin is sent, each answer printed. Over TCP
 * it ends with `broken CODE` when the connection does; over UDP the socket is kept, and errors are printed.
 * `talker.ts download|upload HOST PORT`: prints how many octets came, or were taken, whenever it is asked by a line.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

const [kind = '', host = '', port = ''] = process.argv.slice(2)
const lines = createInterface({ input: process.stdin })

if (kind === 'udp') {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4', (message) =>
    process.stdout.write(message),
  )
  socket.on('error', (error) => console.log(`error ${error.message}`))
  socket.bind()
  await once(socket, 'listening')
  console.log('connected')
  for await (const line of lines) socket.send(line, Number(port), host)
} else {
  const socket = connect({ host, port: Number(port), noDelay: true })
  let octets = 0
  socket.on('connect', () => console.log('connected'))
  socket.on('error', (error: NodeJS.ErrnoException) => console.log(`broken ${error.code}`))
  socket.on('close', () => {
    console.log('broken')
    process.exit()
  })
  await once(socket, 'connect')
  switch (kind) {
    case 'tcp':
      socket.pipe(process.stdout)
      for await (const line of lines) socket.write(`${line}\n`)
      break
    case 'download':
      socket.on('data', (data) => {
        octets += data.length
      })
      for await (const line of lines) console.log(`${line} ${octets}`)
      break
    case 'upload': {
      const chunk = Buffer.alloc(65_536, 'lifeline')
      const fill = () => {
        while (socket.write(chunk)) {}
      }
      socket.on('drain', fill)
      fill()
      for await (const line of lines) console.log(`${line} ${socket.bytesWritten - socket.writableLength}`)
    }
  }
}
