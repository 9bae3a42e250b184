/** Help texts, made from the command tables. */
import { version } from '../version.ts'
import { commonOptions } from './arguments.ts'
import type { Command } from './command.ts'
import { table, wrap } from './text.ts'

/** Longest line of a help text. */
const WIDTH = 100

/** What `espalier --help` prints. */
export function generalHelp(commands: readonly Command[]): string {
  return [
    `espalier ${version}: neural networks, smaller and faster, and the proof`,
    '',
    'Usage: espalier COMMAND [ARGUMENTS] [OPTIONS]',
    '',
    ...indented(commands.map(({ name, summary }) => [name, summary])),
    '',
    'espalier COMMAND --help shows options and examples. Every command takes --json.',
    'Exit codes: 0 done, 1 failed, 2 the command line was not understood, 70 a defect of Espalier.',
    '',
  ].join('\n')
}

/** What `espalier COMMAND --help` prints. */
export function commandHelp({ name, summary, positionals, options, examples, notes }: Command): string {
  const rows = Object.entries({ ...options, ...commonOptions }).map(([option, { short, value, doc }]) => [
    `${short ? `-${short}, ` : '    '}--${option}${value ? ` ${value}` : ''}`,
    doc,
  ])
  return [
    ...wrap(summary, WIDTH),
    '',
    `Usage: espalier ${[name, ...positionals, '[OPTIONS]'].join(' ')}`,
    '',
    'Options:',
    ...indented(rows),
    ...(notes ? ['', ...wrap(notes, WIDTH)] : []),
    '',
    'Examples:',
    ...examples.flatMap(({ line, doc }) => [`  espalier ${line}`, `      ${doc}`]),
    '',
  ].join('\n')
}

/** Rows of two columns, the second of which goes on in further lines. */
function indented(rows: readonly (readonly string[])[]): string[] {
  const column = Math.max(...rows.map(([left]) => left!.length)) + 2
  const broken = rows.flatMap(([left, right]) =>
    wrap(right!, WIDTH - column - 2).map((line, index) => [index === 0 ? left! : '', line]),
  )
  return table([{}, {}], broken).map(line => `  ${line}`)
}
