import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { FileSystemResolvers } from '../../src/host/system-resolvers.ts'

const LTE = { name: 'lte', device: 'wwan0', ifindex: 7 }

function resolversWith(context: TestContext, files: Record<string, string>): FileSystemResolvers {
  const root = mkdtempSync(join(tmpdir(), 'lifeline-resolvers-'))
  context.after(() => rmSync(root, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return new FileSystemResolvers(root)
}

const STUB = 'nameserver 127.0.0.53\noptions edns0\n'

describe('resolvers of a link', () => {
  it('are those that systemd-resolved has for it, before the stub', (context) => {
    const resolvers = resolversWith(context, {
      'etc/resolv.conf': STUB,
      'run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.1\nnameserver 192.0.2.7\n',
      'run/systemd/resolve/netif/7': 'SERVERS=192.0.2.7\n',
      'run/systemd/resolve/netif/8': 'SERVERS=192.0.2.8\n',
    })
    assert.deepEqual(resolvers.forLink(LTE), ['192.0.2.7', '127.0.0.53'])
  })

  it('are those that systemd-networkd has for it', (context) => {
    const resolvers = resolversWith(context, {
      'etc/resolv.conf': STUB,
      'run/systemd/netif/links/7': 'ADMIN_STATE=configured\nDNS=192.0.2.7 fe80::7%wwan0 fe80::8%eth0\n',
    })
    assert.deepEqual(resolvers.forLink(LTE), ['192.0.2.7', 'fe80::7', '127.0.0.53'])
  })

  it('are all of the system where the link has none', (context) => {
    const resolvers = resolversWith(context, {
      'etc/resolv.conf': STUB,
      'run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.1\nnameserver 192.0.2.1\n',
      'run/systemd/resolve/netif/7': 'LLMNR=yes\n',
    })
    assert.deepEqual(resolvers.forLink(LTE), ['192.0.2.1', '127.0.0.53'])
  })

  it('are those of the netifd interface of the same name on OpenWrt', (context) => {
    const auto = '# Interface wan\nnameserver 192.0.2.1\n# Interface lte\nnameserver 192.0.2.7\n'
    const resolvers = resolversWith(context, {
      'etc/resolv.conf': 'search lan\nnameserver 127.0.0.1\nnameserver ::1\n',
      'tmp/resolv.conf.d/resolv.conf.auto': auto,
    })
    assert.deepEqual(resolvers.forLink(LTE), ['192.0.2.7', '127.0.0.1', '::1'])
    const unknown = { name: undefined, device: 'eth9', ifindex: 9 }
    assert.deepEqual(resolvers.forLink(unknown), ['192.0.2.1', '192.0.2.7', '127.0.0.1', '::1'])
  })

  it('are those behind the stub of NetworkManager', (context) => {
    const resolvers = resolversWith(context, {
      'etc/resolv.conf': 'nameserver 127.0.1.1\n',
      'run/NetworkManager/no-stub-resolv.conf': 'nameserver 192.0.2.3\n',
    })
    assert.deepEqual(resolvers.forLink(LTE), ['192.0.2.3', '127.0.1.1'])
  })

  it('are those of resolv.conf on a plain system', (context) => {
    const resolvers = resolversWith(context, { 'etc/resolv.conf': 'nameserver 192.0.2.4\n' })
    assert.deepEqual(resolvers.forLink(LTE), ['192.0.2.4'])
  })

  it('may be the stub alone, or none', (context) => {
    assert.deepEqual(resolversWith(context, { 'etc/resolv.conf': STUB }).forLink(LTE), ['127.0.0.53'])
    assert.deepEqual(resolversWith(context, {}).forLink(LTE), [])
  })
})
