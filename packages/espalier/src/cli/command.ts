/**
 * What a command of the command line is: a table of options and a function. Parsing, help, `--json` and errors are
 * handled once, in main.ts, for all of them.
 */
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

/** Options as given; lists for options that may be given several times. */
export type OptionValues = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

export interface Invocation {
  readonly positionals: readonly string[]
  /** A string option, if given. */
  text(name: string): string | undefined
  /** All values of an option that may be given several times. */
  texts(name: string): readonly string[]
  flag(name: string): boolean
  /** A whole number in a range, if given; throws `usage` otherwise. */
  integer(name: string, range?: { readonly min?: number; readonly max?: number }): number | undefined
  readonly terminal: Terminal
}

export interface Command {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** The positional arguments: `MODEL`, `IN OUT`. */
  readonly positionals: string
  /** Fewest and most positional arguments. */
  readonly arity: readonly [number, number]
  readonly options: Readonly<Record<string, OptionSpec>>
  readonly examples: readonly Example[]
  /** More help, after the options. */
  readonly notes?: string
  /**
   * Does the work. What it returns is printed as JSON under `--json`; otherwise the command has printed for people by
   * then. An exit code other than 0 is set with `terminal.fail`.
   */
  run(invocation: Invocation): Promise<unknown>
}

/** Declares a command; the identity, there for its type. */
export function command(definition: Command): Command {
  return definition
}
