/**
 * Makes sure that the Debian packages are there that building, tests and lab need. Says what it installs before it does;
 * none of their services is started or enabled. Does nothing, quickly, where all is there.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

interface Need {
  readonly package: string
  /** A command of it, looked for in the path, or a file. */
  readonly proof: string
  /** The service that comes with it. */
  readonly service?: string
}

const NEEDS: readonly Need[] = [
  { package: 'gcc', proof: 'gcc' },
  { package: 'libc6-dev', proof: '/usr/include/stdio.h' },
  { package: 'make', proof: 'make' },
  { package: 'iproute2', proof: 'ip' },
  { package: 'iputils-ping', proof: 'ping' },
  { package: 'nftables', proof: 'nft', service: 'nftables' },
  { package: 'procps', proof: 'sysctl' },
  { package: 'socat', proof: 'socat' },
  { package: 'tcpdump', proof: 'tcpdump' },
  { package: 'l2tpns', proof: 'l2tpns', service: 'l2tpns' },
  { package: 'freeradius', proof: 'freeradius', service: 'freeradius' },
  { package: 'mosquitto', proof: 'mosquitto', service: 'mosquitto' },
  { package: 'mosquitto-clients', proof: 'mosquitto_sub' },
  { package: 'openssl', proof: 'openssl' },
  { package: 'faketime', proof: 'faketime' },
  { package: 'systemd', proof: 'systemd-analyze' },
  { package: 'zsh', proof: 'zsh' },
  { package: 'fish', proof: 'fish' },
  { package: 'man-db', proof: 'man' },
]

/** What the virtual machine takes; its kernel it fetches by itself. */
const VM_NEEDS: readonly Need[] = [
  { package: 'qemu-system-x86', proof: 'qemu-system-x86_64' },
  // The kernel runs it before there is a file system with libraries.
  { package: 'busybox-static', proof: '/usr/share/doc/busybox-static' },
  { package: 'kmod', proof: 'depmod' },
  { package: 'ppp', proof: 'pppd' },
  { package: 'xl2tpd', proof: 'xl2tpd', service: 'xl2tpd' },
]

/** `vm`, and packages whose command has their name, are needed too where they are named as arguments. */
const needs: readonly Need[] = [
  ...NEEDS,
  ...process.argv.slice(2).flatMap((name) => (name === 'vm' ? VM_NEEDS : { package: name, proof: name })),
]

/** Asked by Debian's maintainer scripts before they start or stop a service; exit code 101 forbids it. */
const POLICY = '/usr/sbin/policy-rc.d'
const POLICY_ASIDE = '/usr/sbin/policy-rc.d.before-lifeline-tests'
const PATH = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']

function main(): number {
  if (process.getuid?.() !== 0) return complain('network namespaces need root: run this as root')
  const missing = needs.filter(({ proof }) => !isThere(proof))
  if (missing.length === 0) return 0
  const names = missing.map((need) => need.package)
  if (!isThere('apt-get'))
    return complain(`these are missing, and there is no apt-get to install them: ${names.join(' ')}`)

  console.log(`Installing Debian packages for the tests: ${names.join(' ')} (their services stay off)`)
  const installed = withoutServices(
    () => aptGet('update') && aptGet('install', '--no-install-recommends', ...names),
  )
  if (!installed) return complain(`apt-get could not install ${names.join(' ')}`)
  for (const { service } of missing) if (service !== undefined) disable(service)
  const stillMissing = needs.filter(({ proof }) => !isThere(proof))
  return stillMissing.length === 0
    ? 0
    : complain(`still missing: ${stillMissing.map(({ proof }) => proof).join(' ')}`)
}

function complain(sentence: string): number {
  console.error(sentence)
  return 1
}

function isThere(proof: string): boolean {
  if (proof.startsWith('/')) return existsSync(proof)
  return PATH.some((folder) => {
    try {
      accessSync(join(folder, proof), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** What apt-get says is seen as it says it: it may take minutes. */
function aptGet(...words: readonly string[]): boolean {
  const options = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0']
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status } = spawnSync('apt-get', [...options, ...words], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return status === 0
}

/** Forbids starting services while `work` runs, as chroots do; a policy that was there comes back after. */
function withoutServices<T>(work: () => T): T {
  const ours = '#!/bin/sh\n# Until the packages for the tests of lifeline are installed.\nexit 101\n'
  // Left by a run that was killed: not worth keeping.
  const old = existsSync(POLICY) && readFileSync(POLICY, 'utf8') !== ours
  if (old) renameSync(POLICY, POLICY_ASIDE)
  writeFileSync(POLICY, ours, { mode: 0o755 })
  // Ctrl-C ends apt-get, but not us before the policy is back.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  try {
    return work()
  } finally {
    if (existsSync(POLICY_ASIDE)) renameSync(POLICY_ASIDE, POLICY)
    else rmSync(POLICY, { force: true })
  }
}

function disable(service: string): void {
  const unit = `${service}.service`
  // It refuses to work outside a maintainer script, which this variable marks.
  const env = { ...process.env, DPKG_MAINTSCRIPT_PACKAGE: service }
  spawnSync('deb-systemd-helper', ['disable', unit], { env, stdio: 'ignore' })
  spawnSync('update-rc.d', [service, 'disable'], { stdio: 'ignore' })
}

process.exit(main())
