import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { type IcmpOptions, SystemError } from '../../../src/app/ports.ts'
import { NativeDatagrams } from '../../../src/host/datagrams.ts'
import { loadAddon } from '../../../src/host/native.ts'
import { inNamespace, run, until } from './namespace.ts'

const ECHO_REPLY = 0
const ECHO6_REQUEST = 128
const ECHO6_REPLY = 129

/** ICMP echo request with its checksum (RFC 792): identifier 0x1234, the sequence number, no data. */
function echoRequest(sequence: number): Uint8Array {
  const checksum = 0xffff - (0x0800 + 0x1234 + sequence)
  return Uint8Array.from([8, 0, checksum >> 8, checksum & 0xff, 0x12, 0x34, 0, sequence])
}

/** The same for ICMPv6, whose checksum the kernel fills in. */
function echo6Request(sequence: number): Uint8Array {
  return Uint8Array.from([ECHO6_REQUEST, 0, 0, 0, 0x12, 0x34, 0, sequence])
}

inNamespace(import.meta.url, () => {
  const datagrams = new NativeDatagrams(loadAddon())

  // A second namespace, which lives as long as this process: niA here, niB there.
  const there = spawn('unshare', ['-n', 'sleep', '60'], { stdio: 'ignore' })
  process.on('exit', () => there.kill())
  const inside = (command: string) => run(`nsenter -n -t ${there.pid} ${command}`)

  test('the other namespace is made', async () => {
    const mine = run('readlink /proc/self/ns/net')
    await until(() => run(`readlink /proc/${there.pid}/ns/net`) !== mine, 'the other namespace is there')
    // With equal indexes a carrier would be told up to 1 s late.
    run(`ip link add niA index 101 type veth peer name niB index 102 netns ${there.pid}`)
    run('ip addr add 192.0.2.1/24 dev niA')
    run('ip -6 addr add 2001:db8::1/64 dev niA nodad')
    inside('ip addr add 192.0.2.2/24 dev niB')
    inside('ip -6 addr add 2001:db8::2/64 dev niB nodad')
    inside('ip addr add fe80::b/64 dev niB nodad')
    inside('ip link set niB up')
    run('ip link set niA up')
    await until(() => /scope link *\n/.test(run('ip -6 addr show dev niA -tentative')), 'link-local address')
  })

  function open(options: Partial<IcmpOptions> & { family: 4 | 6 }) {
    const messages: { from: string; type: number | undefined; sequence: number; hopLimit: number }[] = []
    const errors: string[] = []
    const socket = datagrams.openIcmp({
      device: 'niA',
      onMessage: (from, message, hopLimit) =>
        messages.push({ from, type: message[0], sequence: message[7] ?? -1, hopLimit }),
      onError: (code) => errors.push(code),
      ...options,
    })
    return { socket, messages, errors }
  }

  test('ICMPv6 echo: the reply comes with its sender and hop limit', async () => {
    const { socket, messages, errors } = open({ family: 6, accept: [ECHO6_REPLY] })
    socket.send(echo6Request(7), '2001:db8::2')
    socket.send(echo6Request(8), 'fe80::b')
    await until(() => messages.length === 2, 'both replies are there')
    assert.deepEqual(
      messages.sort((a, b) => a.sequence - b.sequence),
      [
        { from: '2001:db8::2', type: ECHO6_REPLY, sequence: 7, hopLimit: 64 },
        { from: 'fe80::b', type: ECHO6_REPLY, sequence: 8, hopLimit: 64 },
      ],
    )
    assert.deepEqual(errors, [])
    socket.close()
  })

  test('what is sent has hop limit 255, and is not heard by the sender itself', async () => {
    // The far end answers a Neighbor Solicitation only at hop limit 255 (RFC 4861 section 7.1.1).
    const solicitation = Uint8Array.from([
      ...[135, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 0, 0, 0, 0x0b],
    ])
    const { socket, messages } = open({ family: 6, accept: [135, 136] })
    socket.send(solicitation, 'ff02::1:ff00:b')
    await until(
      () => messages.some(({ type, hopLimit }) => type === 136 && hopLimit === 255),
      'the advertisement',
    )
    assert.ok(
      !messages.some(({ type, from }) => type === 135 && from !== 'fe80::b' && from !== '2001:db8::2'),
    )
    socket.close()
  })

  test('only accepted types arrive', async () => {
    const picky = open({ family: 6, accept: [134] })
    const open6 = open({ family: 6, accept: [ECHO6_REPLY] })
    open6.socket.send(echo6Request(1), '2001:db8::2')
    await until(() => open6.messages.length === 1, 'the reply is there')
    assert.deepEqual(picky.messages, [])
    picky.socket.close()
    open6.socket.close()
  })

  test('echo replies to others die before they cost anything', async () => {
    for (const family of [4, 6] as const) {
      const [request, to, accept] =
        family === 4 ? [echoRequest, '192.0.2.2', ECHO_REPLY] : [echo6Request, '2001:db8::2', ECHO6_REPLY]
      const others = open({ family, accept: [accept], identifier: 0x4321 })
      const ours = open({ family, accept: [accept], identifier: 0x1234 })
      for (let i = 1; i <= 5; i++) ours.socket.send(request(i), to)
      await until(() => ours.messages.length === 5, 'the replies are there')
      assert.deepEqual(others.messages, [])
      others.socket.close()
      ours.socket.close()
    }
  })

  test('ICMP echo: messages start at the ICMP header', async () => {
    const { socket, messages } = open({ family: 4, source: '192.0.2.1', accept: [ECHO_REPLY] })
    const picky = open({ family: 4, accept: [8] })
    socket.send(echoRequest(3), '192.0.2.2')
    await until(() => messages.length === 1, 'the reply is there')
    assert.deepEqual(messages, [{ from: '192.0.2.2', type: ECHO_REPLY, sequence: 3, hopLimit: 64 }])
    assert.deepEqual(picky.messages, [])
    picky.socket.close()
    socket.close()
  })

  test('a device that does not exist is refused; one that goes away is told', async () => {
    const missing = () => open({ family: 6, device: 'nosuch' })
    assert.throws(missing, (error) => error instanceof SystemError && error.code === 'ENODEV')
    const { socket, errors } = open({ family: 6 })
    run('ip link del niA')
    socket.send(echo6Request(1), '2001:db8::2')
    await until(() => errors.length > 0, 'the error is told')
    assert.match(errors[0] ?? '', /^(ENODEV|ENETUNREACH|EADDRNOTAVAIL|EINVAL)$/)
    socket.close()
  })
})
