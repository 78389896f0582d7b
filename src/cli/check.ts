/** `lifeline check`: validates a configuration and prints what is in effect. */
import type { Notation } from '../core/config/notation.ts'
import { printEffective } from '../core/config/print.ts'
import { formatProblem } from '../core/config/problems.ts'
import { loadConfig } from '../host/config-files.ts'
import type { Output } from './output.ts'

export interface CheckArguments {
  readonly config: string
  /** How to print; as the file is written if left out. */
  readonly format?: Notation | undefined
}

/** Prints problems to stderr and the effective configuration, secrets hidden, to stdout. Exit code 0, or 2 if it is wrong. */
export async function runCheck(args: CheckArguments, out: Output): Promise<number> {
  const loaded = loadConfig(args.config)
  const problems = loaded.ok ? loaded.value.warnings : loaded.error
  for (const problem of problems) out.stderr(`${formatProblem(problem)}\n`)
  if (!loaded.ok) return 2
  out.stdout(printEffective(loaded.value.effective, args.format ?? loaded.value.notation))
  return 0
}
