/** `npm run docs`: writes docs/configuration.md from the schema. A test compares the two. */
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { commandWords } from '../src/cli/command-words.ts'
import { CONFIG_FILES } from '../src/cli/config-file.ts'
import type { CliContext } from '../src/cli/context.ts'
import { manualPage } from '../src/cli/manual.ts'
import { buildProgram } from '../src/cli/program.ts'
import { SECTIONS } from '../src/core/config/read.ts'
import type { Option, Options, Section } from '../src/core/config/schema.ts'

const PAGE = 'docs/configuration.md'
const MANUAL = 'docs/lifeline.8'
const EXAMPLES = 'test/fixtures/config'
const FIRST_VERSION = '0.1.0'

/** docs/lifeline.8 */
export function manual(): string {
  // Nothing of it is run.
  const context = { version: '', terminal: { out() {}, err() {} } } as unknown as CliContext
  return manualPage(commandWords(buildProgram(context, () => {})))
}

export function configurationPage(): string {
  return `${[introduction(), ...Object.values(SECTIONS).map(section), ending()].join('\n')}`
}

function introduction(): string {
  return `# Configuration

<!-- Made by \`npm run docs\` from src/core/config; change it there. -->

lifeline reads one file, in UCI or in JSON (the two say the same): the one given with \`-c\`, or else the first that exists of
${CONFIG_FILES.map((file) => `\`${file}\``).join(', ')}. The shortest useful one:

\`\`\`
${example('shortest.uci')}\`\`\`

\`\`\`json
${example('shortest.json')}\`\`\`

\`lifeline check\` validates a file and prints what is in effect, every default filled in and secrets hidden. A running
daemon reads its file again on SIGHUP; only what changed is touched, and a wrong file leaves the running configuration
in place, as does one without any tunnel ([cli.md](cli.md#signals)). Where several of the usual files exist, \`check\` and the
daemon say which one is read.

## Notation

- A name ending in \`.json\` means JSON, one in \`.uci\` means UCI; otherwise a file that begins with \`{\` is JSON.
- In JSON the keys are the words of UCI: \`{"TYPE":{"NAME":{"OPTION":VALUE}}}\`. The types of which there is one section may
  do without its name: \`{"failover":{"path":["fibre","lte"]}}\`. \`null\` and \`""\` are as if left out.
- Names of sections hold \`a-z\`, \`0-9\` and \`_\`, and are unique over all types. In UCI \`lifeline\`, \`failover\`,
  \`firewall\` and \`redirect\` may be anonymous. An uplink or tunnel cannot be called \`auto\`, nor by digits alone.
- A single value is as good as a list of one, in both notations: \`option\` and \`list\`, a text and an array. Several may
  stand in one text, divided by spaces, where no value can hold a space: \`option dns '192.0.2.53 192.0.2.54'\`.
- Of an \`option\` that stands in a section twice the last one counts, with a warning.
- Numbers may be written as texts.
- **boolean**: \`1\`, \`true\`, \`on\`, \`yes\`, \`enabled\`; \`0\`, \`false\`, \`off\`, \`no\`, \`disabled\`; in JSON also true and false.
- **duration**: seconds, or a number with \`ms\`, \`s\`, \`m\` or \`h\`: \`0.5\`, \`500ms\`, \`2m\`.
- **size**: octets, or a number with \`k\`, \`M\` or \`G\`, which are decimal: \`500M\` is 500,000,000.
- **path**: a full one, from \`/\` on.
- **server**: a host name or literal address; another port than 1701 as \`NAME:PORT\` or \`[IPv6]:PORT\`.
- Unknown options have no effect and give a warning. An unknown type of section or a wrong value is an error: the file is
  refused, and every error in it is listed with its line.
- After the first line that is no UCI, or the first character that is no JSON, nothing more is read: further errors show
  once it is mended.
- A second \`config\` line of the same type and name adds to the first, as OpenWrt reads it, with a warning.
- A section with \`enabled 0\` needs only be written correctly: it may be incomplete.
`
}

type AnySection = Pick<Section<Options, never>, 'type' | 'doc' | 'options' | 'onlyName' | 'anonymousName'>

function section({ type, doc, options, onlyName, anonymousName }: AnySection): string {
  const title = anonymousName ? type : `${type} '${onlyName ?? 'NAME'}'`
  const rows = Object.entries<Option<unknown>>(options).map(([name, option]) => row(name, option))
  return `## \`config ${title}\`

${doc}

| Option | Value | Default | Meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

function row(name: string, { kindName, range, list, doc, since, ...option }: Option<unknown>): string {
  const value = `${list ? 'list of: ' : ''}${kindName}${range === undefined ? '' : `, ${range}`}`
  const added = since === FIRST_VERSION ? '' : ` Since ${since}.`
  return `| \`${name}\` | ${value} | ${defaultOf({ kindName, list, ...option })} | ${doc}${added} |`
}

type Defaulted = Pick<Option<unknown>, 'required' | 'defaultText' | 'kindName' | 'list'>

function defaultOf({ required, defaultText, kindName, list }: Defaulted): string {
  if (required) return '**required**'
  if (defaultText === undefined) return 'none'
  const literal = !/ /.test(defaultText) || (list && kindName.includes('`'))
  return literal ? `\`${defaultText}\`` : defaultText
}

function ending(): string {
  return `## Files with secrets

\`password_file\` and \`tunnel_secret_file\` name files that hold one secret each, as UTF-8; one line break at the end does
not count. \`check\` and the daemon warn of files that everyone may read: \`chmod o-rwx\` them, which leaves their group as it is, as
a service that runs without root needs it ([debian.md](debian.md)). Secrets appear in no log, error or status.

All options are there since version ${FIRST_VERSION} unless said otherwise.
`
}

function example(name: string): string {
  return readFileSync(`${EXAMPLES}/${name}`, 'utf8')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(PAGE, configurationPage())
  writeFileSync(MANUAL, manual())
  console.log(`${PAGE} ${MANUAL}`)
}
