/** Help texts, made from the command tables. */
import { version } from '../version.ts'
import type { Command, OptionSpec } from './command.ts'
import { table } from './text.ts'

const json: OptionSpec = { type: 'boolean', doc: 'Print the result as JSON' }
const help: OptionSpec = { type: 'boolean', short: 'h', doc: 'Show this help' }

/** What `espalier --help` prints. */
export function generalHelp(commands: readonly Command[]): string {
  return [
    `espalier ${version}: neural networks, smaller and faster, and the proof`,
    '',
    'Usage: espalier COMMAND [ARGUMENTS] [OPTIONS]',
    '',
    ...indent(commands.map(({ name, summary }) => [name, summary])),
    '',
    '`espalier COMMAND --help` shows options and examples. Every command takes --json.',
    '',
  ].join('\n')
}

/** What `espalier COMMAND --help` prints. */
export function commandHelp({ name, summary, positionals, options, examples, notes }: Command): string {
  const rows = Object.entries({ ...options, json, help }).map(([option, { short, value, doc }]) => [
    `${short ? `-${short}, ` : '    '}--${option}${value ? ` ${value}` : ''}`,
    doc,
  ])
  return [
    summary,
    '',
    `Usage: espalier ${[name, positionals, '[OPTIONS]'].filter(Boolean).join(' ')}`,
    '',
    'Options:',
    ...indent(rows),
    ...(notes ? ['', notes] : []),
    '',
    'Examples:',
    ...examples.flatMap(({ line, doc }) => [`  espalier ${line}`, `      ${doc}`]),
    '',
  ].join('\n')
}

function indent(rows: readonly (readonly string[])[]): string[] {
  return table([{ title: '' }, { title: '' }], rows)
    .slice(1)
    .map(line => `  ${line}`)
}
