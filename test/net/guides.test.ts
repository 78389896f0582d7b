/** The guides do what they say: their configurations and rules, copied from the pages, run in the small internets. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import * as address from './addresses.ts'
import { answer, Conversation } from './echo.ts'
import { LOGIN, assertReaches as lanReaches, SECRET, waitForPath } from './failover/scenario.ts'
import { buildProvider, LNS_NAME } from './failover/topology.ts'
import type { Lifeline } from './lifeline.ts'
import type { Namespace } from './namespace.ts'
import { type Outcome, run } from './process.ts'
import { PROGRAM, type Router } from './router.ts'
import { globalIpv6, subscriber } from './scenario.ts'
import { buildNetwork } from './topology.ts'
import { waitFor } from './wait.ts'

/** The first fenced block of a page that begins so. */
function block(page: string, beginning: string): string {
  const fences = [...readFileSync(`docs/${page}.md`, 'utf8').matchAll(/^```\n(.*?)^```$/gms)]
  const found = fences.map(([, text = '']) => text).find((text) => text.startsWith(beginning))
  assert.ok(found, `docs/${page}.md has no block that begins with ${beginning}`)
  return found
}

/** Text in which the names that readers are to replace are replaced; each must be there. */
function adapted(text: string, names: Readonly<Record<string, string>>): string {
  let result = text
  for (const [theirs, ours] of Object.entries(names)) {
    assert.ok(result.includes(theirs), `the guide does not name ${theirs}`)
    result = result.replaceAll(theirs, ours)
  }
  return result
}

function start(t: TestContext, router: Router, config: string): Lifeline {
  const main = `config lifeline 'main'\n  option state_dir '${router.stateFolder}'\n`
  const lifeline = router.lifeline({ config: `${main}\n${config}` })
  t.after(() => lifeline.stop())
  return lifeline
}

/** What a host gets that connects to a TCP port: `open`, `refused` at once, or `silence`. */
async function knock(from: Namespace, to: string, port: number): Promise<'open' | 'refused' | 'silence'> {
  const target = `TCP:${to}:${port},connect-timeout=3`
  const { code, stderr } = await from.run(['socat', '-u', '/dev/null', target], { mayFail: true })
  if (code === 0) return 'open'
  return /refused/.test(stderr) ? 'refused' : 'silence'
}

describe('a static address for a home server', { timeout: 400_000 }, () => {
  test('what is allowed is answered from the static address, the rest is refused, the server goes out as before', async (t) => {
    const user = subscriber('xx', 1)
    const net = await buildNetwork({ users: [user] })
    t.after(() => net.close())
    const [uplink] = net.uplinks
    const { namespace } = net.router
    const config = adapted(block('home-server', "config uplink 'home'"), {
      eth0: uplink.device,
      '192.168.1.1': uplink.gateway.ipv4,
      'l2tp.example.net': address.lns.ipv4,
      'xx@a.1': user.name,
      '/etc/lifeline/static': net.router.secretFile('static', user.password),
    })
    await Promise.all([
      answer(namespace, 'tcp', 443),
      answer(namespace, 'tcp', 22),
      answer(namespace, 'udp', 655),
    ])
    const lifeline = start(t, net.router, config)
    const tunnel = await lifeline.waitForTunnel(
      'static',
      'to have both families',
      ({ state, ipv4, ipv6 }) => state === 'up' && ipv4.address !== null && ipv6.addresses.length > 0,
    )
    assert.equal(tunnel.device, 'static-l2tp')
    const outside = net.internet.namespace
    const own = [user.ipv4, globalIpv6(tunnel) ?? '']
    for (const to of own) {
      // A daemon that is bound to no address, as tinc and most others.
      const asked = await Conversation.open(outside, 'udp', to, 655)
      asked.close()
    }
    assert.equal(await knock(outside, user.ipv4, 443), 'open')
    assert.equal(await knock(outside, user.ipv4, 22), 'refused')
    const [route] = await namespace.show<{ dev: string }[]>('route', 'get', address.internet.ipv4)
    assert.equal(route?.dev, uplink.device)
  })
})

describe('fibre first, 4G second, beside rules of one’s own', { timeout: 400_000 }, () => {
  const DEVICES = { '"pppoe-line"': '"pppoe-aaisp"', '"lan"': '"lan0"' }

  async function doctor({ namespace }: Router, file: string): Promise<Outcome> {
    return run(['ip', 'netns', 'exec', namespace.name, PROGRAM, 'doctor', '-c', file], { mayFail: true })
  }

  test('doctor names the rule that is missing; with it the LAN goes out over every path', async (t) => {
    const net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET })
    t.after(() => net.close())
    const { router, lan } = net
    const rules = adapted(block('fibre-and-4g', 'table inet firewall'), DEVICES)
    await router.namespace.nft(rules)
    const config = adapted(block('fibre-and-4g', "config uplink 'fibre'"), {
      "'pppoe-line'": "'pppoe-aaisp'",
      "'lan'": "'lan0'",
      'l2tp.example.net': LNS_NAME,
      'xx@a.1': LOGIN.name,
      "option password_file '/etc/lifeline/line'": `option password_file '${router.secretFile('line', LOGIN.password)}'
  option tunnel_secret '${SECRET}'`,
    })
    await answer(router.namespace, 'tcp', 22)
    await answer(router.namespace, 'tcp', 8080)
    const lifeline = start(t, router, config)
    await waitForPath(lifeline, 'fibre')

    const missing = adapted(block('fibre-and-4g', 'warning  other firewalls'), { ' lan ': ' lan0 ' })
    const before = await doctor(router, lifeline.file)
    assert.ok(before.stdout.includes(missing.trim()), before.stdout)
    const added = block('fibre-and-4g', '\t\tiifname "lan" oifname')
    const old = /^\t\tiifname "lan0" oifname .* accept$/m
    assert.match(rules, old)
    const [filters = ''] = rules.replace(old, adapted(added.trimEnd(), DEVICES)).split('table ip nat')
    await router.namespace.nft(`delete table ip nat\ndelete table inet firewall\n${filters}`)
    const now = await doctor(router, lifeline.file)
    assert.match(now.stdout, /^ok +other firewalls: /m)

    const outside = net.internet.namespace
    const isAsPromised = async () => {
      await lanReaches(net)
      assert.equal(await knock(outside, LOGIN.ipv4 ?? '', 22), 'open')
      assert.notEqual(await knock(outside, LOGIN.ipv4 ?? '', 8080), 'open')
      const seen = await lan.run(['socat', '-T', '5', '-', `TCP4:${address.internet.ipv4}:8`])
      assert.equal(seen.stdout.trim(), LOGIN.ipv4)
    }
    await isAsPromised()
    await net.fibre.cut()
    await waitForPath(lifeline, 'line')
    await isAsPromised()
    await net.fibre.heal()
    await waitForPath(lifeline, 'fibre')
    await isAsPromised()

    await net.fibre.cut()
    await net.lns.kill()
    await waitForPath(lifeline, 'lte', 120_000)
    await lanReaches(net)
    await waitFor('what lifeline says of it', async () =>
      /over lte/.test((await lifeline.cli('status')).stdout),
    )
  })
})
