/** Reads the arguments of a command, and says what is wrong with them in words of our own. */
import { parseArgs } from 'node:util'
import type { Command, Invocation, OptionSpec } from './command.ts'
import { usage } from './command.ts'
import { nearest } from './suggest.ts'
import type { Terminal } from './terminal.ts'

/** Options of every command. */
export const commonOptions: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', doc: 'Print the result as JSON' },
  help: { type: 'boolean', short: 'h', doc: 'Show this help' },
}

/** Whether a flag is among the arguments, before `--`. */
export function hasFlag(args: readonly string[], ...names: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).some(arg => names.includes(arg))
}

/** The arguments of `command`. Throws `usage`. */
export function readArguments(command: Command, args: readonly string[], terminal: Terminal): Invocation {
  const { name, options, positionals: wanted } = command
  const specs: Readonly<Record<string, OptionSpec>> = { ...options, ...commonOptions }
  const seeHelp = `See espalier ${name} --help`
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(specs).map(([option, { type, short }]) => [option, { type, ...(short && { short }) }]),
    ),
    strict: false,
    tokens: true,
  })
  const values = new Map<string, string[]>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name]! : undefined
    if (spec === undefined) {
      const near = token.rawName.startsWith('--') ? nearest(token.name, Object.keys(specs)) : undefined
      throw usage(
        `espalier ${name} has no option "${token.rawName}"`,
        near === undefined ? seeHelp : `Did you mean --${near}?`,
      )
    }
    const missing = token.value === undefined || (!token.inlineValue && looksLikeOption(token.value))
    if (spec.type === 'string' && missing)
      throw usage(
        `${token.rawName} needs a value`,
        token.value === undefined ? seeHelp : `For a value that begins with "-" write --${token.name}=VALUE`,
        `${token.rawName} ${spec.value ?? 'VALUE'}`,
      )
    if (spec.type === 'boolean' && token.value !== undefined)
      throw usage(`${token.rawName} takes no value`, seeHelp)
    const known = values.get(token.name)
    if (known !== undefined && spec.type === 'string' && !spec.multiple)
      throw usage(`${token.rawName} is given twice`, seeHelp)
    values.set(token.name, [...(known ?? []), token.value ?? ''])
  }
  if (positionals.length !== wanted.length) throw wrongNumber(command, positionals, seeHelp)
  return {
    positionals,
    terminal,
    text: option => values.get(option)?.[0],
    texts: option => values.get(option) ?? [],
    flag: option => values.has(option),
  }
}

/** Whether an argument after an option is rather another option: numbers such as `-1,0` are not. */
function looksLikeOption(value: string): boolean {
  return /^-[^\d.]/.test(value)
}

function wrongNumber({ name, positionals: wanted }: Command, got: readonly string[], hint: string): Error {
  const takes = wanted.length === 0 ? 'takes no arguments' : `takes ${wanted.join(' and ')}`
  if (got.length < wanted.length)
    return usage(`espalier ${name} ${takes}; ${wanted.slice(got.length).join(' and ')} is missing`, hint)
  return usage(`espalier ${name} ${takes}, and was given ${got.map(text => `"${text}"`).join(' ')}`, hint)
}

/** A whole number in a range, if given. Throws `usage`. */
export function integerOption(
  { text }: Invocation,
  name: string,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const given = text(name)
  if (given === undefined) return undefined
  const value = Number(given)
  if (given.trim() !== '' && Number.isSafeInteger(value) && value >= min && value <= max) return value
  const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`
  throw usage(`--${name} is not a whole number in range: "${given}"`, undefined, range)
}

/** Numbers between commas, if given; one of them may be a quotient, as `1/255`. Throws `usage`. */
export function numbersOption({ text }: Invocation, name: string): number[] | undefined {
  const given = text(name)
  if (given === undefined) return undefined
  const values = given.split(',').map(part => {
    const [above = '', below = '1', ...rest] = part.split('/').map(piece => piece.trim())
    const value = above === '' || below === '' || rest.length > 0 ? Number.NaN : Number(above) / Number(below)
    if (Number.isFinite(value)) return value
    throw usage(
      `--${name} is not made of numbers: "${given}"`,
      undefined,
      'such as 0.5 or 1/255 or 0.1,0.2,0.3',
    )
  })
  return values
}

/** Names between commas, if given. Throws `usage` for an empty one. */
export function namesOption({ text }: Invocation, name: string): string[] | undefined {
  const names = text(name)?.split(',')
  if (names?.includes('')) throw usage(`--${name} has an empty name: "${text(name)}"`)
  return names
}
