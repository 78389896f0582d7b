/** Which exports of a file of TypeScript say nothing of what they are. */

/** Up to the name; code that Biome has formatted, so that a declaration begins its line. */
const DECLARED =
  /^export (?:default )?(?:declare )?(?:async )?(?:abstract )?(function\*?|class|const|let|interface|type|enum) (\w+)/
/** Names that are exported apart from where they are declared; those of another file are described there. */
const APART = /^export (?:type )?\{[^}]*\}(?! from )/gm
/** What ends with one holds at least a word. */
const DOCSTRING = /\/\*\*(?:(?!\*\/)[\s\S])*\w(?:(?!\*\/)[\s\S])*\*\/\n$/

/** One sentence for each export of a file that has no docstring directly above it. Of overloads the first one has it. */
export function undocumented(file: string, text: string): string[] {
  const problems: string[] = []
  let before = ''
  let last: string | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const [, kind, name] = DECLARED.exec(line) ?? []
    const overload = kind === 'function' && name === last
    if (name !== undefined && !overload && !DOCSTRING.test(before))
      problems.push(`${file}:${index + 1}: ${name} has no docstring`)
    last = name ?? last
    before += `${line}\n`
  }
  for (const { index, 0: whole } of text.matchAll(APART)) {
    const line = text.slice(0, index).split('\n').length
    problems.push(`${file}:${line}: ${whole} is to be exported where it is declared`)
  }
  return problems
}
