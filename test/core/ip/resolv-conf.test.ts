import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseResolvConf, parseSystemdLink } from '../../../src/core/ip/resolv-conf.ts'

function nameserver(
  address: string,
  { zone, interface: heading }: { zone?: string; interface?: string } = {},
) {
  return { address, zone, interface: heading }
}

describe('parseResolvConf', () => {
  it('reads name servers and nothing else', () => {
    const text = [
      '# a comment',
      '; nameserver 192.0.2.1',
      '#nameserver 192.0.2.2',
      'search example.net',
      'nameserver 192.0.2.53',
      '\tnameserver\t2001:DB8::53 # trailing',
      'nameserver resolver.example',
      'nameserver',
      'nameservers 192.0.2.3',
      'nameserver fe80::1%eth0',
      'options edns0 trust-ad',
    ].join('\n')
    assert.deepEqual(parseResolvConf(text), [
      nameserver('192.0.2.53'),
      nameserver('2001:db8::53'),
      nameserver('fe80::1', { zone: 'eth0' }),
    ])
  })

  it('knows the interfaces of OpenWrt', () => {
    const text =
      '# Interface wan\nnameserver 192.0.2.53\nsearch lan\n# Interface wan6\nnameserver 2001:db8::53\nnameserver 2001:db8::54\n'
    assert.deepEqual(parseResolvConf(text), [
      nameserver('192.0.2.53', { interface: 'wan' }),
      nameserver('2001:db8::53', { interface: 'wan6' }),
      nameserver('2001:db8::54', { interface: 'wan6' }),
    ])
  })

  it('finds nothing in nothing', () => assert.deepEqual(parseResolvConf(''), []))
})

describe('parseSystemdLink', () => {
  it('reads what systemd-resolved notes', () => {
    const text =
      '# This is private data. Do not parse.\nLLMNR=yes\nMDNS=no\nSERVERS=192.0.2.53 2001:db8::53 192.0.2.54#dns.example ' +
      '192.0.2.55:53%eth0 [2001:db8::55]:53%eth0#dns.example [2001:db8::56]:853 192.0.2.56:853 fe80::1%eth0 junk\nDOMAINS=example.net\n'
    assert.deepEqual(parseSystemdLink(text), [
      nameserver('192.0.2.53'),
      nameserver('2001:db8::53'),
      nameserver('192.0.2.54'),
      nameserver('192.0.2.55', { zone: 'eth0' }),
      nameserver('2001:db8::55', { zone: 'eth0' }),
      nameserver('fe80::1', { zone: 'eth0' }),
    ])
  })

  it('reads what systemd-networkd notes', () => {
    const text =
      'ADMIN_STATE=configured\nOPER_STATE=routable\nDNS=192.0.2.53 192.0.2.54\nNTP=\nDNSSEC_NEGATIVE_TRUST_ANCHORS=x\n'
    assert.deepEqual(parseSystemdLink(text), [nameserver('192.0.2.53'), nameserver('192.0.2.54')])
  })
})
