/**
 * The sources of other programs that the small program is built from, as Debian packages them. They are taken with apt from
 * where this machine takes its own packages, checked by apt with the keys of Debian's archive, unpacked with Debian's
 * patches, and kept outside of the tree.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The release whose packages we build from; older ones lack some of them. */
const RELEASE = 'trixie'
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg'
/** Debian's releases under all their names: who serves one of these serves the others. */
const RELEASES =
  /^(bullseye|bookworm|trixie|forky|sid|oldoldstable|oldstable|stable|testing|unstable)(-updates|-security)?$/

export type SourceName = 'quickjs' | 'musl' | 'mbedtls'

interface Source {
  /** The environment variable that names a folder to be taken instead. */
  readonly override: string
  /** A file that proves what a folder holds. */
  readonly proof: string
  /** SHA-256 of the description (.dsc), which holds those of all else, of versions that this was built and tested with. */
  readonly known: readonly string[]
}

export const SOURCES: Readonly<Record<SourceName, Source>> = {
  quickjs: {
    override: 'QUICKJS_DIR',
    proof: 'quickjs.h',
    // 2025.04.26-1
    known: ['9dc1d44c9d68023ba42778f2263b25409e0037aefa32cd72a56420d2ed4fdc06'],
  },
  musl: {
    override: 'MUSL_DIR',
    proof: 'include/stdlib.h',
    // 1.2.5-3.1~deb13u1
    known: ['972970614ed9159b04343b7f85bdf16f565b4a903f05d97e57dc730c7b0b8066'],
  },
  mbedtls: {
    override: 'MBEDTLS_DIR',
    proof: 'include/mbedtls/ssl.h',
    // 3.6.6-0.1~deb13u1
    known: ['eb9ed1adbbddcb0d00276fac6fcee0056c64ce01481c2522a16dca75792eb5eb'],
  },
}

/** Where what was taken and built is kept (XDG Base Directory Specification). */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lifeline')
}

/** The folder of a source: the one that the environment names, or the one kept, or it is taken now, after saying so. */
export function sourceFolder(name: SourceName, say: (line: string) => void): string {
  const { override, proof } = SOURCES[name]
  const given = process.env[override]
  if (given) {
    if (existsSync(join(given, proof))) return given
    throw new Error(`${override} says ${given}, but there is no ${proof} in it`)
  }
  const folder = join(cacheFolder(), 'sources', name)
  if (!existsSync(folder)) {
    say(`Taking the source of ${name} from Debian ${RELEASE} with apt-get; it is kept in ${folder}`)
    take(name, folder)
  }
  const warning = unknownWarning(name, readFileSync(join(folder, 'SHA256'), 'utf8').trim())
  if (warning !== undefined) say(warning)
  return join(folder, 'source')
}

/** What to say of a version that nobody here has tried; undefined of one that is listed. */
export function unknownWarning(name: SourceName, digest: string): string | undefined {
  if (SOURCES[name].known.includes(digest)) return undefined
  return `Debian's ${name} is another version than those that were tried here (SHA-256 ${digest}): mind the tests`
}

/**
 * Repositories for apt (sources.list(5), deb822) that serve `RELEASE`, made from what `apt-get indextargets` says of those
 * of this machine: lines of URI, release, component and origin, separated by spaces. Undefined if none is Debian's.
 */
export function repositories(targets: string): string | undefined {
  const stanzas = targets.split('\n').flatMap((line) => {
    const [uri = '', release = '', component, origin = ''] = line.split(' ')
    const suffix = RELEASES.exec(release)?.[2] ?? ''
    // The origin is not known before the lists were fetched for the first time.
    const debian = RELEASES.test(release) && component === 'main' && ['Debian', '$(ORIGIN)'].includes(origin)
    if (!debian) return []
    return `Types: deb-src\nURIs: ${uri}\nSuites: ${RELEASE}${suffix}\nComponents: main\nSigned-By: ${KEYS}\n`
  })
  return stanzas.length === 0 ? undefined : [...new Set(stanzas)].join('\n')
}

/** With lists and packages of its own, so that the apt of this machine stays as it is. Nobody sees half a folder. */
function take(name: SourceName, folder: string): void {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)'
  const targets = execFileSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
    encoding: 'utf8',
  })
  const found = repositories(targets)
  const otherwise = `put the source of ${name} somewhere and name its folder in ${SOURCES[name].override}`
  if (found === undefined) throw new Error(`apt knows no repository of Debian here: ${otherwise}`)
  mkdirSync(join(folder, '..'), { recursive: true })
  const work = mkdtempSync(`${folder}.`)
  try {
    for (const part of ['parts', 'lists/partial', 'cache/archives/partial', 'source'])
      mkdirSync(join(work, part), { recursive: true })
    writeFileSync(join(work, 'parts/debian.sources'), found)
    const options = [
      'Dir::Etc::sourcelist=/dev/null',
      `Dir::Etc::sourceparts=${work}/parts`,
      `Dir::State::Lists=${work}/lists`,
      `Dir::Cache=${work}/cache`,
      'APT::Sandbox::User=root',
    ].flatMap((option) => ['-o', option])
    const run = (command: string, args: readonly string[]) =>
      execFileSync(command, args, { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] })
    run('apt-get', [...options, '-q', 'update'])
    run('apt-get', [...options, '-q', 'source', '--download-only', name])
    const description = readdirSync(work).find((file) => file.endsWith('.dsc'))
    if (description === undefined) throw new Error(`apt-get brought no source of ${name}: ${otherwise}`)
    const digest = createHash('sha256')
      .update(readFileSync(join(work, description)))
      .digest('hex')
    // Apt has checked the signatures and digests already.
    rmSync(join(work, 'source'), { recursive: true })
    run('dpkg-source', ['--no-check', '-x', description, 'source'])
    for (const file of readdirSync(work)) if (file !== 'source') rmSync(join(work, file), { recursive: true })
    writeFileSync(join(work, 'SHA256'), `${digest}\n`)
    renameSync(work, folder)
  } catch (cause) {
    rmSync(work, { recursive: true, force: true })
    // Another build at the same time was quicker.
    if (!existsSync(folder)) throw new Error(`could not take the source of ${name}: ${otherwise}`, { cause })
  }
}
