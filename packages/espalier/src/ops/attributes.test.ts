import { describe, expect, test } from 'vitest'
import { type Attribute, type Node, tensorType } from '../graph/graph.ts'
import { chain } from '../graph/graphs.suite.ts'
import { float32, int64 } from '../tensor/tensor.ts'
import { readAttributes } from './attributes.ts'
import type { Attributes } from './op.ts'
import { float, int, ints, optional, required, type Schema, string } from './schema.ts'

const schema: Schema = {
  inputs: [],
  outputs: [],
  attributes: {
    axis: int(-1),
    alpha: float(0.5),
    pads: ints([0, 0]),
    mode: string('sum', ['sum', 'mean']),
    modes: optional('strings', ['a', 'b']),
    scales: optional('floats'),
    body: required('graph'),
  },
}

function read(attributes: Readonly<Record<string, Attribute>> = {}): Attributes {
  const node: Node = {
    ...{ name: 'n', op: 'Op', domain: '', inputs: [], outputs: [] },
    attributes: new Map(Object.entries(attributes)),
  }
  return readAttributes(node, schema)
}

test('defaults stand in for what is absent', () => {
  const a = read()
  expect([a.int('axis'), a.float('alpha'), a.ints('pads'), a.string('mode')]).toEqual([
    -1,
    0.5,
    [0, 0],
    'sum',
  ])
  expect([a.optionalInt('axis'), a.optionalFloats('scales'), a.optionalStrings('modes')]).toEqual([
    ...[-1, undefined, undefined],
  ])
  expect(a.optionalString('constructor')).toBeUndefined()
  expect([a.has('axis'), a.get('axis')]).toEqual([false, undefined])
})

test('given values win, of every type', () => {
  const [body, tensor, type] = [chain(1), float32([1]), tensorType('int8')]
  const sparse = { dtype: 'float32', shape: [2], values: tensor, indices: int64([1]) } as const
  const a = read({
    axis: { type: 'int', value: 2 },
    alpha: { type: 'float', value: 2 },
    pads: { type: 'ints', value: [1, 2n] },
    mode: { type: 'string', value: new TextEncoder().encode('mean') },
    modes: { type: 'strings', value: ['b', new TextEncoder().encode('a')] },
    scales: { type: 'floats', value: [1.5] },
    body: { type: 'graph', value: body },
    tensor: { type: 'tensor', value: tensor },
    sparse: { type: 'sparse_tensor', value: sparse },
    type: { type: 'type', value: type },
  })
  expect([a.int('axis'), a.float('alpha'), a.ints('pads')]).toEqual([2, 2, [1, 2]])
  expect([a.string('mode'), a.strings('modes'), a.floats('scales')]).toEqual(['mean', ['b', 'a'], [1.5]])
  expect([a.graph('body'), a.tensor('tensor'), a.sparse('sparse'), a.type('type')]).toEqual([
    body,
    tensor,
    sparse,
    type,
  ])
  expect([a.has('axis'), a.get('axis')]).toEqual([true, { type: 'int', value: 2 }])
})

test('integers that stand for "to the end" become the nearest that is exact', () => {
  const a = read({
    axis: { type: 'int', value: 2n ** 63n - 1n },
    pads: { type: 'ints', value: [-(2n ** 63n), 2n ** 53n, 5] },
  })
  expect(a.int('axis')).toBe(Number.MAX_SAFE_INTEGER)
  expect(a.ints('pads')).toEqual([Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 5])
})

describe('refusals', () => {
  test.each<[string, Record<string, Attribute>, (a: Attributes) => unknown, string, string]>([
    [
      'a wrong type',
      { axis: { type: 'float', value: 1 } },
      a => a.int('axis'),
      'invalid-graph',
      'node n (Op), "axis": an attribute has the wrong type; expected int, got float',
    ],
    [
      'a list for one',
      { axis: { type: 'ints', value: [1] } },
      a => a.optionalInt('axis'),
      'invalid-graph',
      'expected int, got ints',
    ],
    [
      'absence',
      {},
      a => a.graph('body'),
      'invalid-graph',
      'node n (Op), "body": a required attribute is missing',
    ],
    [
      'absence of what has no default',
      {},
      a => a.floats('scales'),
      'invalid-graph',
      '"scales": a required attribute is missing',
    ],
    [
      'an unknown choice',
      { mode: { type: 'string', value: 'max' } },
      a => a.string('mode'),
      'bad-argument',
      'node n (Op), "mode": an attribute has a value that the operator does not know; expected sum, mean, got "max"',
    ],
    [
      'an unknown choice in a list',
      { modes: { type: 'strings', value: ['a', 'c'] } },
      a => a.strings('modes'),
      'bad-argument',
      'expected a, b, got "c"',
    ],
  ])('of %s', (_, attributes, get, code, message) => {
    const error = expect.objectContaining({ code, message: expect.stringContaining(message) })
    expect(() => get(read(attributes))).toThrow(error)
  })
})
