import type { PlanReport, Refusal } from '../app/answers.ts'
import type { Finding } from '../app/doctor/finding.ts'
import type { Problem } from '../core/config/problems.ts'
import type { LoadedConfig } from '../core/config/read.ts'
import type { Result } from '../core/result.ts'
import type { RealPath } from './config-file.ts'
import type { Connect } from './daemon.ts'
import type { Terminal } from './terminal.ts'

/** What the commands are given by main.ts. */
export interface CliContext {
  readonly version: string
  readonly terminal: Terminal
  readonly connect: Connect
  /** Runs the daemon until it is told to stop; the exit code. */
  startDaemon(options: DaemonOptions): Promise<number>
  /** What a daemon started now with this configuration would change, while none runs. */
  planAtStart(configFile: string): Promise<Result<PlanReport, Refusal>>
  /** Looks at everything that a configuration needs; the result is whether nothing is a problem. */
  examine(configFile: string, tell: (finding: Finding) => void): Promise<Result<boolean, Refusal>>
  /** Does with the brokers of a configuration, or the one of that name, what the daemon would do; whether all is well. */
  tryBrokers(
    configFile: string,
    name: string | undefined,
    tell: (finding: Finding) => void,
  ): Promise<Result<boolean, Refusal>>
  readonly realPath: RealPath
  /** What a regular file holds; undefined where it cannot be read. */
  readFile(file: string): Uint8Array | undefined
  /** Reads and validates a configuration, and the files of secrets that it names. */
  readonly loadConfig: LoadConfig
  /** The wall clock. */
  now(): Date
  /** Calls `run` each `span` ms, until the result is called. */
  every(span: number, run: () => void): () => void
}

/** A configuration that is right, or what is wrong with it. */
export type LoadConfig = (file: string) => Result<LoadedConfig, readonly Problem[]>

/** What `lifeline run` was given. */
export interface DaemonOptions {
  readonly configFile: string
  /** What has to be said now of the choice of that file, one sentence each. */
  notices(): readonly string[]
  readonly socket: string
}

/** Takes the exit code of the command that ran. */
export type Finish = (exitCode: number) => void
