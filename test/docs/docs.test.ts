/** What the documentation says of the repository is so, where that is cheap to know. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((name) => name !== '' && existsSync(name))
const pages = tracked.filter((name) => name.endsWith('.md') && !name.includes('/fixtures/'))
const text = (name: string): string => readFileSync(name, 'utf8')

/** Markdown without what stands in fences and backticks. */
function prose(markdown: string): string {
  return markdown.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, '')
}

/** The anchors of a page, as GitHub makes them from its headings. */
function anchors(markdown: string): Set<string> {
  const headings = [...markdown.replace(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm)]
  const slugs = headings.map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replace(/ /g, '-'),
  )
  return new Set(slugs)
}

test('the npm scripts that pages name exist', () => {
  const { scripts } = JSON.parse(text('package.json'))
  const named = pages.flatMap((page) =>
    [...text(page).matchAll(/npm (?:run (?:--silent )?([a-z:]+)|(test)\b)/g)].map(
      ([, run, only]): [string, string] => [page, run ?? only ?? ''],
    ),
  )
  const readme = named.filter(([page]) => page === 'README.md').map(([, name]) => name)
  assert.ok(readme.includes('lab') && readme.includes('test'), 'the README shows the lab and the tests')
  for (const [page, name] of named) assert.ok(Object.hasOwn(scripts, name), `${page}: npm run ${name}`)
})

test('links between pages lead somewhere', () => {
  let checked = 0
  for (const page of pages) {
    for (const [, target = ''] of prose(text(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : normalize(join(dirname(page), path))
      assert.ok(existsSync(file), `${page} links to ${target}`)
      if (anchor !== undefined) assert.ok(anchors(text(file)).has(anchor), `${page} links to ${target}`)
      checked++
    }
  }
  assert.ok(checked > 20, `only ${checked} links were found`)
})

test('every page of docs is reached from its index', () => {
  const index = (folder: string) => text(`${folder}/README.md`)
  for (const page of readdirSync('docs').filter((name) => name.endsWith('.md') && name !== 'README.md'))
    assert.ok(index('docs').includes(`](${page})`), `docs/README.md does not link to ${page}`)
  for (const page of readdirSync('docs/adr').filter((name) => /^\d{4}-.*\.md$/.test(name)))
    assert.ok(index('docs/adr').includes(`](${page})`), `docs/adr/README.md does not link to ${page}`)
})

test('decisions are numbered without a gap, and have their four parts', () => {
  const decisions = readdirSync('docs/adr').filter((name) => /^\d{4}-/.test(name))
  for (const [position, name] of decisions.sort().entries()) {
    const number = String(position + 1).padStart(4, '0')
    const decision = text(`docs/adr/${name}`)
    assert.ok(name.startsWith(`${number}-`), `${name} should be number ${number}`)
    assert.ok(decision.startsWith(`# ${number} `), `${name}: its heading`)
    for (const part of ['Context', 'Decision', 'Consequences', 'Alternatives considered'])
      assert.ok(decision.includes(`\n## ${part}\n`), `${name}: ${part}`)
  }
})

/** The rows of the table below a heading `### src/...` of docs/architecture.md: the file names in the first cell. */
function filesInTable(folder: string): string[] {
  const [, section = ''] = text('docs/architecture.md').split(`\n### ${folder}\n`)
  const [table = ''] = section.split('\n#')
  return [...table.matchAll(/^\| (`[^|]*`) +\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
}

for (const folder of [
  'src/core/l2tp',
  'src/core/ppp',
  'src/core/ip',
  'src/core/client',
  'src/native',
  'src/runtime',
]) {
  test(`the table of RFCs names every file of ${folder}, and no other`, () => {
    const files = readdirSync(folder).filter((name) => /\.(ts|c|h|S)$/.test(name) && !name.endsWith('.d.ts'))
    assert.ok(files.length > 0)
    assert.deepEqual(filesInTable(folder).sort(), files.sort())
  })
}

test('source files that pages name exist', () => {
  for (const page of pages) {
    for (const [, path = ''] of text(page).matchAll(/\b((?:src|test)\/[\w./-]+\.(?:ts|c|h))\b/g))
      assert.ok(existsSync(path), `${page} names ${path}`)
    for (const [, path = ''] of text(page).matchAll(/(?<![\w/.-])((?:core|host|app|cli)\/[\w/-]+\.ts)\b/g))
      assert.ok(existsSync(`src/${path}`), `${page} names ${path}`)
  }
})

test('nothing names the registry that packages were fetched from', () => {
  const { packages } = JSON.parse(text('package-lock.json'))
  assert.ok(Object.keys(packages).length > 10)
  const elsewhere = Object.entries<{ resolved?: string }>(packages).filter(([, { resolved }]) => resolved)
  assert.deepEqual(elsewhere, [])
  const host = /\bregistry\.[a-z0-9-]+\.[a-z]{2,}|^\s*(?:@\S+:)?registry\s*=/m
  const readable = tracked.filter((name) => !name.includes('/fixtures/') && !name.endsWith('.pcap'))
  for (const name of readable) assert.doesNotMatch(text(name), host, name)
})
