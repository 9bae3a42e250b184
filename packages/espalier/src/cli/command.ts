/**
 * What a command of the command line is: a table of options and a function. Reading arguments, help, `--json` and
 * errors are handled once for all of them.
 */
import { EspalierError } from '../errors.ts'
import type { Terminal } from './terminal.ts'

export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  /** May be given several times. */
  readonly multiple?: boolean
  /** What stands for the value in the help: `FILE`. */
  readonly value?: string
  readonly doc: string
}

export interface Example {
  /** The command line after `espalier`. */
  readonly line: string
  readonly doc: string
}

/** What a command is called with. */
export interface Invocation {
  readonly positionals: readonly string[]
  /** A string option, if given. */
  text(name: string): string | undefined
  /** All values of an option that may be given several times. */
  texts(name: string): readonly string[]
  flag(name: string): boolean
  readonly terminal: Terminal
}

export interface Command {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** The positional arguments, all of them needed: `MODEL`, `IN`, `OUT`. */
  readonly positionals: readonly string[]
  readonly options: Readonly<Record<string, OptionSpec>>
  readonly examples: readonly Example[]
  /** More help, after the options. */
  readonly notes?: string
  /**
   * Does the work. What it returns is printed as JSON under `--json`; otherwise the command has printed for people by
   * then. An exit code other than 0 is set with `terminal.fail`.
   */
  run(invocation: Invocation): Promise<object>
}

/** Declares a command; the identity, there for its type. */
export function command(definition: Command): Command {
  return definition
}

/** A command line that cannot be understood. */
export function usage(summary: string, hint?: string, expected?: string): EspalierError {
  return new EspalierError('usage', summary, {
    ...(hint !== undefined && { hint }),
    ...(expected !== undefined && { expected }),
  })
}
