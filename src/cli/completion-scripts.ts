import { allCommands, type CommandWords, type OptionWords, type Values } from './command-words.ts'

/** A shell for which there is a script. */
export type Shell = 'bash' | 'zsh' | 'fish'

/** A script with which a shell completes the commands, options and names of lifeline. */
export function completionScript(shell: Shell, program: CommandWords): string {
  const commands = allCommands(program)
  switch (shell) {
    case 'bash':
      return bash(commands)
    case 'zsh':
      return zsh(commands)
    case 'fish':
      return fish(commands)
  }
}

/** In single quotes, for each of the three. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** `up` after nothing, `test` after `mqtt`: how a word leads from one command to the next, as patterns of `case`. */
function steps(commands: readonly CommandWords[]): string[] {
  return commands.flatMap(({ name, children }) =>
    children.map((child) => {
      const [word = ''] = child.name.split(' ').slice(-1)
      return `      ${quoted(`${name}|${word}`)}) command=${quoted(child.name)} ;;`
    }),
  )
}

/** Options with a value, as patterns `COMMAND|OPTION` of `case`, and what completes it. */
function valued(commands: readonly CommandWords[], completes: (values: Values) => string): string[] {
  return commands.flatMap(({ name, options }) =>
    options.flatMap(({ flags, value }) =>
      value === undefined
        ? []
        : [
            `    ${flags.map((flag) => quoted(`${name}|${flag}`)).join(' | ')}) ${completes(value)}; return ;;`,
          ],
    ),
  )
}

/** What may stand in the place of a word that is no option. */
function places({ arguments: parameters, children }: CommandWords): readonly Values[] {
  const words = children.map(({ name }) => name.split(' ').at(-1) ?? '')
  return [
    ...(words.length > 0 ? [{ kind: 'words', words } as const] : []),
    ...parameters.map(({ values }) => values),
  ]
}

function flagsOf({ options }: CommandWords): string {
  return options.flatMap(({ flags }) => flags).join(' ')
}

/** The words that the commands below stand for; in zsh and bash alike. */
function list(values: Values, commands: readonly CommandWords[]): string {
  switch (values.kind) {
    case 'words':
      return values.words.join(' ')
    case 'command':
      return (commands[0]?.children ?? []).map(({ name }) => name).join(' ')
    default:
      return ''
  }
}

function bash(commands: readonly CommandWords[]): string {
  const completes = (values: Values) => {
    switch (values.kind) {
      case 'file':
        return '_lifeline_files "$cur"'
      case 'tunnel':
      case 'path':
        return `_lifeline_words "$("$program" completion ${values.kind}s 2>/dev/null)" "$cur"`
      default:
        return `_lifeline_words ${quoted(list(values, commands))} "$cur"`
    }
  }
  const cases = commands.map((command) =>
    [
      `    ${quoted(command.name)})`,
      `      _lifeline_words ${quoted(flagsOf(command))} "$cur"`,
      ...places(command).map((values) => `      ${completes(values)}`),
      '      ;;',
    ].join('\n'),
  )
  return `# bash completion for lifeline, made by: lifeline completion bash

_lifeline_words() {
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$1" -- "$2")
}

_lifeline_files() {
  local word
  compopt -o filenames 2>/dev/null
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$1")
}

_lifeline() {
  local program=\${COMP_WORDS[0]} cur=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local command='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command|\${COMP_WORDS[i]}" in
${steps(commands).join('\n')}
    esac
  done
  case "$command|$previous" in
${valued(commands, completes).join('\n')}
  esac
  case "$command" in
${cases.join('\n')}
  esac
}

complete -F _lifeline lifeline
`
}

function zsh(commands: readonly CommandWords[]): string {
  const completes = (values: Values) => {
    switch (values.kind) {
      case 'file':
        return '_files'
      case 'tunnel':
      case 'path':
        return `compadd -- \${(f)"$("$program" completion ${values.kind}s 2>/dev/null)"}`
      default:
        return `compadd -- ${list(values, commands)}`
    }
  }
  const described = ({ flags, description }: OptionWords) =>
    flags.map((flag) => quoted(`${flag}:${description.replaceAll(':', '\\:')}`))
  const cases = commands.map((command) => {
    const children = command.children.map(({ name, description }) =>
      quoted(`${name.split(' ').at(-1)}:${description.replaceAll(':', '\\:')}`),
    )
    return [
      `    ${quoted(command.name)})`,
      `      entries=(${command.options.flatMap(described).join(' ')})`,
      `      [[ $PREFIX == -* ]] && _describe option entries -o`,
      ...(children.length > 0
        ? [`      entries=(${children.join(' ')})`, '      _describe command entries']
        : []),
      ...command.arguments.map(({ values }) => `      ${completes(values)}`),
      '      ;;',
    ].join('\n')
  })
  return `#compdef lifeline
# zsh completion for lifeline, made by: lifeline completion zsh

_lifeline() {
  local program=$words[1] command='' i
  local -a entries
  for ((i = 2; i < CURRENT; i++)); do
    case "$command|$words[i]" in
${steps(commands).join('\n')}
    esac
  done
  case "$command|$words[CURRENT-1]" in
${valued(commands, completes).join('\n')}
  esac
  case "$command" in
${cases.join('\n')}
  esac
}

if [[ $funcstack[1] == _lifeline ]]; then _lifeline "$@"; else compdef _lifeline lifeline; fi
`
}

function fish(commands: readonly CommandWords[]): string {
  const values = (given: Values) => {
    switch (given.kind) {
      case 'file':
        return '-F'
      case 'tunnel':
      case 'path':
        return `-f -a '(__lifeline_names ${given.kind}s)'`
      default:
        return `-f -a ${quoted(list(given, commands))}`
    }
  }
  const lines = commands.flatMap(({ name, options, children, arguments: parameters }) => {
    const at = `complete -c lifeline -n ${quoted(`__lifeline_at ${quoted(name).replaceAll("'", '"')}`)}`
    return [
      ...children.map(
        (child) => `${at} -f -a ${child.name.split(' ').at(-1)} -d ${fishText(child.description)}`,
      ),
      ...parameters.map(
        (parameter) => `${at} ${values(parameter.values)} -d ${fishText(parameter.description)}`,
      ),
      ...options.map(({ flags, description, value }) => {
        const forms = flags.map((flag) =>
          flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
        )
        return `${at} ${forms.join(' ')} ${value === undefined ? '' : `-r ${values(value)} `}-d ${fishText(description)}`
      }),
    ]
  })
  return `# fish completion for lifeline, made by: lifeline completion fish

function __lifeline_at
    set -l command ''
    for word in (commandline -opc)[2..-1]
        switch "$command|$word"
${commands
  .flatMap(({ name, children }) =>
    children.map(
      (child) =>
        `            case ${quoted(`${name}|${child.name.split(' ').at(-1)}`)}\n                set command ${quoted(child.name)}`,
    ),
  )
  .join('\n')}
        end
    end
    test "$command" = "$argv[1]"
end

function __lifeline_names
    set -l words (commandline -opc)
    $words[1] completion $argv[1] 2>/dev/null
end

complete -c lifeline -f
${lines.join('\n')}
`
}

function fishText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
