/** What a scan from the internet finds on either path: what is allowed, and nothing else, on the router and behind it. */
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as common from '../addresses.ts'
import { type Findings, Scanner } from '../scan.ts'
import * as address from './addresses.ts'
import { assertReaches, DEVICE, LOGIN, SECRET, start, TUNNEL, waitForPath } from './scenario.ts'
import { buildProvider, type Provider } from './topology.ts'

/** What router and LAN host listen on, over TCP and UDP. */
const LISTENING = [22, 53, 80, 443, 1701, 2222, 8080, 65_535]
const SSH = 22
const REDIRECTED = 8000
const HTTPS = 443
const CHANGES = {
  failover: { failback_delay: '1' },
  firewall: { allow_forward: [`${HTTPS}/tcp=${common.lan.ipv6}`] },
  redirect: { web: { proto: 'tcp', src_dport: `${REDIRECTED}`, dest_ip: common.lan.ipv4, dest_port: '80' } },
}
const ALL_PORTS = Array.from({ length: 65_535 }, (_, i) => i + 1)
/** With their neighbours, which nobody listens on. */
const SOME_PORTS = [
  ...new Set([...LISTENING, REDIRECTED].flatMap((port) => [port - 1, port, port + 1])),
].filter((port) => port <= 65_535)

interface Target {
  readonly what: string
  readonly to: string
  /** Open TCP ports. */
  readonly open: readonly number[]
}

const TARGETS: readonly Target[] = [
  { what: 'the shared address', to: address.shared.ipv4, open: [SSH, REDIRECTED] },
  { what: "the router's address in the LAN", to: common.routerAtLan.ipv6, open: [SSH] },
  { what: 'a host of the LAN', to: common.lan.ipv6, open: [HTTPS] },
]

describe('a scan from the internet, of a router with failover', { timeout: 600_000 }, () => {
  let net: Provider
  before(async () => {
    net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET })
    const ports = LISTENING.join()
    const program = [process.execPath, '--import', 'tsx', resolve('test/net/listeners.ts'), ports, ports]
    await Promise.all(
      [net.router.namespace, net.lan].map((host) => host.start('listeners', program).waitForOutput(/ready/)),
    )
  })
  after(() => net.close())

  test('finds what is allowed, over fibre and over the tunnel', async (t) => {
    t.after(() => net.fibre.heal())
    const lifeline = await start(t, net, CHANGES)
    await findOnlyAllowed(await scannerOf(net, net.fibre.device), 'fibre')
    await net.fibre.cut()
    await waitForPath(lifeline, TUNNEL)
    await assertReaches(net)
    await findOnlyAllowed(await scannerOf(net, DEVICE), 'the tunnel')
  })
})

/** A new one for each device: only what comes in by that counts. */
async function scannerOf({ internet, router }: Provider, device: string): Promise<Scanner> {
  const forget = ['answers', 'arrivals']
    .map((table) => `add table inet ${table}\ndelete table inet ${table}`)
    .join('\n')
  await Promise.all([internet.namespace.nft(forget), router.namespace.nft(forget)])
  return Scanner.create(internet.namespace, common.internet, router.namespace, device)
}

async function findOnlyAllowed(scanner: Scanner, path: string): Promise<void> {
  for (const { what, to, open } of TARGETS) {
    const tcp = await scanner.scan({ to, protocol: 'tcp', ports: ALL_PORTS })
    assertOnly(tcp, ALL_PORTS, open, `TCP of ${what} over ${path}`)
    const udp = await scanner.scan({ to, protocol: 'udp', ports: SOME_PORTS })
    assertOnly(udp, SOME_PORTS, [], `UDP of ${what} over ${path}`)
  }
}

function assertOnly(found: Findings, asked: readonly number[], open: readonly number[], what: string): void {
  assert.equal(found.arrived, asked.length, `${what}: not all arrived`)
  assert.deepEqual(found.open, open, what)
  assert.equal(found.refused, 0, `${what}: some were refused, which tells them from the others`)
  assert.equal(found.complaints, 0, `${what}: somebody complained`)
}
