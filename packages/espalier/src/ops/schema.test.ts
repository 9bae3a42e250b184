import { describe, expect, test } from 'vitest'
import { arity, arityProblem, optionalsOf, parameterName, parseParameter, sequencesOf } from './schema.ts'

describe('parameters', () => {
  test.each([
    ['X: T', { name: 'X', type: 'T', optional: false, variadic: false, homogeneous: true }],
    ['bias?: float32', { name: 'bias', type: 'float32', optional: true, variadic: false, homogeneous: true }],
    ['rest...: T', { name: 'rest', type: 'T', optional: false, variadic: true, homogeneous: true }],
    ['rest...?: V*', { name: 'rest', type: 'V', optional: true, variadic: true, homogeneous: false }],
    [
      's: seq(float32)',
      { name: 's', type: 'seq(float32)', optional: false, variadic: false, homogeneous: true },
    ],
  ])('%s', (text, parameter) => {
    expect(parseParameter(text)).toEqual(parameter)
    expect(parseParameter(text)).toBe(parseParameter(text))
  })
  test('that cannot be read are a mistake in a schema', () => {
    expect(() => parseParameter('X T')).toThrow('not a schema parameter: "X T"')
  })
  test('have names for messages', () => {
    const list = ['X: T', 'rest...: T']
    expect([0, 1, 4].map(index => parameterName(list, index))).toEqual(['"X"', '1 ("rest")', '4 ("rest")'])
    expect(parameterName([], 2)).toBe('2')
  })
})

test.each([
  [[], 0, 0],
  [['X: T', 'Y: T'], 2, 2],
  [['X: T', 'Y?: T'], 1, 2],
  [['X?: T', 'Y: T'], 2, 2],
  [['X: T', 'rest...: T'], 2, Number.POSITIVE_INFINITY],
  [['X: T', 'rest...?: T'], 1, Number.POSITIVE_INFINITY],
])('%j takes %d to %d', (list, min, max) => {
  expect(arity(list)).toEqual({ min, max })
})

describe('numbers of inputs and outputs', () => {
  const list = ['X: T', 'Y?: T', 'Z: T', 'rest...?: T']
  test.each<[string[], string[], string | undefined]>([
    [list, ['x', '', 'z'], undefined],
    [list, ['x', 'y', 'z', '', 'r', ''], undefined],
    [list, ['x', 'y'], 'has 2 inputs, the operator takes at least 3'],
    [list, ['', 'y', 'z'], 'lacks input "X"'],
    [['X: T'], ['x', '', ''], undefined],
    [['X: T'], ['x', 'y', ''], 'has 2 inputs, the operator takes 1'],
    [['X: T', 'Y?: T'], [''], 'has 0 inputs, the operator takes 1 to 2'],
    [['rest...: T'], ['a', '', 'c'], 'lacks input 1 ("rest")'],
    [[], ['x'], 'has 1 input, the operator takes 0'],
  ])('inputs %j given as %j', (parameters, names, problem) => {
    expect(arityProblem('input', names, parameters)).toBe(problem)
  })
  test.each<[string[], string[], string | undefined]>([
    [['A: T', 'B: T'], ['', 'b'], undefined],
    [['A: T', 'B?: T'], ['a'], undefined],
    [['A: T', 'B: T'], ['a'], 'has 1 output, the operator gives 2'],
    [['A: T'], ['a', 'b'], 'has 2 outputs, the operator gives 1'],
    [['A...: T'], [], 'has 0 outputs, the operator gives at least 1'],
  ])('outputs %j given as %j', (parameters, names, problem) => {
    expect(arityProblem('output', names, parameters)).toBe(problem)
  })
})

test('types around types', () => {
  expect(sequencesOf(['int8', 'bool'])).toEqual(['seq(int8)', 'seq(bool)'])
  expect(optionalsOf(['int8'])).toEqual(['optional(seq(int8))', 'optional(int8)'])
  expect(optionalsOf(['int8', 'bool'], ['int8'])).toEqual([
    'optional(seq(int8))',
    'optional(int8)',
    'optional(bool)',
  ])
})
