/** A port scan: every port asked for is seen to reach the router, and whatever comes back is recorded. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pair } from './addresses.ts'
import type { Namespace } from './namespace.ts'
import { ping } from './ping.ts'
import { Sender, tcpSyn, udpAbc } from './strangers.ts'

export interface Target {
  readonly to: string
  readonly protocol: 'tcp' | 'udp'
  readonly ports: readonly number[]
  /** Pinged to learn that what was sent has arrived, where `to` itself answers no pings. */
  readonly neighbour?: string
  /** Which ports are asked again: those that were lost on the way, or all that have not answered; the former if left out. */
  readonly again?: 'lost' | 'silent'
}

export interface Findings {
  /** Ports that answered as an open one does. */
  readonly open: readonly number[]
  /** How many TCP ports answered with a reset. */
  readonly refused: number
  /** ICMP errors from anywhere. */
  readonly complaints: number
  /** How many ports' packets reached the router. */
  readonly arrived: number
}

/** Of all that a scanner sends. */
const FROM_PORT = 40_000
/** Packets in one go, and ms between two. */
const BATCH = 150
const PAUSE = 5
/** Queues on the way may overflow: what did not arrive is sent again so many times. */
const ROUNDS = 10

export class Scanner {
  readonly #namespace: Namespace
  readonly #address: Pair
  readonly #router: Namespace

  private constructor(namespace: Namespace, address: Pair, router: Namespace) {
    this.#namespace = namespace
    this.#address = address
    this.#router = router
  }

  /** A host that scans the router from its addresses; what comes in by `device` counts as arrived. */
  static async create(
    namespace: Namespace,
    address: Pair,
    router: Namespace,
    device: string,
  ): Promise<Scanner> {
    await Promise.all([namespace.nft(ANSWERS), router.nft(arrivals(device))])
    return new Scanner(namespace, address, router)
  }

  async scan(target: Target): Promise<Findings> {
    const { to, protocol, ports, again = 'lost', neighbour = to } = target
    await Promise.all([
      this.#namespace.run(['nft', FLUSH_ANSWERS]),
      this.#router.run(['nft', 'flush set inet arrivals ports']),
    ])
    const sender = new Sender(this.#namespace, to, protocol)
    const arrivals = () => portsIn(this.#router, 'arrivals', 'ports')
    let left = ports
    for (let round = 0; round < ROUNDS && left.length > 0; round++) {
      await this.#send(sender, { ...target, ports: left })
      // What is sent after a ping has its answer cannot overtake what was sent before it.
      await ping(this.#namespace, neighbour)
      const { open, refused } =
        again === 'lost' ? { open: [], refused: await arrivals() } : await this.#answers()
      const done = new Set([...open, ...refused])
      left = left.filter((port) => !done.has(port))
    }
    await sender.close()
    const { open, refused } = await this.#answers()
    const { stdout } = await this.#namespace.run(['nft', 'list counter inet answers complaints'])
    const arrived = (await arrivals()).length
    return { open, refused: refused.length, complaints: Number(/packets (\d+)/.exec(stdout)?.[1]), arrived }
  }

  async #answers(): Promise<{ open: number[]; refused: number[] }> {
    const sets = ['opened', 'answered', 'refused'].map((set) => portsIn(this.#namespace, 'answers', set))
    const [opened = [], answered = [], refused = []] = await Promise.all(sets)
    return { open: [...opened, ...answered].sort((a, b) => a - b), refused }
  }

  async #send(sender: Sender, { to, protocol, ports }: Target): Promise<void> {
    const ends = { from: this.#address[to.includes(':') ? 'ipv6' : 'ipv4'], to }
    const make = protocol === 'tcp' ? tcpSyn : udpAbc
    for (let i = 0; i < ports.length; i += BATCH) {
      sender.send(ports.slice(i, i + BATCH).map((port) => make(ends, FROM_PORT, port)))
      await sleep(PAUSE)
    }
  }
}

const PORT_SET = 'type inet_service; size 65536; flags dynamic;'

const ANSWERS = `
table inet answers {
  set opened { ${PORT_SET} }
  set refused { ${PORT_SET} }
  set answered { ${PORT_SET} }
  counter complaints { }
  chain input {
    type filter hook input priority -300;
    tcp dport ${FROM_PORT} tcp flags & (syn | ack) == syn | ack add @opened { tcp sport }
    tcp dport ${FROM_PORT} tcp flags & rst == rst add @refused { tcp sport }
    udp dport ${FROM_PORT} add @answered { udp sport }
    icmp type { destination-unreachable, parameter-problem } counter name complaints
    icmpv6 type { destination-unreachable, parameter-problem } counter name complaints
  }
}
`

const FLUSH_ANSWERS = [
  ...['opened', 'refused', 'answered'].map((set) => `flush set inet answers ${set}`),
  'reset counter inet answers complaints',
].join('; ')

function arrivals(device: string): string {
  return `
table inet arrivals {
  set ports { ${PORT_SET} }
  chain prerouting {
    type filter hook prerouting priority -300;
    iifname "${device}" tcp sport ${FROM_PORT} add @ports { tcp dport }
    iifname "${device}" udp sport ${FROM_PORT} add @ports { udp dport }
  }
}
`
}

async function portsIn(namespace: Namespace, table: string, set: string): Promise<number[]> {
  const { stdout } = await namespace.run(['nft', '-n', 'list', 'set', 'inet', table, set])
  const elements = /elements = \{([^}]*)\}/.exec(stdout)?.[1] ?? ''
  return elements.split(',').map(Number).filter(Boolean)
}
