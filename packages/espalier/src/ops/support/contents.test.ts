/** Shape arithmetic on symbolic contents, through the operators that take part in it. */
import { describe, expect, test } from 'vitest'
import { numberOfDtype } from '../../formats/onnx/tensor-proto.ts'
import { type Attribute, type Dim, type Node, tensorType } from '../../graph/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { int64, type Tensor } from '../../tensor/tensor.ts'
import { inferContext } from '../context.ts'
import * as ops from '../onnx/index.ts'
import type { Op } from '../op.ts'
import { schemaVersion } from '../registry.ts'

/** An input: a constant, or contents of a data type. */
type Input = Tensor | readonly Dim[] | undefined

/** Contents of the first output, for inputs of data type `dtype`. */
function contents(
  op: Op,
  inputs: readonly Input[],
  { dtype = 'int64', ints = {} }: { dtype?: DType; ints?: Readonly<Record<string, number>> } = {},
): readonly Dim[] | undefined {
  const version = schemaVersion(op, 1000)!
  const node: Node = {
    name: '',
    op: op.name,
    domain: '',
    inputs: inputs.map((input, index) => (input === undefined ? '' : `i${index}`)),
    outputs: ['o'],
    attributes: new Map(
      Object.entries(ints).map(([name, value]): [string, Attribute] => [name, { type: 'int', value }]),
    ),
  }
  const constantOf = (input: Input): Tensor | undefined =>
    input !== undefined && 'dtype' in input ? input : undefined
  const contentOf = (input: Input): readonly Dim[] | undefined =>
    input !== undefined && !('dtype' in input) ? input : undefined
  const context = inferContext(
    node,
    { op, version, schema: op.versions[version]! },
    {
      types: inputs.map(input => {
        const constant = constantOf(input)
        return constant
          ? tensorType(constant.dtype, constant.shape)
          : input && tensorType(dtype, [contentOf(input)!.length])
      }),
      constant: index => constantOf(inputs[index]),
      content: index => contentOf(inputs[index]),
      inferGraph: () => [],
    },
  )
  return op.contents!(context)[0]
}

const two = int64(2)

describe('arithmetic', () => {
  test('on integers', () => {
    expect(contents(ops.Add, [['n', 3], two])).toEqual(['n+2', 5])
    expect(contents(ops.Sub, [['n'], ['n']])).toEqual([0])
    expect(contents(ops.Mul, [['n', null], int64([4, 0])])).toEqual(['4*n', 0])
    expect(contents(ops.Div, [['4*n', 'n', 7, -7], two])).toEqual(['2*n', 'floordiv(n,2)', 3, -3])
    expect(contents(ops.Div, [[7], int64([0])])).toEqual([null])
    expect(contents(ops.Mod, [['4*n', 7, -7], two])).toEqual([0, 1, 1])
    expect(contents(ops.Mod, [['4*n', 7, -7], two], { ints: { fmod: 1 } })).toEqual([null, 1, -1])
    expect(contents(ops.Neg, [['n', 2]])).toEqual(['-n', -2])
    expect(contents(ops.Max, [[4, 'n'], two, int64([3])])).toEqual([4, 'max(3,max(2,n))'])
    expect(contents(ops.Min, [[4, 9], int64([5])])).toEqual([4, 5])
    expect(contents(ops.Clip, [[-3, 9, 'n'], int64(0), int64(5)])?.slice(0, 2)).toEqual([0, 5])
    expect(contents(ops.Identity, [['n']])).toEqual(['n'])
  })
  test('is unknown where a length does not fit, an input is unknown, or the type is narrow', () => {
    expect(
      contents(ops.Add, [
        ['n', 1],
        [1, 2, 3],
      ]),
    ).toBeUndefined()
    expect(contents(ops.Add, [['n', 1], undefined])).toBeUndefined()
    expect(contents(ops.Add, [[100], [100]], { dtype: 'int8' })).toBeUndefined()
    expect(contents(ops.Mul, [[2 ** 20], [2 ** 20]], { dtype: 'int32' })).toEqual([null])
    expect(contents(ops.Sub, [[1], [2]], { dtype: 'uint64' })).toEqual([null])
  })
  test('on whole numbers in floats', () => {
    const float = { dtype: 'float32' } as const
    expect(contents(ops.Mul, [['n', 3], fromNumbers('float32', [2], [2, 0.5])], float)).toEqual(['2*n', null])
    expect(contents(ops.Div, [['4*n', 'n', 7, 6], fromNumbers('float32', [], [2])], float)).toEqual([
      ...['2*n', null, null, 3],
    ])
    for (const op of [ops.Floor, ops.Ceil, ops.Round])
      expect(contents(op, [['n', null]], float)).toEqual(['n', null])
  })
})

describe('casts', () => {
  const to = (dtype: DType): { ints: { to: number } } => ({ ints: { to: numberOfDtype(dtype) } })
  test('keep what the type holds', () => {
    expect(contents(ops.Cast, [['n', 2 ** 24 + 1, -1]], to('float32'))).toEqual(['n', null, -1])
    expect(contents(ops.Cast, [['n', 2 ** 31, -1]], to('int32'))).toEqual(['n', null, -1])
    expect(contents(ops.Cast, [['n', -1]], to('uint64'))).toEqual(['n', null])
    expect(contents(ops.Cast, [['n']], to('bool'))).toBeUndefined()
    expect(contents(ops.CastLike, [['n'], fromNumbers('float64', [], [0])])).toEqual(['n'])
  })
})

describe('choices', () => {
  test('Equal asks which extents are -1; Where replaces them', () => {
    expect(contents(ops.Equal, [['n', -1, '2*n', 'n-1', null], int64(-1)])).toEqual([0, 1, 0, null, null])
    expect(
      contents(ops.Equal, [
        ['n', 'n'],
        ['n', 'n+1'],
      ]),
    ).toEqual([1, 0])
    const shape = ['n', -1, 'n-1']
    expect(contents(ops.Where, [[0, 1, null], int64([1]), shape])).toEqual(['n', 1, null])
    expect(contents(ops.Where, [fromNumbers('bool', [], [1]), ['n'], [2]])).toEqual(['n'])
    expect(contents(ops.Where, [[null], ['n'], ['n']])).toEqual(['n'])
  })
})
