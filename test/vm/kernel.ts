/**
 * The kernel of the virtual machine: Debian's own, fetched by its name with apt and kept in a cache outside the tree. What
 * it says about PPP and L2TP is what a user's kernel says, whatever the kernel of this machine can do.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { cacheFolder } from '../../.tools/debian-sources.ts'

export interface Kernel {
  /** Such as `6.1.0-40-amd64`. */
  readonly version: string
  readonly image: string
  readonly initramfs: string
  /** A folder with the modules, to lie at /lib/modules/VERSION. */
  readonly modules: string
}

const PREFIX = 'linux-image-'
/** What the initramfs needs to see the host's file system, dependencies aside. */
const EARLY_MODULES = ['virtio_pci', '9pnet_virtio', '9p', 'overlay']
/** Parts of the package that are unpacked; a machine without screen, disks and radio needs no drivers for them. */
const PARTS = [
  './boot/vmlinuz-*',
  './lib/modules/*/modules.*',
  './lib/modules/*/kernel/drivers/net/tun.ko',
  './lib/modules/*/kernel/drivers/net/veth.ko',
  ...[
    'arch',
    'crypto',
    'lib',
    'net',
    'fs/9p',
    'fs/overlayfs',
    'fs/netfs',
    'fs/fscache',
    'drivers/char',
    'drivers/net/ppp',
    'drivers/net/slip',
    'drivers/virtio',
  ].map((folder) => `./lib/modules/*/kernel/${folder}/*`),
]
const INIT = 'test/vm/init.sh'

/** Why no virtual machine can be had here whatever is installed; undefined where one can. */
export function whyNoMachine(): string | undefined {
  if (process.arch !== 'x64')
    return `the virtual machine runs programs of this machine, and its CPU is ${process.arch}, not x64`
  if (!existsSync('/usr/bin/apt-get'))
    return 'the kernel of the virtual machine comes from Debian, and there is no apt-get here'
  return undefined
}

/** Fetches and prepares what is not in the cache yet, and says so before. Throws a sentence where that fails. */
export function prepareKernel(): Kernel {
  const cache = join(cacheFolder(), 'vm')
  mkdirSync(cache, { recursive: true })
  try {
    const name = inCache(cache)
    const folder = join(cache, name)
    const version = name.replace(PREFIX, '')
    const modules = join(folder, 'lib/modules', version)
    const image = join(folder, 'boot', `vmlinuz-${version}`)
    return { version, image, modules, initramfs: initramfs(folder, version) }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`the virtual machine needs Debian's kernel, which could not be prepared: ${why}`, {
      cause,
    })
  }
}

/** Name of the package that lies unpacked in the cache then. */
function inCache(cache: string): string {
  const known = packageName()
  if (known !== undefined && existsSync(join(cache, known))) return known
  // Lists may be absent, or older than the last update of the kernel.
  command('apt-get', ['-q', 'update'])
  const name = packageName()
  if (name === undefined) throw new Error('apt-cache knows no linux-image-amd64: is this Debian?')
  const folder = join(cache, name)
  if (existsSync(folder)) return name
  console.log(`Fetching Debian's ${name} (70 MB) for the virtual machine, kept in ${folder}`)
  unpack(name, cache, folder)
  for (const other of readdirSync(cache)) {
    if (other.startsWith(PREFIX) && other !== name) rmSync(join(cache, other), { recursive: true })
  }
  return name
}

/** The package that Debian's linux-image-amd64 stands for now. */
function packageName(): string | undefined {
  const { stdout } = spawnSync('apt-cache', ['depends', 'linux-image-amd64'], { encoding: 'utf8' })
  return /Depends: (linux-image-\S+)/.exec(stdout)?.[1]
}

/** All or nothing: another run may be looking. */
function unpack(name: string, cache: string, folder: string): void {
  const work = mkdtempSync(join(cache, 'new-'))
  try {
    // As root apt-get would fetch as another user, who may not write here.
    command('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', name], work)
    const file = readdirSync(work).find((found) => found.endsWith('.deb')) ?? ''
    const wildcards = PARTS.map((part) => `'${part}'`).join(' ')
    command('sh', ['-c', `dpkg-deb --fsys-tarfile ${file} | tar -x --wildcards ${wildcards}`], work)
    rmSync(join(work, file))
    command('depmod', ['-b', work, name.replace(PREFIX, '')])
    if (!existsSync(folder)) renameSync(work, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** A first file system with init.sh, busybox and a few modules; made anew when init.sh is another one. */
function initramfs(folder: string, version: string): string {
  const mark = createHash('sha256').update(readFileSync(INIT)).digest('hex').slice(0, 8)
  const file = join(folder, `initramfs-${mark}`)
  if (existsSync(file)) return file
  const work = mkdtempSync(join(folder, 'initramfs-new-'))
  const root = join(work, 'root')
  for (const name of ['bin', 'modules', 'host', 'layer', 'root', 'proc', 'sys', 'dev'])
    mkdirSync(join(root, name), { recursive: true })
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
  copyFileSync(INIT, join(root, 'init'))
  const wanted = EARLY_MODULES.flatMap((module) =>
    command('modprobe', ['-d', folder, '-S', version, '--show-depends', module]).matchAll(/^insmod (\S+)/gm),
  ).flatMap((lines) => [...lines].map(([, path = '']) => path))
  ;[...new Set(wanted)].forEach((path, index) => {
    copyFileSync(path, join(root, 'modules', `${String(index).padStart(2, '0')}-${basename(path)}`))
  })
  command('sh', ['-c', 'chmod 755 root/init && cd root && find . | busybox cpio -o -H newc >../image'], work)
  renameSync(join(work, 'image'), file)
  rmSync(work, { recursive: true })
  return file
}

function command(name: string, args: readonly string[], cwd?: string): string {
  const { status, stdout, stderr, error } = spawnSync(name, args, { encoding: 'utf8', cwd })
  if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}
