/** Small programs: TypeScript bundled to one module, made bytecode, and linked with src/runtime. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { lineTable } from './lines.ts'
import { make, type Toolchain } from './toolchain.ts'

export interface SmallProgram {
  readonly entry: string
  readonly toolchain: Toolchain
  /** Where all is made. */
  readonly folder: string
  /** The folder of another addon than src/native, from the root of the project. */
  readonly addon?: string
  /** For the bundle. */
  readonly options?: BuildOptions
}

/** The options of esbuild for what QuickJS runs; lines stay, since traces name them. */
const BUNDLE = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  external: ['lifeline:system'],
  mainFields: ['module', 'main'],
  conditions: [],
  minifySyntax: true,
  legalComments: 'none',
  sourcemap: 'external',
  sourcesContent: false,
  write: false,
  logLevel: 'warning',
} satisfies BuildOptions

/** Makes a program; its file. */
export async function smallProgram({
  entry,
  toolchain,
  folder,
  addon,
  options,
}: SmallProgram): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const [bundle, lines, bytecode] = ['bundle.mjs', 'bundle.lines', 'bundle.bytecode'].map((name) =>
    join(folder, name),
  )
  if (bundle === undefined || lines === undefined || bytecode === undefined) throw new Error('three names')
  const { outputFiles } = await build({
    ...BUNDLE,
    ...options,
    entryPoints: [entry],
    outfile: bundle,
    write: false,
  })
  const text = (suffix: string) => outputFiles.find(({ path }) => path.endsWith(suffix))?.text ?? ''
  writeFileSync(bundle, text('.mjs'))
  // Sources are named from the root of the project.
  writeFileSync(
    lines,
    lineTable(JSON.parse(text('.map')), (source) => source.replace(/^(\.\.\/)+/, '')),
  )
  make(toolchain, folder, ['compile'])
  // Leaks of a program that runs for a second are none.
  const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' }
  execFileSync(join(folder, 'compile'), [bundle, bytecode], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  const words = [`PROGRAM=${bytecode}`, `LINES=${lines}`]
  make(toolchain, folder, addon === undefined ? words : [...words, `ADDON=../../${addon}`])
  return join(folder, 'lifeline')
}
