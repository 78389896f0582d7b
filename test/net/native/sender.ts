/** A process that sends data while the test's own is blocked: arguments are a port, a data and a control message in hex. */
import { createSocket } from 'node:dgram'

const [port = '', data = '', control = ''] = process.argv.slice(2)
const socket = createSocket('udp4')
socket.bind(0, '127.0.0.1', () => process.send?.('ready'))

async function send(message: Buffer): Promise<void> {
  await new Promise((resolve) => socket.send(message, Number(port), '127.0.0.1', resolve))
}

process.on('message', async (command) => {
  if (command === 'port') {
    process.send?.(socket.address().port)
    return
  }
  for (let i = 0; i < 2000; i++) {
    await send(Buffer.from(data, 'hex'))
    if (i % 100 === 0) await send(Buffer.from(control, 'hex'))
  }
})
