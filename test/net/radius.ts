/** FreeRADIUS beside the LNS, in the same namespace. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Namespace } from './namespace.ts'
import type { Process } from './process.ts'

/** A subscriber. Names must be distinct within one network: a second login ends the first session. */
export interface RadiusUser {
  readonly name: string
  readonly password: string
  /** Framed-IP-Address; from the LNS's pool if left out. */
  readonly ipv4?: string
  /** Framed-IPv6-Address: its lower half becomes the interface identifier. */
  readonly ipv6?: string
  /** Delegated-IPv6-Prefix. */
  readonly prefix?: string
  /** Framed-Route: an IPv4 prefix behind `ipv4`. */
  readonly route?: string
}

export const RADIUS_SECRET = 'radsecret'

export class Radius {
  readonly #namespace: Namespace
  readonly #folder: string
  #process: Process | undefined

  constructor(namespace: Namespace, users: readonly RadiusUser[]) {
    this.#namespace = namespace
    this.#folder = join(namespace.folder, 'radius')
    mkdirSync(this.#folder)
    writeFileSync(join(this.#folder, 'dictionary'), '$INCLUDE /usr/share/freeradius/dictionary\n')
    writeFileSync(join(this.#folder, 'radiusd.conf'), configuration(this.#folder))
    writeFileSync(join(this.#folder, 'users'), users.map(entry).join('\n'))
  }

  async start(): Promise<void> {
    this.#process = this.#namespace.start('freeradius', [
      'freeradius',
      '-f',
      '-d',
      this.#folder,
      '-l',
      'stdout',
    ])
    await this.#process.waitForOutput(/Ready to process requests/)
  }

  async stop(): Promise<void> {
    await this.#process?.stop()
    this.#process = undefined
  }

  /** What the server logged since its start. */
  get log(): string {
    return this.#process?.output ?? ''
  }
}

function entry(user: RadiusUser): string {
  const reply = [
    user.ipv4 === undefined ? [] : `Framed-IP-Address = ${user.ipv4}`,
    user.ipv6 === undefined ? [] : `Framed-IPv6-Address = ${user.ipv6}`,
    user.prefix === undefined ? [] : `Delegated-IPv6-Prefix = ${user.prefix}`,
    user.route === undefined ? [] : `Framed-Route = "${user.route} ${user.ipv4} 1"`,
  ].flat()
  return `"${user.name}" Cleartext-Password := "${user.password}"\n${reply.map((line) => `\t${line}`).join(',\n')}\n`
}

function configuration(folder: string): string {
  return `
name = freeradius
prefix = /usr
raddbdir = ${folder}
run_dir = ${folder}
logdir = ${folder}
libdir = /usr/lib/freeradius
pidfile = ${folder}/freeradius.pid
max_request_time = 30
cleanup_delay = 5
max_requests = 1024
hostname_lookups = no
log {
  destination = stdout
  auth = yes
}
security {
  reject_delay = 0
  status_server = no
}
proxy_requests = no
thread pool {
  start_servers = 1
  max_servers = 4
  min_spare_servers = 1
  max_spare_servers = 2
  max_requests_per_server = 0
}
client lns {
  ipaddr = 127.0.0.1
  secret = ${RADIUS_SECRET}
  require_message_authenticator = no
}
modules {
  chap {
  }
  mschap {
  }
  pap {
  }
  files {
    filename = ${folder}/users
  }
}
server default {
  listen {
    type = auth
    ipaddr = 127.0.0.1
    port = 1812
  }
  authorize {
    chap
    mschap
    files
    pap
  }
  authenticate {
    Auth-Type PAP {
      pap
    }
    Auth-Type CHAP {
      chap
    }
    Auth-Type MS-CHAP {
      mschap
    }
  }
}
`
}
