/** The command line: finds the command, reads its options, runs it, and turns errors into messages and exit codes. */
import { parseArgs } from 'node:util'
import { EspalierError } from '../errors.ts'
import { version } from '../version.ts'
import type { Command, Invocation, OptionValues } from './command.ts'
import { commands } from './commands/index.ts'
import { commandHelp, generalHelp } from './help.ts'
import { toJSON } from './json.ts'
import { createTerminal, type Terminal } from './terminal.ts'

/** Exit code of a command line that cannot be understood. */
const USAGE = 2

/** Runs `espalier` with the given arguments; sets `process.exitCode`. */
export async function main(argv: readonly string[]): Promise<void> {
  const [name, ...rest] = argv
  // Someone who pipes into `head` is not an error.
  process.stdout.on('error', error => {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0)
    throw error
  })
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const topic = commands.find(command => command.name === rest[0])
    process.stdout.write(topic ? commandHelp(topic) : generalHelp(commands))
    return
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version}\n`)
    return
  }
  const json = rest.includes('--json')
  const terminal = createTerminal(json)
  try {
    const command = commands.find(candidate => candidate.name === name)
    if (command === undefined) throw unknownCommand(name)
    if (rest.includes('--help') || rest.includes('-h')) {
      process.stdout.write(commandHelp(command))
      return
    }
    const result = await command.run(readInvocation(command, rest, terminal))
    if (json) process.stdout.write(`${JSON.stringify(toJSON(result), undefined, 2)}\n`)
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error
    if (json) process.stdout.write(`${JSON.stringify({ error: error.toJSON() }, undefined, 2)}\n`)
    terminal.note(`error: ${error.message}`)
    process.exitCode = error.code === 'usage' ? USAGE : 1
  }
}

function unknownCommand(name: string): EspalierError {
  const near = commands.find(command => command.name.startsWith(name.slice(0, 3)))
  return new EspalierError('usage', `there is no command "${name}"`, {
    expected: commands.map(command => command.name).join(', '),
    hint: near ? `Did you mean "espalier ${near.name}"?` : 'See espalier --help',
  })
}

function readInvocation(command: Command, args: readonly string[], terminal: Terminal): Invocation {
  const usage = (summary: string): EspalierError =>
    new EspalierError('usage', summary, { hint: `See espalier ${command.name} --help` })
  let values: OptionValues
  let positionals: string[]
  try {
    const options = Object.fromEntries(
      Object.entries(command.options).map(([name, { type, short, multiple }]) => [
        name,
        { type, ...(short && { short }), ...(multiple && { multiple }) },
      ]),
    )
    const parsed = parseArgs({
      args: [...args],
      options: { ...options, json: { type: 'boolean' } },
      allowPositionals: true,
      allowNegative: false,
    })
    values = parsed.values as OptionValues
    positionals = parsed.positionals
  } catch (cause) {
    throw usage((cause as Error).message)
  }
  const [least, most] = command.arity
  if (positionals.length < least || positionals.length > most)
    throw usage(
      `espalier ${command.name} takes ${command.positionals || 'no arguments'}, not "${positionals.join(' ')}"`,
    )
  const text = (name: string): string | undefined => values[name] as string | undefined
  return {
    positionals,
    terminal,
    text,
    texts: name => (values[name] ?? []) as string[],
    flag: name => values[name] === true,
    integer(name, { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = {}) {
      const given = text(name)
      if (given === undefined) return undefined
      const value = Number(given)
      if (given.trim() !== '' && Number.isSafeInteger(value) && value >= min && value <= max) return value
      throw usage(`--${name} is not a whole number in range: "${given}"`)
    },
  }
}
