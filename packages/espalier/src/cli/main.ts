/** The command line: finds the command, reads its options, runs it, and turns errors into messages and exit codes. */
import { EspalierError } from '../errors.ts'
import { version } from '../version.ts'
import { hasFlag, readArguments } from './arguments.ts'
import { type Command, usage } from './command.ts'
import { commands } from './commands/index.ts'
import { commandHelp, generalHelp } from './help.ts'
import { toJSON } from './json.ts'
import { nearest } from './suggest.ts'
import { createTerminal, type Surroundings, type Terminal } from './terminal.ts'

/** Exit codes other than 0. */
export const exitCodes = {
  failed: 1,
  /** The command line cannot be understood. */
  usage: 2,
  /** Something happened that nobody foresaw. */
  defect: 70,
} as const

/** Runs `espalier` with the given arguments. Gives the exit code; throws nothing. */
export async function main(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const json = hasFlag(argv, '--json')
  const terminal = createTerminal(surroundings, json)
  try {
    await dispatch(argv, terminal)
    return terminal.exitCode
  } catch (error) {
    return report(error, terminal)
  } finally {
    terminal.clear()
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<void> {
  const [name, ...rest] = argv.filter((arg, index) => index > 0 || arg !== '--json')
  if (name === undefined || name === '--help' || name === '-h') return terminal.write(generalHelp(commands))
  if (name === 'help') {
    const topic = rest.find(arg => !arg.startsWith('-'))
    return terminal.write(topic === undefined ? generalHelp(commands) : commandHelp(findCommand(topic)))
  }
  if (name === '--version' || name === '-v') return terminal.write(`${version}\n`)
  const command = findCommand(name)
  if (hasFlag(rest, '--help', '-h')) return terminal.write(commandHelp(command))
  const result = await command.run(readArguments(command, rest, terminal))
  const { warnings } = terminal
  if (terminal.json) terminal.write(jsonText({ ...result, ...(warnings.length > 0 && { warnings }) }))
}

function findCommand(name: string): Command {
  const found = commands.find(command => command.name === name)
  if (found !== undefined) return found
  if (name.startsWith('-'))
    throw usage(`there is no option "${name}" before the command`, 'See espalier --help')
  const near = nearest(
    name,
    commands.map(command => command.name),
  )
  const file = /[./\\]/.test(name)
  const hint = near
    ? `Did you mean "espalier ${near}"?`
    : file
      ? `To look into a file: espalier inspect ${name}`
      : 'See espalier --help'
  throw usage(`there is no command "${name}"`, hint, commands.map(command => command.name).join(', '))
}

/** Says what went wrong, and gives the exit code. */
function report(error: unknown, terminal: Terminal): number {
  if (error instanceof EspalierError) {
    if (terminal.json) terminal.write(jsonText({ error: error.toJSON() }))
    terminal.note(`espalier: error: ${error.message}`)
    return error.code === 'usage' ? exitCodes.usage : exitCodes.failed
  }
  const message = error instanceof Error ? error.message : String(error)
  if (terminal.json) terminal.write(jsonText({ error: { code: 'defect', message } }))
  terminal.note(`espalier: ${defectText(error)}`)
  return exitCodes.defect
}

/** The message for an error that nobody foresaw. */
export function defectText(error: unknown): string {
  return [
    'this is a defect of Espalier, not of your command. Please report it with the lines below,',
    'and if you can with the file: they are what is needed to mend it.',
    '',
    `espalier ${version}, node ${process.versions.node}, ${process.platform} ${process.arch}`,
    error instanceof Error ? (error.stack ?? error.message) : String(error),
  ].join('\n')
}

function jsonText(value: object): string {
  return `${JSON.stringify(toJSON(value), undefined, 2)}\n`
}
