/** A host of the internet behind the LNS, with servers that show who reaches them. */
import type { Namespace } from './namespace.ts'
import { type PingResult, ping } from './ping.ts'

/** TCP port that answers with what it is sent. */
export const ECHO_PORT = 7
/** TCP port that answers with the caller's address and closes. */
export const WHOAMI_PORT = 8

export class Internet {
  readonly namespace: Namespace

  constructor(namespace: Namespace) {
    this.namespace = namespace
  }

  async start(): Promise<void> {
    const servers = ['TCP4', 'TCP6'].flatMap((family) => {
      const listen = (port: number) =>
        `${family}-LISTEN:${port},fork,reuseaddr${family === 'TCP6' ? ',ipv6only=1' : ''}`
      return [
        this.namespace.start('echo', ['socat', '-d', '-d', listen(ECHO_PORT), 'PIPE']),
        this.namespace.start('whoami', [
          'socat',
          '-d',
          '-d',
          listen(WHOAMI_PORT),
          'SYSTEM:echo $SOCAT_PEERADDR',
        ]),
      ]
    })
    await Promise.all(servers.map((server) => server.waitForOutput(/listening on/)))
  }

  /** Pings an address of the other side from here. */
  ping(to: string, options?: { count?: number; size?: number }): Promise<PingResult> {
    return ping(this.namespace, to, options)
  }
}
