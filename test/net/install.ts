/**
 * Makes sure that the Debian packages are there that building, tests and lab need. Says what it installs before it does;
 * none of their services is started or enabled. Does nothing, quickly, where all is there.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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
]

/** Asked by Debian's maintainer scripts before they start or stop a service; exit code 101 forbids it. */
const POLICY = '/usr/sbin/policy-rc.d'
const POLICY_ASIDE = '/usr/sbin/policy-rc.d.before-lifeline-tests'
const PATH = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']

function main(): number {
  if (process.getuid?.() !== 0) return complain('network namespaces need root: run this as root')
  const missing = NEEDS.filter(({ proof }) => !isThere(proof))
  if (missing.length === 0) return 0
  const names = missing.map((need) => need.package)
  if (!isThere('apt-get'))
    return complain(`these are missing, and there is no apt-get to install them: ${names.join(' ')}`)

  console.log(`Installing Debian packages for the tests: ${names.join(' ')} (their services stay off)`)
  const installed = withoutServices(() => aptGet('install', '--no-install-recommends', ...names))
  if (!installed) return complain(`apt-get could not install ${names.join(' ')}`)
  for (const { service } of missing) if (service !== undefined) disable(service)
  const stillMissing = NEEDS.filter(({ proof }) => !isThere(proof))
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

/** Package lists may be old or absent: they are fetched where the first try fails. */
function aptGet(...words: readonly string[]): boolean {
  const command = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0']
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const succeeds = (...args: readonly string[]) =>
    spawnSync('apt-get', [...command, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
  return succeeds('update') && succeeds(...words)
}

/** Forbids starting services while `work` runs, as chroots do; a policy that was there comes back after. */
function withoutServices<T>(work: () => T): T {
  if (existsSync(POLICY) && !existsSync(POLICY_ASIDE)) renameSync(POLICY, POLICY_ASIDE)
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  const restore = () => {
    if (existsSync(POLICY_ASIDE)) renameSync(POLICY_ASIDE, POLICY)
    else rmSync(POLICY, { force: true })
  }
  try {
    return work()
  } finally {
    restore()
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
