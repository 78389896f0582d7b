/** The far end of a data path: `far-end.ts TUN DEVICE PORT PEER PEER-PORT` makes the device and carries its packets. */
import { NativeDataPaths } from '../../../src/host/data-paths.ts'
import { loadAddon } from '../../../src/host/native.ts'
import { NativeTuns } from '../../../src/host/tuns.ts'
import { carry } from './carry.ts'

const [name = '', device = '', port = '', host = '', peerPort = ''] = process.argv.slice(2)
const addon = loadAddon()
const tun = new NativeTuns(addon).open(name)
carry(
  (session) => new NativeDataPaths(addon).attach(tun, session),
  { device, port: Number(port) },
  { host, port: Number(peerPort) },
)
tun.setCarrier(true)
console.log('carrying')
setInterval(() => {}, 1 << 30)
