/** Compilers for the small program, with musl, and the engine made with them. Both are built once and kept outside of the tree. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, sourceFolder } from './debian-sources.ts'

/** Whom the program is built for, by the names of Debian. */
export const TARGETS = {
  x86_64: { triple: 'x86_64-linux-gnu', flags: ['-fcf-protection'] },
  aarch64: { triple: 'aarch64-linux-gnu', flags: ['-mbranch-protection=standard'] },
  armhf: { triple: 'arm-linux-gnueabihf', flags: [] },
  mipsel: { triple: 'mipsel-linux-gnu', flags: [] },
  mips: { triple: 'mips-linux-gnu', flags: [] },
} as const

export type Target = keyof typeof TARGETS

/** What make in src/runtime is told. */
export interface Toolchain {
  readonly cc: string
  readonly ar: string
  readonly cflags: readonly string[]
  readonly ldflags: readonly string[]
  /** The static library of QuickJS. */
  readonly engine: string
  readonly quickjs: string
}

const HARDENING = ['-fstack-protector-strong', '-fstack-clash-protection', '-ftrivial-auto-var-init=zero']
const LINKED = [
  '-static-pie',
  '-Wl,-z,relro',
  '-Wl,-z,now',
  '-Wl,-z,noexecstack',
  '-Wl,--build-id=none',
  '-s',
]

/** The CPU of this machine, if the program is built for it. */
export function hostTarget(): Target | undefined {
  const machine = execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim()
  return machine in TARGETS ? (machine as Target) : undefined
}

/** For one static, position-independent file without debug information. */
export function releaseToolchain(target: Target, say: (line: string) => void): Toolchain {
  const { triple, flags } = TARGETS[target]
  const prefix = target === hostTarget() ? '' : `${triple}-`
  const cc = `${prefix}gcc`
  const hardening = [...HARDENING, ...flags]
  const musl = builtMusl(cc, triple, hardening, say)
  const cflags = ['-Os', '-fPIE', '-fno-asynchronous-unwind-tables', ...hardening]
  const system = [`-specs=${musl}/lib/musl-gcc.specs`, '-idirafter', `${musl}/kernel`]
  return withEngine({ cc, ar: `${prefix}ar`, cflags: [...system, ...cflags], ldflags: LINKED }, '', say)
}

/** For this machine, with glibc and the sanitizers of gcc; the engine has its own ideas of arithmetic and of calls. */
export function sanitizedToolchain(say: (line: string) => void): Toolchain {
  const cflags = [
    '-O1',
    '-g',
    '-fno-omit-frame-pointer',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=all',
  ]
  return withEngine({ cc: 'gcc', ar: 'ar', cflags, ldflags: [] }, '-fno-sanitize=undefined', say)
}

/** Runs make in src/runtime. */
export function make(toolchain: Toolchain, build: string, words: readonly string[]): void {
  const { cc, ar, cflags, ldflags, engine, quickjs } = toolchain
  run('make', [
    '-s',
    '-j2',
    '-C',
    'src/runtime',
    `CC=${cc}`,
    `AR=${ar}`,
    `CFLAGS=${cflags.join(' ')}`,
    `LDFLAGS=${ldflags.join(' ')}`,
    `QUICKJS_DIR=${quickjs}`,
    `BUILD=${build}`,
    ...(engine === '' ? [] : [`ENGINE=${engine}`]),
    ...words,
  ])
}

function withEngine(
  toolchain: Omit<Toolchain, 'engine' | 'quickjs'>,
  extra: string,
  say: (line: string) => void,
): Toolchain {
  const quickjs = sourceFolder('quickjs', say)
  const parts = [toolchain.cc, versionOf(toolchain.cc), ...toolchain.cflags, extra, digestOf(quickjs)]
  const folder = kept('engine', [...parts, ...engineLines()], (work) => {
    say('Building QuickJS; it is kept for the next time')
    make({ ...toolchain, quickjs, engine: '' }, work, [`ENGINE_EXTRA=${extra}`, 'engine'])
  })
  return { ...toolchain, quickjs, engine: `${folder}/engine/libquickjs.a` }
}

/** How the engine is compiled. */
function engineLines(): string[] {
  return readFileSync('src/runtime/Makefile', 'utf8').match(/^(COMMON|ENGINE_).*$/gm) ?? []
}

/** musl with its wrapper for this compiler, and the kernel's headers beside it. */
function builtMusl(
  cc: string,
  triple: string,
  flags: readonly string[],
  say: (line: string) => void,
): string {
  const source = sourceFolder('musl', say)
  return kept('musl', [cc, versionOf(cc), ...flags, digestOf(source)], (work, place) => {
    say(`Building musl for ${triple}; it is kept for the next time`)
    const build = join(work, 'build')
    mkdirSync(build)
    const configure = [
      // Its specs name this folder.
      `--prefix=${place}`,
      `--target=${triple.replace('-gnu', '-musl')}`,
      '--disable-shared',
      '--enable-wrapper=gcc',
      `CC=${cc}`,
      `CFLAGS=-Os -fPIE -w ${flags.join(' ')}`,
      `CROSS_COMPILE=${cc.replace(/gcc$/, '')}`,
    ]
    run(join(source, 'configure'), configure, build)
    const archivers = ['ar', 'ranlib'].map((name) => `${name.toUpperCase()}=${cc.replace(/gcc$/, name)}`)
    run('make', ['-s', '-j2', ...archivers], build)
    run('make', ['-s', ...archivers, `DESTDIR=${work}/root`, 'install'], build)
    renameSync(join(work, 'root', place, 'lib'), join(work, 'lib'))
    renameSync(join(work, 'root', place, 'include'), join(work, 'include'))
    for (const folder of ['build', 'root']) rmSync(join(work, folder), { recursive: true })
    mkdirSync(join(work, 'kernel'))
    for (const name of ['linux', 'asm', 'asm-generic'])
      symlinkSync(headers(name, triple), join(work, 'kernel', name))
  })
}

/** Where Debian puts the kernel's headers: those for cross compilers lie in a folder of their own. */
function headers(name: string, triple: string): string {
  const places = [`/usr/${triple}/include/${name}`, `/usr/include/${triple}/${name}`, `/usr/include/${name}`]
  const found = places.find((place) => existsSync(place))
  if (found === undefined)
    throw new Error(`the kernel's headers are missing: none of ${places.join(', ')} is there`)
  return found
}

/** A folder made once of these parts. Nobody sees half of it, and several may make it at once. */
function kept(kind: string, parts: readonly string[], fill: (work: string, place: string) => void): string {
  const digest = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16)
  const folder = join(cacheFolder(), kind, digest)
  if (existsSync(folder)) return folder
  mkdirSync(join(folder, '..'), { recursive: true })
  const work = mkdtempSync(`${folder}.`)
  try {
    fill(work, folder)
    writeFileSync(join(work, 'PARTS'), `${parts.join('\n')}\n`)
    renameSync(work, folder)
  } catch (cause) {
    rmSync(work, { recursive: true, force: true })
    if (!existsSync(folder)) throw cause
  }
  return folder
}

/** What tells sources apart: their version, as Debian's changelog or QuickJS itself gives it. */
function digestOf(source: string): string {
  const beside = join(source, '..', 'SHA256')
  if (existsSync(beside)) return readFileSync(beside, 'utf8').trim()
  return `${source} ${['VERSION', 'quickjs.c'].map((name) => digestOfFile(join(source, name))).join(' ')}`
}

function digestOfFile(file: string): string {
  return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : '-'
}

function versionOf(cc: string): string {
  try {
    return execFileSync(cc, ['-dumpfullversion', '-dumpmachine'], { encoding: 'utf8' }).trim()
  } catch (cause) {
    throw new Error(`there is no ${cc}: install Debian's package of that name`, { cause })
  }
}

function run(command: string, args: readonly string[], cwd?: string): void {
  execFileSync(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    ...(cwd === undefined ? {} : { cwd }),
  })
}
