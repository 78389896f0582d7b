import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { SystemError } from '../../../src/app/ports.ts'
import { NativeDatagrams } from '../../../src/host/datagrams.ts'
import { loadAddon } from '../../../src/host/native.ts'
import { NativeTcpProbes } from '../../../src/host/tcp-probes.ts'
import { inNamespace, run } from './namespace.ts'

inNamespace(import.meta.url, () => {
  const probes = new NativeTcpProbes(loadAddon())

  function outcome(host: string, port: number, device?: string): Promise<string> {
    return new Promise((onOutcome) => {
      probes.connect({ to: { host, port }, ...(device === undefined ? {} : { device }), onOutcome })
    })
  }

  for (const host of ['127.0.0.1', '::1']) {
    test(`a TCP probe of ${host} tells a listener, a refusal, and silence`, async () => {
      const server = createServer((socket) => socket.on('error', () => {}))
      server.listen(0, host)
      await once(server, 'listening')
      const address = server.address()
      assert.ok(typeof address === 'object' && address !== null)
      assert.equal(await outcome(host, address.port, 'lo'), 'connected')
      server.close()
      await once(server, 'close')
      assert.equal(await outcome(host, address.port), 'ECONNREFUSED')
    })
  }

  test('a device without a way out is an error at once', async () => {
    run('ip link add veth-a type veth peer name veth-b')
    run('ip link set veth-a up')
    const tried = (async () => outcome('2001:db8::1', 80, 'veth-a'))()
    await assert.rejects(tried, (error) => error instanceof SystemError && error.code === 'ENETUNREACH')
  })

  test('the mark of a socket decides its route', async () => {
    run('ip route add blackhole 192.0.2.0/24 table 99')
    run('ip rule add fwmark 0x1000000/0xf000000 lookup 99')
    run('ip route add local 192.0.2.0/24 dev lo')
    const server = createServer((socket) => socket.on('error', () => {}))
    server.listen(0, '192.0.2.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const { port } = address
    assert.equal(await outcome('192.0.2.1', port), 'connected')
    run('ip rule del pref 0')
    run('ip rule add pref 40000 lookup local')
    const marked = () =>
      new Promise((onOutcome) => {
        probes.connect({ to: { host: '192.0.2.1', port }, mark: 0x1000000, onOutcome })
      })
    await assert.rejects(async () => marked(), SystemError)
    const errors: string[] = []
    const socket = new NativeDatagrams(loadAddon()).open({
      family: 4,
      mark: 0x1000000,
      onMessage: () => {},
      onError: (code) => errors.push(code),
    })
    socket.send(new Uint8Array(4), { host: '192.0.2.1', port: 9 })
    while (errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.deepEqual(errors, ['EINVAL'])
    socket.close()
    server.close()
  })
})
