import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkTime } from '../../../src/core/config/check-time.ts'
import * as kinds from '../../../src/core/config/kinds.ts'
import * as network from '../../../src/core/config/network-kinds.ts'
import { ok } from '../../../src/core/result.ts'

/** What each text means; undefined: refused. */
type Table<T> = readonly (readonly [text: string, value: T | undefined])[]

function check<T>(name: string, kind: kinds.Kind<T>, table: Table<T>): void {
  test(name, () => {
    for (const [text, value] of table) {
      const parsed = kind.parse(text)
      assert.deepEqual(parsed.ok ? parsed.value : undefined, value, text)
      if (!parsed.ok) continue
      const printed = kind.print(parsed.value)
      const again = kind.parse(String(printed))
      assert.ok(again.ok, `${text} is printed as ${printed}`)
      assert.deepEqual(again.value, value)
    }
  })
}

function refused(...texts: string[]): (readonly [string, undefined])[] {
  return texts.map((text) => [text, undefined] as const)
}

describe('kinds', () => {
  check('flag', kinds.flag, [
    ...['1', 'true', 'on', 'yes', 'enabled'].map((text) => [text, true] as const),
    ...['0', 'false', 'off', 'no', 'disabled'].map((text) => [text, false] as const),
    ...refused('', '2', 'True', ' 1', 'enable'),
  ])

  check('integer', kinds.integer(5, 65535), [
    ['5', 5],
    ['65535', 65535],
    ...refused('4', '65536', '-5', '+5', '5.0', '1e3', '0x10', '010', '', ' 5', '99999999999999999999999'),
  ])

  check<number>('duration', kinds.duration('100ms', '1h'), [
    ['1', 1000],
    ['25', 25_000],
    ['0.5', 500],
    ['100ms', 100],
    ['1500ms', 1500],
    ['2s', 2000],
    ['1.5m', 90_000],
    ['1h', 3_600_000],
    ...refused('99ms', '0', '3601', '61m', '1d', '1 s', '-1', '.5', '1.', 's', '', '1e3'),
  ])

  check('size', kinds.size('1k', '2G'), [
    ['1000', 1000],
    ['1k', 1000],
    ['1.5M', 1_500_000],
    ['2G', 2_000_000_000],
    ...refused('999', '2.1G', '1K', '1Ki', '1m', '1 k', ''),
  ])

  check('word or integer', kinds.wordOr('auto', kinds.integer(576, 1500)), [
    ['auto', 'auto'],
    ['1460', 1460],
    ...refused('Auto', '575', ''),
  ])

  check('text', kinds.text(4), [
    ['a', 'a'],
    ['žlu', 'žlu'],
    ['žluť', undefined],
    ['\' "', '\' "'],
    ...refused('', '12345', 'a\nb', 'a\tb', 'a\u007f', '\ud800'),
  ])

  check('section name', kinds.sectionName, [
    ['a_9', 'a_9'],
    ['0', '0'],
    ...refused('', 'A', 'a-b', 'a.b', 'é', 'a'.repeat(65)),
  ])

  check('path', kinds.path, [
    ['/', '/'],
    ['/etc/my file', '/etc/my file'],
    ...refused('', 'etc', './x', '~/x', '/a\nb'),
  ])

  check('mask', kinds.mask, [
    ['0x0f000000', 0x0f000000],
    ['0xFFFFFFFF', 0xffffffff],
    ['0X1', 1],
    ['240', 240],
    ...refused('0', '0x0', '0x', '0x100000000', 'f0', '-1', '0b1', '1.5'),
  ])

  check('IPv4 address', network.address(4), [
    ['192.0.2.1', '192.0.2.1'],
    ...refused('0.0.0.0', '192.0.2', '192.0.2.01', '192.0.2.1/32', '2001:db8::1', 'a.b', ''),
  ])

  check('IPv6 address', network.address(6), [
    ['2001:DB8:0::1', '2001:db8::1'],
    ['fe80::1', 'fe80::1'],
    ...refused('::', '192.0.2.1', 'fe80::1%eth0', '[2001:db8::1]'),
  ])

  check('IPv4 address with a prefix length', network.addressPrefix(4), [
    ['192.0.2.1', { address: '192.0.2.1', length: 32 }],
    ['192.0.2.1/24', { address: '192.0.2.1', length: 24 }],
    ['10.0.0.1/8', { address: '10.0.0.1', length: 8 }],
    ...refused('192.0.2.1/33', '192.0.2.1/', '0.0.0.0/8', '2001:db8::1/64'),
    ...refused('203.0.113.9/0', '203.0.113.9/7', '127.0.0.1', '127.1.2.3/32', '169.254.3.4'),
    ...refused('224.0.0.1', '239.255.255.250/24', '255.255.255.255', '240.0.0.1', '0.1.2.3'),
  ])

  check('IPv6 address with a prefix length', network.addressPrefix(6), [
    ['2001:db8::1', { address: '2001:db8::1', length: 128 }],
    ['2001:db8::1/16', { address: '2001:db8::1', length: 16 }],
    ['fd00::1/64', { address: 'fd00::1', length: 64 }],
    ...refused('2001:db8::1/0', '2001:db8::1/15', '::1', '::', '::/64', 'fe80::1/64', 'ff02::1', '192.0.2.1'),
  ])

  check('IPv6 prefix', network.network(6), [
    ['2001:db8:2::/56', { address: '2001:db8:2::', length: 56 }],
    ['2001:db8::1/128', { address: '2001:db8::1', length: 128 }],
    ['2001:db8:0:80::/57', { address: '2001:db8:0:80::', length: 57 }],
    ['2000::/16', { address: '2000::', length: 16 }],
    ...refused('2001:db8:0:40::/57', '2001:db8::1/127', '2001:db8::', '::/0', '192.0.2.0/24'),
    ...refused('::/1', '8000::/1', '2000::/3', 'fc00::/7', '::/64', '::1/128'),
    ...refused('fe80::/10', 'fe80::/64', 'ff00::/8', 'ff02::/16'),
  ])

  check('server', network.server, [
    ['l2tp.aa.net.uk', { host: 'l2tp.aa.net.uk', port: 1701 }],
    ['l2tp.aa.net.uk.', { host: 'l2tp.aa.net.uk', port: 1701 }],
    ['lns', { host: 'lns', port: 1701 }],
    ['LNS-1.example:1', { host: 'LNS-1.example', port: 1 }],
    ['192.0.2.1', { host: '192.0.2.1', port: 1701 }],
    ['192.0.2.1:65535', { host: '192.0.2.1', port: 65535 }],
    ['2001:DB8::1', { host: '2001:db8::1', port: 1701 }],
    ['[2001:db8::1]', { host: '2001:db8::1', port: 1701 }],
    ['[2001:db8::1]:1702', { host: '2001:db8::1', port: 1702 }],
    ['xn--bcher-kva.example', { host: 'xn--bcher-kva.example', port: 1701 }],
    ...refused(
      '',
      ':1701',
      'lns:',
      'lns:0',
      'lns:65536',
      'lns:01',
      'lns:x',
      'l2tp://lns',
      'lns/x',
      'a b',
      'a..b',
      '-a',
      'a-',
    ),
    ...refused(
      '192.0.2',
      '192.0.2.256',
      '0.0.0.0',
      '1701',
      '[192.0.2.1]',
      '[lns]:1',
      '[2001:db8::1',
      '[2001:db8::1]x',
    ),
    ...refused('bücher.example', `${'a'.repeat(64)}.example`, `${'a.'.repeat(127)}aa`),
  ])

  check('device name', network.deviceName, [
    ['pppoe-wan', 'pppoe-wan'],
    ['eth0.2', 'eth0.2'],
    ['wan@eth0', 'wan@eth0'],
    ['fifteen-letters', 'fifteen-letters'],
    ...refused('lo', 'all', 'default'),
    ...refused('', '.', '..', 'a/b', 'a b', 'a:b', 'tun%d', 'eth*', '"', 'sixteen--letters'),
  ])

  test('a secret shows itself nowhere', () => {
    const kind = kinds.secret(5)
    const parsed = kind.parse('xyzzy')
    assert.ok(parsed.ok)
    assert.equal(parsed.value.reveal(), 'xyzzy')
    assert.equal(kind.print(parsed.value), '***')
    for (const wrong of ['xyzzy!', 'xy\nzz', '']) {
      const refusal = kind.parse(wrong)
      assert.ok(!refusal.ok)
      assert.doesNotMatch(refusal.error, /xy/)
    }
  })
})

test('the time of a check is a day, some days or all, and a time of day', () => {
  const read = (text: string) => checkTime.parse(text)
  assert.deepEqual(read('daily 23:59'), ok({ day: undefined, hour: 23, minute: 59 }))
  assert.deepEqual(read('weekly 04:00'), read('sun 4:00'))
  assert.deepEqual(read('sat 00:00'), ok({ day: 'sat', hour: 0, minute: 0 }))
  assert.equal(checkTime.print({ day: 'sun', hour: 4, minute: 0 }), 'sun 04:00')
  for (const text of ['04:00', 'weekly', 'daily 24:00', 'daily 04:60', 'daily 04:00Z', 'someday 04:00', '1'])
    assert.equal(read(text).ok, false, text)
})
