/** What a tree of sources imports, and whether that follows a table of rooms. Knows nothing of this project's rooms. */
import { posix } from 'node:path'

/** A folder (its own files, not those of folders below) or a single file that stands for itself. */
export interface Room {
  /** Path from the root of the tree: `core/ip`, or `app/ports.ts`; an empty one stands for files at the root. */
  readonly name: string
  /** Rooms that stand before this one. */
  readonly may: readonly string[]
  /** Packages, by the whole specifier or by what it begins with: `mqtt/`, `node:`. */
  readonly packages?: readonly string[]
  /** Why it stands where one would not look for it. */
  readonly because?: string
}

/** Text of each file (TypeScript, C) by its path from the root of the tree. */
export type Tree = ReadonlyMap<string, string>

/** One file names another, or a package. */
export interface Import {
  readonly file: string
  readonly line: number
  readonly kind: 'value' | 'type' | 'include'
  readonly specifier: string
  /** The file of the tree; undefined for a package. */
  readonly target: string | undefined
}

/** Strings are matched so that none is taken for a comment. */
const STRING_OR_COMMENT =
  /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
const STATEMENT = /^(?:import|export)\s+(?:[^'"`;=()]*?\sfrom\s+)?['"]([^'"\n]+)['"]/gm
const CALL = /\bimport\(\s*['"]([^'"\n]+)['"]/g
const INCLUDE = /^[ \t]*#[ \t]*include[ \t]+"([^"\n]+)"/gm

/** All imports of TypeScript and all quoted includes of C. Imports of types count: they too say who knows whom. */
export function importsOf(tree: Tree): Import[] {
  return [...tree].flatMap(([file, text]) => {
    const code = withoutComments(text)
    const patterns = /\.[ch]$/.test(file) ? [INCLUDE] : [STATEMENT, CALL]
    const found = patterns.flatMap((pattern) => [...code.matchAll(pattern)])
    return found.map((match): Import => {
      const [whole, specifier = ''] = match
      // A statement of several lines is told by the line that names the module.
      const line = code.slice(0, match.index + whole.length).split('\n').length
      return { file, line, kind: kindOf(file, whole), specifier, target: targetOf(file, specifier, tree) }
    })
  })
}

/** The same lines, with nothing where comments were. */
function withoutComments(text: string): string {
  return text.replace(STRING_OR_COMMENT, (found) =>
    found.startsWith('/') ? found.replace(/[^\n]/g, '') : found,
  )
}

function kindOf(file: string, statement: string): Import['kind'] {
  if (!file.endsWith('.ts')) return 'include'
  return /^(?:import|export)\s+type\b/.test(statement) ? 'type' : 'value'
}

function targetOf(file: string, specifier: string, tree: Tree): string | undefined {
  if (isPackage(file, specifier)) return undefined
  const path = posix.normalize(posix.join(posix.dirname(file), specifier))
  return [path, `${path}.ts`, `${path}.d.ts`, `${path}/index.ts`].find((name) => tree.has(name))
}

/** In C what is quoted stands beside the file, whatever it begins with. */
function isPackage(file: string, specifier: string): boolean {
  return file.endsWith('.ts') && !specifier.startsWith('.')
}

/** One line for each thing that is wrong with the tree or the table, and what to do about it; `root` goes before paths. */
export function orderProblems(tree: Tree, rooms: readonly Room[], root: string): string[] {
  const imports = importsOf(tree)
  return [
    ...tableProblems(tree, rooms, root),
    ...rooms.flatMap((room) => unused(room, imports, rooms)),
    ...imports.flatMap((one) => forbidden(one, rooms, root) ?? []),
    ...circles(imports, unitOf).map((circle) => circleProblem('files', circle, root)),
    ...circles(imports, (file) => roomOf(file, rooms)?.name).map((circle) =>
      circleProblem('folders', circle, root),
    ),
  ]
}

/** A table in order can have no circle in it. */
function tableProblems(tree: Tree, rooms: readonly Room[], root: string): string[] {
  const places = new Map(rooms.map(({ name }, place) => [name, place] as const).reverse())
  const misplaced = rooms.flatMap(({ name, may }, place) =>
    may
      .filter((other) => !((places.get(other) ?? place) < place))
      .map(
        (other) =>
          `table: ${name} may import ${other}, which does not stand before it: only what does is below it`,
      ),
  )
  const twice = rooms.filter(({ name }, place) => places.get(name) !== place)
  const files = [...tree.keys()]
  const empty = rooms.filter((room) => !files.some((file) => roomOf(file, rooms)?.name === room.name))
  const homeless = files.filter((file) => roomOf(file, rooms) === undefined)
  return [
    ...misplaced,
    ...twice.map(({ name }) => `table: ${name} stands there twice: take one out`),
    ...empty.map(({ name }) => `table: no file is in ${name}: take it out`),
    ...homeless.map((file) => `${root}/${file}:1: is in no room of the table: give its folder a line there`),
  ]
}

function roomOf(file: string, rooms: readonly Room[]): Room | undefined {
  const folder = posix.dirname(file)
  return (
    rooms.find(({ name }) => name === file) ??
    rooms.find(({ name }) => name === (folder === '.' ? '' : folder))
  )
}

function forbidden(one: Import, rooms: readonly Room[], root: string): string | undefined {
  const { file, line, specifier, target } = one
  const room = roomOf(file, rooms)
  if (room === undefined) return undefined
  const where = `${root}/${file}:${line}:`
  if (target === undefined) {
    if (!isPackage(file, specifier))
      return `${where} ${VERBS[one.kind]} ${specifier}, which is no file of ${root}`
    const packages = room.packages ?? []
    if (packages.some((name) => isNamed(specifier, name))) return undefined
    return `${where} imports the package ${specifier}, but ${room.name} may import ${list(packages, 'no package')}: have what it does handed in`
  }
  if (target === file) return `${where} ${VERBS[one.kind]} itself: take that out`
  const other = roomOf(target, rooms)
  if (other === undefined || other === room || room.may.includes(other.name)) return undefined
  return `${where} ${VERBS[one.kind]} ${root}/${target}, but ${room.name} may import ${list(room.may, 'no other room')}: move what is needed into a room below both, or have it handed in`
}

function isNamed(specifier: string, name: string): boolean {
  return /[:/]$/.test(name) ? specifier.startsWith(name) : specifier === name
}

/** What a room may import and does not: the table says what is, so that an import that comes back is noticed. */
function unused(room: Room, imports: readonly Import[], rooms: readonly Room[]): string[] {
  const own = imports.filter(({ file }) => roomOf(file, rooms) === room)
  const known = new Set(own.map(({ target }) => target && roomOf(target, rooms)?.name))
  const idle = [
    ...room.may.filter((name) => !known.has(name)),
    ...(room.packages ?? []).filter((name) => !own.some(({ specifier }) => isNamed(specifier, name))),
  ]
  return idle.map((name) => `table: ${room.name} may import ${name}, and nothing in it does: take it out`)
}

const VERBS: Readonly<Record<Import['kind'], string>> = {
  value: 'imports',
  type: 'imports types of',
  include: 'includes',
}

function list(names: readonly string[], none: string): string {
  return names.length === 0 ? none : `only ${names.join(', ')}`
}

/** A file of TypeScript; in C a header and its implementation are one. */
function unitOf(file: string): string {
  return file.replace(/\.[ch]$/, '')
}

type Grouping = (file: string) => string | undefined

interface Step extends Import {
  readonly target: string
}

/** Imports that lead from one group into another. */
function stepsOf(imports: readonly Import[], groupOf: Grouping): Map<string, Step[]> {
  const steps = new Map<string, Step[]>()
  for (const one of imports) {
    const from = groupOf(one.file)
    const to = one.target === undefined ? undefined : groupOf(one.target)
    if (from === undefined || to === undefined || one.target === undefined || from === to) continue
    const known = steps.get(from) ?? []
    steps.set(from, [...known, { ...one, target: one.target }])
  }
  return steps
}

/** The shortest way from one group to another, if there is one. */
function way(
  from: string,
  to: string,
  steps: ReadonlyMap<string, readonly Step[]>,
  groupOf: Grouping,
): Step[] | undefined {
  const seen = new Set([from])
  const queue: { readonly at: string; readonly path: Step[] }[] = [{ at: from, path: [] }]
  for (const { at, path } of queue) {
    for (const step of steps.get(at) ?? []) {
      const next = groupOf(step.target)
      if (next === to) return [...path, step]
      if (next === undefined || seen.has(next)) continue
      seen.add(next)
      queue.push({ at: next, path: [...path, step] })
    }
  }
  return undefined
}

/** One circle, the shortest, for each set of groups that all reach each other: one wrong step makes many more. */
function circles(imports: readonly Import[], groupOf: Grouping): Step[][] {
  const steps = stepsOf(imports, groupOf)
  const back = new Map([...steps.keys()].map((group) => [group, way(group, group, steps, groupOf)] as const))
  const told = new Set<string>()
  return [...steps.keys()].flatMap((group) => {
    if (told.has(group) || back.get(group) === undefined) return []
    const all = [...steps.keys()].filter(
      (other) =>
        other === group ||
        (way(group, other, steps, groupOf) !== undefined && way(other, group, steps, groupOf) !== undefined),
    )
    for (const other of all) told.add(other)
    const found = all.flatMap((other) => [back.get(other) ?? []])
    return [found.reduce((least, circle) => (circle.length < least.length ? circle : least))]
  })
}

/** Begins with the place of its first step, as editors follow it. */
function circleProblem(of: 'files' | 'folders', circle: readonly Step[], root: string): string {
  const [first] = circle
  const steps = circle.map(
    ({ file, line, kind, target }) => `${root}/${file}:${line} ${VERBS[kind]} ${root}/${target}`,
  )
  return `${root}/${first?.file}:${first?.line}: circle of ${of}: ${steps.join(', ')}: move what they share into one below all of them`
}
