/** xl2tpd with pppd, as most home-made LNSes are: one for each set of options of pppd, all in one namespace. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Namespace } from '../net/namespace.ts'
import { waitFor } from '../net/wait.ts'
import { PASSWORD } from './cases.ts'

export interface PppdLns {
  readonly address: string
  /** Its own end of the tunnels. */
  readonly inside: string
}

/** Lets everybody in with the right password, and leaves nothing to the scripts of the distribution, which take long. */
export function configurePppd(): void {
  for (const script of ['ip-pre-up', 'ip-up', 'ip-down', 'ipv6-up', 'ipv6-down']) {
    rmSync(join('/etc/ppp', script), { force: true })
  }
  for (const file of ['chap-secrets', 'pap-secrets']) {
    writeFileSync(join('/etc/ppp', file), `* * ${PASSWORD} *\n`, { mode: 0o600 })
  }
}

/** Starts an LNS; `number` is 1 to 99. What it and its pppds say goes to `logFolder`. */
export async function startPppdLns(
  namespace: Namespace,
  device: string,
  number: number,
  options: readonly string[],
  logFolder: string,
): Promise<PppdLns> {
  const address = `192.0.2.${number}`
  const inside = `10.77.${number}.1`
  const folder = join(namespace.folder, `lns-${number}`)
  mkdirSync(folder)
  const file = (name: string) => join(folder, name)
  const log = join(logFolder, `pppd-${number}.log`)
  writeFileSync(log, `# ${options.join(', ')}\n`)
  writeFileSync(
    file('options'),
    [...options, `logfile ${log}`, 'debug', 'ms-dns 198.51.100.53', 'nodefaultroute', ''].join('\n'),
  )
  writeFileSync(
    file('xl2tpd.conf'),
    `[global]
listen-addr = ${address}
[lns default]
ip range = 10.77.${number}.10-10.77.${number}.200
local ip = ${inside}
pppoptfile = ${file('options')}
`,
  )
  await namespace.ip(`addr add ${address}/24 dev ${device}`)
  const words = ['-D', '-c', file('xl2tpd.conf'), '-p', file('pid'), '-C', file('control')]
  const process = namespace.start('xl2tpd', ['xl2tpd', ...words])
  process.onOutput = (text) => writeFileSync(join(logFolder, `xl2tpd-${number}.log`), text, { flag: 'a' })
  await waitFor('xl2tpd to listen', async () => {
    const { stdout } = await namespace.run(['ss', '-Hlun', `src ${address} and sport = 1701`])
    return stdout !== ''
  })
  return { address, inside }
}
