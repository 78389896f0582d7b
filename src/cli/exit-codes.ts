import type { Refusal } from '../app/answers.ts'

/** What `lifeline` exits with; documented in docs/cli.md. */
export const EXIT = {
  ok: 0,
  /** What was asked for failed, or the daemon refused it. */
  failed: 1,
  /** Wrong usage, or a wrong configuration. */
  usage: 2,
  /** No daemon answers on the control socket. */
  notRunning: 3,
  // What `status --exit-code` adds; Node.js's own codes end below 20.
  /** Another path than the preferred one carries traffic. */
  onBackup: 20,
  /** None does. */
  down: 21,
} as const

/** One of these. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A failure that users are told of in words; `details` are lines below the message. */
export class CliError extends Error {
  readonly exitCode: ExitCode
  readonly details: readonly string[]

  constructor(exitCode: ExitCode, message: string, details: readonly string[] = []) {
    super(message)
    this.name = 'CliError'
    this.exitCode = exitCode
    this.details = details
  }
}

/** What was refused without a daemon. */
export function refusalError({ code, message, problems }: Refusal): CliError {
  return new CliError(code === 'config_invalid' ? EXIT.usage : EXIT.failed, message, problems)
}
