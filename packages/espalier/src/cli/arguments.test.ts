import { describe, expect, test } from 'vitest'
import type { EspalierError } from '../errors.ts'
import { hasFlag, integerOption, namesOption, numbersOption, readArguments } from './arguments.ts'
import { type Command, command, type Invocation } from './command.ts'
import { createTerminal } from './terminal.ts'

const probe: Command = command({
  name: 'probe',
  summary: 'A command for tests',
  positionals: ['IN', 'OUT'],
  options: {
    seed: { type: 'string', short: 's', value: 'N', doc: '' },
    value: { type: 'string', multiple: true, doc: '' },
    random: { type: 'boolean', short: 'r', doc: '' },
    'external-data': { type: 'boolean', doc: '' },
  },
  examples: [],
  run: async () => ({}),
})

const stream = { write: () => true }
const terminal = createTerminal({ stdout: stream, stderr: stream, env: {}, now: () => 0 }, false)
const read = (...args: string[]): Invocation => readArguments(probe, args, terminal)
const failure = (...args: string[]): string => {
  try {
    read(...args)
  } catch (error) {
    expect((error as EspalierError).code).toBe('usage')
    return (error as Error).message
  }
  return 'no error'
}

describe('reading', () => {
  test('options in every form, among positional arguments', () => {
    const { positionals, text, texts, flag } = read(
      'a',
      '-s',
      '3',
      '--value=x=1',
      '-r',
      'b',
      '--value',
      'y',
      '--json',
    )
    expect(positionals).toEqual(['a', 'b'])
    expect([text('seed'), texts('value'), flag('random'), flag('external-data'), flag('json')]).toEqual([
      '3',
      ['x=1', 'y'],
      true,
      false,
      true,
    ])
  })

  test('negative numbers are values, and what follows -- is no option', () => {
    expect(read('a', 'b', '--value', '-1,0', '--value', '-.5').texts('value')).toEqual(['-1,0', '-.5'])
    expect(read('--', '--seed', '-r').positionals).toEqual(['--seed', '-r'])
    expect(read('a', 'b', '--seed', '-').text('seed')).toBe('-')
    expect(hasFlag(['a', '--', '--json'], '--json')).toBe(false)
    expect(hasFlag(['a', '--json'], '--json')).toBe(true)
  })

  test.each([
    [['a', 'b', '--sede', '1'], 'espalier probe has no option "--sede". Did you mean --seed?'],
    [
      ['a', 'b', '--external-dat'],
      'espalier probe has no option "--external-dat". Did you mean --external-data?',
    ],
    [['a', 'b', '-x'], 'espalier probe has no option "-x". See espalier probe --help'],
    [['a', 'b', '--constructor'], 'espalier probe has no option "--constructor". See espalier probe --help'],
    [['a', 'b', '--seed'], '--seed needs a value; expected --seed N. See espalier probe --help'],
    [
      ['a', 'b', '-s', '--random'],
      '-s needs a value; expected -s N. For a value that begins with "-" write --seed=VALUE',
    ],
    [['a', 'b', '--random=1'], '--random takes no value. See espalier probe --help'],
    [['a', 'b', '-s', '1', '--seed=2'], '--seed is given twice. See espalier probe --help'],
    [[], 'espalier probe takes IN and OUT; IN and OUT is missing. See espalier probe --help'],
    [['a'], 'espalier probe takes IN and OUT; OUT is missing. See espalier probe --help'],
    [
      ['a', 'b', 'c'],
      'espalier probe takes IN and OUT, and was given "a" "b" "c". See espalier probe --help',
    ],
  ])('%j: %s', (args, message) => expect(failure(...args)).toBe(message))
})

describe('values', () => {
  const given = (value: string): Invocation => read('a', 'b', `--seed=${value}`)

  test('whole numbers in a range', () => {
    expect(integerOption(read('a', 'b'), 'seed', 0)).toBeUndefined()
    expect(integerOption(given('12'), 'seed', 0)).toBe(12)
    for (const bad of ['', ' ', '1.5', '-1', 'x', '1e300'])
      expect(() => integerOption(given(bad), 'seed', 0)).toThrow(`"${bad}"; expected 0 or more`)
    expect(() => integerOption(given('9'), 'seed', 1, 8)).toThrow('expected from 1 to 8')
  })

  test('lists of numbers and quotients', () => {
    expect(numbersOption(read('a', 'b'), 'seed')).toBeUndefined()
    expect(numbersOption(given('1/255'), 'seed')).toEqual([1 / 255])
    expect(numbersOption(given('0.5, -1,1e-3'), 'seed')).toEqual([0.5, -1, 0.001])
    for (const bad of ['', '1,', '1/0', '1/2/3', '/2', 'x'])
      expect(() => numbersOption(given(bad), 'seed')).toThrow('not made of numbers')
  })

  test('lists of names', () => {
    expect(namesOption(given('a,b:0'), 'seed')).toEqual(['a', 'b:0'])
    expect(() => namesOption(given('a,,b'), 'seed')).toThrow('--seed has an empty name: "a,,b"')
  })
})
