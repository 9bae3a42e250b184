import { describe, expect, test } from 'vitest'
import { type DType, dtypeInfo, dtypes } from '../tensor/dtype.ts'
import { fromNumbers, full, numbers } from '../tensor/elements.ts'
import { float32, int64, sameTensor, type Tensor, tensor, zeros } from '../tensor/tensor.ts'
import { isSparse, type SparseTensor } from './graph.ts'
import { graphOf } from './graphs.suite.ts'
import {
  coordinatesOf,
  denseOf,
  positionsOf,
  sparsify,
  tensorOfSparse,
  withSparseAsTensors,
  withSparseInitializers,
} from './sparse.ts'

/** Ones at positions 1 and 5 of six; complex ones have a one in their imaginary part. */
const isComplex = (dtype: DType): boolean => dtypeInfo(dtype).kind === 'complex'
const one = (dtype: DType): number[] => (isComplex(dtype) ? [0, 1] : [1])
const none = (dtype: DType): number[] => (isComplex(dtype) ? [0, 0] : [0])

const flat = int64([1, 5])
const coordinates = tensor('int64', [2, 2], BigInt64Array.of(0n, 1n, 1n, 2n))

test.each(dtypes.filter(dtype => dtype !== 'string' && dtype !== 'float8e8m0'))('%s', dtype => {
  const [y, n] = [one(dtype), none(dtype)]
  const values = fromNumbers(dtype, [2], [...y, ...y]) as Tensor
  for (const indices of [flat, coordinates])
    for (const make of [denseOf, tensorOfSparse]) {
      const dense = make({ dtype, shape: [2, 3], values, indices })
      expect(dense).toMatchObject({ dtype, shape: [2, 3] })
      expect(Array.from(numbers(dense))).toEqual([n, y, n, n, n, y].flat())
    }
})

test.each([
  { positions: [1, 4], kept: [1, 4] },
  { positions: [4, 1], kept: undefined },
  { positions: [4, 4], kept: undefined },
])('positions $positions behind a tensor', ({ positions, kept }) => {
  const source: SparseTensor = {
    dtype: 'float32',
    shape: [5],
    values: float32([2, 3]),
    indices: int64(positions),
  }
  const made = tensorOfSparse(source)
  expect(numbers(made)).toEqual(numbers(denseOf(source)))
  const found = coordinatesOf(made)
  expect(found && [...found.positions]).toEqual(kept)
})

test('a graph whose sparse constants are tensors', () => {
  const outside: SparseTensor = {
    dtype: 'float32',
    shape: [2],
    values: float32([1]),
    indices: int64([2]),
  }
  const graph = (constant: SparseTensor) => graphOf(g => g.node('Relu', [g.constant(constant, 'w')]))
  const found = withSparseAsTensors(graph({ ...outside, indices: int64([1]) }))
  expect(numbers(found.initializers.get('w') as Tensor)).toEqual(Float64Array.of(0, 1))
  expect(() => withSparseAsTensors(graph(outside))).toThrow(
    expect.objectContaining({ code: 'bad-argument', where: { tensor: 'w' } }),
  )
  expect(withSparseAsTensors(found)).toBe(found)
})

test('strings, and a type without a zero', () => {
  const text = denseOf({
    dtype: 'string',
    shape: [3],
    values: tensor('string', [1], ['a']),
    indices: int64([1]),
  })
  expect(text).toEqual(tensor('string', [3], ['', 'a', '']))
  const values = fromNumbers('float8e8m0', [1], [2]) as Tensor
  expect(numbers(denseOf({ dtype: 'float8e8m0', shape: [2], values, indices: int64([1]) }))[1]).toBe(2)
})

test('a dense constant is itself', () => {
  const dense = int64([1])
  expect(denseOf(dense)).toBe(dense)
})

const values = fromNumbers('float32', [2], [1, 2])
const at = (...positions: number[]): Partial<SparseTensor> => ({ indices: int64(positions) })
const pairs = (shape: number[], ...positions: bigint[]): Partial<SparseTensor> => ({
  indices: tensor('int64', shape, BigInt64Array.from(positions)),
})

test('nothing stored', () => {
  const empty = { dtype: 'float32', values: fromNumbers('float32', [0], []) } as const
  expect(denseOf({ ...empty, shape: [2], indices: int64([]) })).toEqual(fromNumbers('float32', [2], [0, 0]))
  const rows = tensor('int64', [0, 2], new BigInt64Array(0))
  expect(denseOf({ ...empty, shape: [0, 3], indices: rows }).shape).toEqual([0, 3])
})

test.each([
  [
    'a position too many',
    at(1, 2, 3),
    'bad-shape',
    'the positions of a sparse tensor do not fit it; expected [2] or [2, 2], got [3]',
  ],
  ['coordinates of another rank', pairs([2, 1], 0n, 1n), 'bad-shape', 'got [2, 1]'],
  [
    'a negative position',
    at(-1, 2),
    'bad-argument',
    'outside its shape; expected 0 to 5, got -1 in a tensor of shape 2x3',
  ],
  ['a position past the end', at(1, 6), 'bad-argument', 'expected 0 to 5, got 6'],
  [
    'a coordinate past its axis',
    pairs([2, 2], 0n, 1n, 1n, 3n),
    'bad-argument',
    'expected 0 to 2 along axis 1, got 3',
  ],
])('refuses %s', (_, indices, code, message) => {
  const sparse = { dtype: 'float32', shape: [2, 3], values, ...at(1, 5), ...indices } as SparseTensor
  const error = expect.objectContaining({ code, message: expect.stringContaining(message) })
  expect(() => positionsOf(sparse)).toThrow(error)
  expect(() => denseOf(sparse)).toThrow(error)
})

describe('sparsify', () => {
  const dense = float32([0, 0, 0, 5, 0, -0, 0, Number.NaN, ...new Array<number>(60).fill(0)], [17, 4])
  test('keeps every bit that is set, and comes back as it was', () => {
    const sparse = sparsify(dense)!
    expect([...sparse.indices.data]).toEqual([3n, 5n, 7n])
    expect(sameTensor(denseOf(sparse), dense)).toBe(true)
  })
  test('declines where it would take more', () => {
    expect(sparsify(float32([1, 0, 0]))).toBeUndefined()
    expect(sparsify(float32([1, 0, 0, 0]))).toBeDefined()
    expect(sparsify(zeros('int4', [100]))).toBeUndefined()
    expect(sparsify(zeros('string', [100]))).toBeUndefined()
  })
  test('of a graph leaves small and dense constants alone', () => {
    const graph = graphOf(g => {
      g.constant(zeros('float32', [600]), 'large')
      g.constant(zeros('float32', [60]), 'small')
      g.constant(full('float32', [600], 1), 'full')
      return g.node('Relu', [g.input('x', 'float32', [1])])
    })
    const made = withSparseInitializers(graph).initializers
    expect([...made].filter(([, constant]) => isSparse(constant)).map(([name]) => name)).toEqual(['large'])
  })
})
