import { describe, expect, test } from 'vitest'
import { type Node, tensorType } from '../graph/graph.ts'
import { float32, int64, type RuntimeValue, tensor } from '../tensor/tensor.ts'
import { evaluateContext, inferContext, type Knowledge } from './context.ts'
import type { EvaluateContext, InferContext, Op } from './op.ts'
import type { Schema } from './schema.ts'

const schema: Schema = {
  inputs: ['X: float32', 'Y?: float32', 'list?: seq(float32)', 'rest...?: float32'],
  outputs: ['Z: float32'],
}
const op: Op = { name: 'Op', doc: 'For tests.', versions: { 3: schema }, infer: () => [], evaluate: () => [] }
const resolved = { op, version: 3, schema }
const node: Node = {
  ...{ name: 'n', op: 'Op', domain: '', attributes: new Map() },
  inputs: ['x', '', 'l'],
  outputs: ['a', '', 'c'],
}

const values = (...inputs: (RuntimeValue | undefined)[]): EvaluateContext =>
  evaluateContext(node, resolved, inputs, { runGraph: () => [], random: () => () => 0, maxIterations: 7 })

test('a context knows its node', () => {
  const c = values()
  expect(c).toMatchObject({ node, version: 3, outputCount: 3, maxIterations: 7 })
  expect([0, 1, 2, 3].map(c.hasInput)).toEqual([true, false, true, false])
  expect([0, 1, 2, 3].map(c.hasOutput)).toEqual([true, false, true, false])
})

describe('values', () => {
  const x = float32([1])
  test('are got as tensors and sequences', () => {
    const c = values(x, undefined, [x])
    expect([c.tensor(0), c.optionalTensor(0), c.optionalTensor(1), c.sequence(2)]).toEqual([
      x,
      x,
      undefined,
      [x],
    ])
  })
  test.each<[(c: EvaluateContext) => unknown, string, string]>([
    [c => c.tensor(1), 'missing-input', 'input "Y" is missing'],
    [c => c.tensor(4), 'missing-input', 'input 4 ("rest") is missing'],
    [c => c.sequence(1), 'missing-input', 'input "Y" is missing'],
    [c => c.tensor(2), 'bad-dtype', 'input "list" is not a tensor; got a sequence'],
    [c => c.optionalTensor(3), 'bad-dtype', 'input 3 ("rest") is not a tensor; got an empty optional'],
    [c => c.sequence(0), 'bad-dtype', 'input "X" is not a sequence; got a tensor'],
    [c => c.sequence(3), 'bad-dtype', 'input 3 ("rest") is not a sequence; got an empty optional'],
  ])('%# are refused', (get, code, message) => {
    expect(() => get(values(x, undefined, [x], null))).toThrow(expect.objectContaining({ code, message }))
  })
})

describe('types', () => {
  const context = (known: Partial<Knowledge>): InferContext =>
    inferContext(node, resolved, {
      types: [tensorType('float32', ['n']), undefined, { kind: 'sequence' }],
      constant: () => undefined,
      content: () => undefined,
      inferGraph: () => [],
      ...known,
    })
  test('are known of tensors only', () => {
    const c = context({})
    expect([0, 1, 2].map(c.dtype)).toEqual(['float32', undefined, undefined])
    expect([0, 1, 2].map(c.shape)).toEqual([['n'], undefined, undefined])
    expect([0, 2].map(c.tensor)).toEqual([tensorType('float32', ['n']), undefined])
  })
  test.each([
    [int64([2, 3]), [2, 3]],
    [int64(4), [4]],
    [tensor('uint8', [1], Uint8Array.of(7)), [7]],
    [tensor('int64', [1, 1], BigInt64Array.of(1n)), undefined],
    [float32([1]), undefined],
    [tensor('int8', [5000], new Int8Array(5000)), undefined],
  ])('%#: contents of a constant', (constant, wanted) => {
    const c = context({ constant: () => constant, content: () => ['not asked'] })
    expect(c.content(0)).toEqual(wanted)
  })
  test('contents of what is not constant', () => {
    expect(context({ content: index => [index, 'n'] }).content(1)).toEqual([1, 'n'])
  })
})
