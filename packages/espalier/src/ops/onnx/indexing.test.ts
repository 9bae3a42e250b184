import { describe, expect, test } from 'vitest'
import { type Dim, tensorType, type ValueType } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { float32, int64, type Tensor, tensor } from '../../tensor/tensor.ts'
import { evaluateNumbers, evaluateOp, inferOp } from '../support/testing.ts'
import { Compress } from './compress.ts'
import { Constant } from './constant.ts'
import { ConstantOfShape } from './constant-of-shape.ts'
import { EyeLike } from './eye-like.ts'
import { Gather } from './gather.ts'
import { GatherElements } from './gather-elements.ts'
import { GatherND } from './gather-nd.ts'
import { NonZero } from './non-zero.ts'
import { OneHot } from './one-hot.ts'
import { Range } from './range.ts'
import { Scatter } from './scatter.ts'
import { ScatterElements } from './scatter-elements.ts'
import { ScatterND } from './scatter-nd.ts'
import { Shape } from './shape.ts'
import { Size } from './size.ts'
import { TensorScatter } from './tensor-scatter.ts'
import { TopK } from './top-k.ts'
import { Unique } from './unique.ts'

const fails = (code: string): unknown => expect.objectContaining({ code })
const strings = (texts: string[], shape: readonly number[] = [texts.length]): Tensor =>
  tensor('string', shape, texts)
const bools = (values: number[]): Tensor => fromNumbers('bool', [values.length], values)
const big = (values: bigint[]): Tensor => tensor('int64', [values.length], BigInt64Array.from(values))
const typed = (shape: readonly Dim[]): ValueType => tensorType('float32', shape)
const list = (value: unknown): number[] => Array.from(numbers(value as Tensor))

describe('gathering', () => {
  test('Gather puts the shape of the indices in the place of the axis', () => {
    const data = float32([1, 2, 3, 4, 5, 6], [2, 3])
    const [picked] = evaluateOp(Gather, [data, fromNumbers('int32', [1, 2], [-1, 0])], { axis: 1 })
    expect(picked).toEqual(float32([3, 1, 6, 4], [2, 1, 2]))
    expect(evaluateOp(Gather, [strings(['a', 'b']), int64(-1)])).toEqual([strings(['b'], [])])
    const packed = fromNumbers('uint4', [5], [1, 2, 3, 4, 15])
    expect(evaluateNumbers(Gather, [packed, int64([4, 4, 0])])).toEqual([15, 15, 1])
    expect(inferOp(Gather, [typed(['n', 5, 'd']), tensorType('int64', ['k', 2])], { axis: -2 })).toEqual([
      typed(['n', 'k', 2, 'd']),
    ])
    expect(() => evaluateOp(Gather, [data, int64([2])])).toThrow(fails('bad-argument'))
    expect(() => evaluateOp(Gather, [float32([]), int64([0])])).toThrow(fails('bad-argument'))
  })

  test('GatherElements stays in its own line', () => {
    const data = float32([1, 2, 3, 4], [2, 2])
    const indices = fromNumbers('int64', [1, 2], [-1, 0])
    expect(evaluateNumbers(GatherElements, [data, indices])).toEqual([3, 2])
    expect(evaluateNumbers(GatherElements, [data, indices], { axis: 1 })).toEqual([2, 1])
    expect(() => evaluateOp(GatherElements, [data, fromNumbers('int64', [1, 3], [0, 0, 0])])).toThrow(
      fails('bad-shape'),
    )
    expect(() => inferOp(GatherElements, [typed([2, 2]), tensorType('int64', [2])])).toThrow(
      fails('bad-shape'),
    )
  })

  test('GatherND takes slices, behind batch axes too', () => {
    const data = float32([0, 1, 2, 3, 4, 5, 6, 7], [2, 2, 2])
    expect(evaluateNumbers(GatherND, [data, fromNumbers('int64', [1, 2], [-1, 0])])).toEqual([4, 5])
    const batched = evaluateOp(GatherND, [data, fromNumbers('int64', [2, 1], [1, 0])], { batch_dims: 1 })
    expect(batched).toEqual([float32([2, 3, 4, 5], [2, 2])])
    expect(
      inferOp(GatherND, [typed(['n', 4, 'd']), tensorType('int64', ['n', 'k', 1])], { batch_dims: 1 }),
    ).toEqual([typed(['n', 'k', 'd'])])
    expect(() => evaluateOp(GatherND, [data, fromNumbers('int64', [1, 4], [0, 0, 0, 0])])).toThrow(
      fails('bad-shape'),
    )
    expect(() => evaluateOp(GatherND, [data, fromNumbers('int64', [1, 1], [2])])).toThrow(
      fails('bad-argument'),
    )
  })

  test('Compress takes what its condition names, and no more than there is', () => {
    const data = float32([1, 2, 3, 4, 5, 6], [3, 2])
    expect(evaluateNumbers(Compress, [data, bools([0, 1])])).toEqual([2])
    expect(evaluateOp(Compress, [data, bools([1, 0, 1])], { axis: 0 })).toEqual([
      float32([1, 2, 5, 6], [2, 2]),
    ])
    expect(() => evaluateOp(Compress, [data, bools([0, 0, 1])], { axis: 1 })).toThrow(fails('bad-shape'))
    expect(inferOp(Compress, [typed(['n', 2]), bools([1, 0])], { axis: 1 })).toEqual([typed(['n', 1])])
  })
})

describe('scattering', () => {
  const data = float32([1, 2, 3])
  const at = (...indices: number[]): Tensor => int64(indices)

  test.each([
    ['none', [1, 9, 5]],
    ['add', [1, 2 + 7 + 9, 3 + 5]],
    ['mul', [1, 2 * 7 * 9, 15]],
    ['max', [1, 9, 5]],
    ['min', [1, 2, 3]],
  ])('with reduction %s', (reduction, wanted) => {
    const updates = float32([7, 5, 9])
    expect(evaluateNumbers(ScatterElements, [data, at(1, -1, 1), updates], { reduction })).toEqual(wanted)
    const tuples = fromNumbers('int64', [3, 1], [1, -1, 1])
    expect(evaluateNumbers(ScatterND, [data, tuples, updates], { reduction })).toEqual(wanted)
    expect(list(data)).toEqual([1, 2, 3])
  })

  test('integers wrap, 64-bit ones are exact, float16 is rounded once, bools are or and and', () => {
    const reduce = (x: Tensor, updates: Tensor, reduction: string): unknown =>
      evaluateOp(ScatterElements, [x, at(...updates.shape.map(() => 0), 0), updates], { reduction })[0]
    const bytes = (...values: number[]): Tensor => fromNumbers('uint8', [values.length], values)
    expect(reduce(bytes(200), bytes(100, 3), 'add')).toEqual(bytes(47))
    expect(reduce(big([2n ** 62n + 1n]), big([2n ** 61n, 1n]), 'add')).toEqual(
      big([2n ** 62n + 2n ** 61n + 2n]),
    )
    const half = (...values: number[]): Tensor => fromNumbers('float16', [values.length], values)
    expect(reduce(half(2048), half(1, 1), 'add')).toEqual(half(2050))
    expect(reduce(bools([0]), bools([1, 0]), 'add')).toEqual(bools([1]))
    expect(reduce(bools([1]), bools([1, 0]), 'mul')).toEqual(bools([0]))
    expect(reduce(float32([1]), float32([Number.NaN, 0]), 'max')).toEqual(float32([Number.NaN]))
    expect(reduce(strings(['a']), strings(['b', 'c']), 'none')).toEqual(strings(['c']))
    expect(() => reduce(strings(['a']), strings(['b', 'c']), 'add')).toThrow(fails('unsupported'))
  })

  test('along an axis, and under its old name', () => {
    const zeros = float32([0, 0, 0, 0], [2, 2])
    const inputs = [zeros, fromNumbers('int64', [2, 1], [1, 0]), float32([5, 6], [2, 1])]
    expect(evaluateNumbers(ScatterElements, inputs, { axis: 1 })).toEqual([0, 5, 6, 0])
    expect(evaluateNumbers(Scatter, inputs, { axis: 1 }, { opset: 10 })).toEqual([0, 5, 6, 0])
    expect(() => evaluateOp(ScatterElements, [zeros, inputs[1], float32([5])])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(ScatterND, [zeros, fromNumbers('int64', [1, 1], [0]), float32([5])])).toThrow(
      fails('bad-shape'),
    )
  })

  test('TensorScatter writes a cache, around its end when circular', () => {
    const cache = float32([0, 0, 0, 0, 0, 0], [2, 3, 1])
    const update = float32([1, 2, 3, 4], [2, 2, 1])
    expect(evaluateNumbers(TensorScatter, [cache, update])).toEqual([1, 2, 0, 3, 4, 0])
    expect(evaluateNumbers(TensorScatter, [cache, update, int64([1, 0])])).toEqual([0, 1, 2, 3, 4, 0])
    expect(evaluateNumbers(TensorScatter, [cache, update, int64([2, 4])], { mode: 'circular' })).toEqual([
      2, 0, 1, 0, 3, 4,
    ])
    expect(() => evaluateOp(TensorScatter, [cache, update, int64([2, 0])])).toThrow(fails('bad-argument'))
    expect(() => evaluateOp(TensorScatter, [cache, update], { axis: 0 })).toThrow(fails('bad-argument'))
    expect(() => evaluateOp(TensorScatter, [update, cache])).toThrow(fails('bad-shape'))
  })
})

describe('TopK', () => {
  const both = (x: Tensor, k: number, attributes = {}): number[][] =>
    evaluateOp(TopK, [x, int64([k])], attributes, { outputs: 2 }).map(list)

  test('orders ties by position and puts NaN above every number', () => {
    const x = float32([1, Number.NaN, 3, 3, -1, Number.NaN])
    expect(both(x, 4)).toEqual([
      [Number.NaN, Number.NaN, 3, 3],
      [1, 5, 2, 3],
    ])
    expect(both(x, 5, { largest: 0 })).toEqual([
      [-1, 1, 3, 3, Number.NaN],
      [4, 0, 2, 3, 1],
    ])
  })

  test('is exact for 64-bit integers and keeps what it moves', () => {
    const x = big([2n ** 60n, 2n ** 60n + 1n, 2n ** 60n - 1n])
    expect(evaluateOp(TopK, [x, int64([2])], {}, { outputs: 2 })).toEqual([
      big([2n ** 60n + 1n, 2n ** 60n]),
      int64([1, 0]),
    ])
    const unsigned = tensor('uint64', [2], BigUint64Array.of(1n, 2n ** 64n - 1n))
    expect(evaluateOp(TopK, [unsigned, int64([1])])[0]).toEqual(
      tensor('uint64', [1], BigUint64Array.of(2n ** 64n - 1n)),
    )
  })

  test('works along any axis, with k as attribute or input', () => {
    const x = float32([1, 6, 5, 2, 3, 4], [3, 2])
    expect(evaluateOp(TopK, [x], { k: 1, axis: 0 }, { opset: 9, outputs: 2 })).toEqual([
      float32([5, 6], [1, 2]),
      tensor('int64', [1, 2], BigInt64Array.of(1n, 0n)),
    ])
    expect(inferOp(TopK, [typed(['n', 'm']), int64([3])], { axis: 0 })).toEqual([
      typed([3, 'm']),
      tensorType('int64', [3, 'm']),
    ])
    expect(both(x, 0)).toEqual([[], []])
    expect(() => both(x, 3)).toThrow(fails('bad-argument'))
  })
})

describe('Unique', () => {
  const all = (x: Tensor, attributes = {}): unknown[] => [
    ...evaluateOp(Unique, [x], attributes, { outputs: 4 }),
  ]

  test('sorts, or keeps the order of first occurrence', () => {
    const x = float32([2, 1, 1, 3, 4, 3])
    expect(all(x).map(list)).toEqual([
      [1, 2, 3, 4],
      [1, 0, 3, 4],
      [1, 0, 0, 2, 3, 2],
      [2, 1, 2, 1],
    ])
    expect(all(x, { sorted: 0 }).map(list)).toEqual([
      [2, 1, 3, 4],
      [0, 1, 3, 4],
      [0, 1, 1, 2, 3, 2],
      [1, 2, 2, 1],
    ])
  })

  test('finds slices along an axis', () => {
    const x = float32([1, 1, 0, 1, 2, 1, 0, 1, 1, 1, 0, 1, 2, 1, 0, 1], [2, 4, 2])
    const [y, ...rest] = all(x, { axis: 1 })
    expect(y).toEqual(float32([0, 1, 1, 1, 2, 1, 0, 1, 1, 1, 2, 1], [2, 3, 2]))
    expect(rest.map(list)).toEqual([
      [1, 0, 2],
      [1, 0, 2, 0],
      [2, 1, 1],
    ])
  })

  test('knows text by code points, NaN as one, -0 as 0, and complex numbers', () => {
    expect(all(strings(['\u{1F600}', '\uFF5E', 'b', '', 'b']))[0]).toEqual(
      strings(['', 'b', '\uFF5E', '\u{1F600}']),
    )
    expect(list(all(float32([Number.NaN, 0, Number.NaN, -0]))[3])).toEqual([2, 2])
    const complex = tensor('complex64', [3], Float32Array.of(1, 2, 1, -2, 1, 2))
    expect(list(all(complex)[0])).toEqual([1, -2, 1, 2])
    expect(all(float32([])).map(list)).toEqual([[], [], [], []])
  })
})

test('NonZero, also of a scalar, text and complex numbers', () => {
  const found = (x: Tensor): unknown => evaluateOp(NonZero, [x])[0]
  expect(found(float32([0, -1, Number.NaN, -0], [2, 2]))).toEqual(
    tensor('int64', [2, 2], BigInt64Array.of(0n, 1n, 1n, 0n)),
  )
  expect(found(float32([5], []))).toEqual(tensor('int64', [0, 1], new BigInt64Array(0)))
  expect(found(strings(['', 'x']))).toEqual(tensor('int64', [1, 1], BigInt64Array.of(1n)))
  expect(found(tensor('complex64', [2], Float32Array.of(0, 0, 0, 1)))).toEqual(
    tensor('int64', [1, 1], BigInt64Array.of(1n)),
  )
  expect(inferOp(NonZero, [typed(['n', 'm'])])).toEqual([tensorType('int64', [2, null])])
})

test('OneHot of integers and floats, out of range and from the end, with any values', () => {
  const encode = (indices: Tensor, values: Tensor, axis: number): unknown =>
    evaluateOp(OneHot, [indices, int64(3), values], { axis })[0]
  expect(encode(float32([-1, 1.9, 3, -4]), strings(['-', 'x']), -1)).toEqual(
    strings(['-', '-', 'x', '-', 'x', '-', '-', '-', '-', '-', '-', '-'], [4, 3]),
  )
  expect(encode(int64([2, 0]), float32([0, 1]), 0)).toEqual(float32([0, 1, 0, 0, 1, 0], [3, 2]))
  expect(inferOp(OneHot, [typed(['n']), float32([4.5]), float32([0, 1])])).toEqual([typed(['n', 4])])
  expect(() => evaluateOp(OneHot, [int64([0]), int64(-1), float32([0, 1])])).toThrow(fails('bad-argument'))
  expect(() => evaluateOp(OneHot, [int64([0]), int64(2), float32([1])])).toThrow(fails('bad-shape'))
})

describe('Range', () => {
  const range = (dtype: 'float32' | 'bfloat16' | 'int16' | 'int64', ...values: number[]): number[] =>
    evaluateNumbers(
      Range,
      values.map(value => fromNumbers(dtype, [], [value])),
    )

  test('steps up and down, to the limit exclusively', () => {
    expect(range('int64', 3, 9, 3)).toEqual([3, 6])
    expect(range('int64', 10, 4, -2)).toEqual([10, 8, 6])
    expect(range('int16', 1, 1, 1)).toEqual([])
    expect(range('float32', 0, 1, 0.3)).toHaveLength(4)
    expect(range('bfloat16', 255, 260, 1)).toEqual([255, 256, 256, 258, 260])
    expect(evaluateOp(Range, [big([2n ** 60n]), big([2n ** 60n + 2n]), big([1n])])).toEqual([
      big([2n ** 60n, 2n ** 60n + 1n]),
    ])
  })

  test('refuses no step, what is not finite, and other precisions', () => {
    expect(() => range('int64', 0, 1, 0)).toThrow(fails('bad-argument'))
    expect(() => range('float32', 0, Number.NaN, 1)).toThrow(fails('bad-argument'))
    const halves = [0, 1, 1].map(value => fromNumbers('float16', [], [value]))
    expect(() => evaluateOp(Range, halves, { stash_type: 10 })).toThrow(fails('unsupported'))
  })
})

describe('constants', () => {
  const constant = (name: string, type: string, value: unknown): unknown =>
    evaluateOp(Constant, [], { [name]: { type, value } as never })[0]

  test('in every form', () => {
    const value = fromNumbers('int4', [3], [1, -2, 3])
    expect(constant('value', 'tensor', value)).toBe(value)
    expect(constant('value_float', 'float', 0.5)).toEqual(float32([0.5], []))
    expect(constant('value_floats', 'floats', [1, 2])).toEqual(float32([1, 2]))
    expect(constant('value_int', 'int', 2n ** 63n - 1n)).toEqual(
      tensor('int64', [], BigInt64Array.of(2n ** 63n - 1n)),
    )
    expect(constant('value_ints', 'ints', [1, -1])).toEqual(int64([1, -1]))
    expect(constant('value_string', 'string', new TextEncoder().encode('é'))).toEqual(strings(['é'], []))
    expect(constant('value_strings', 'strings', ['a', ''])).toEqual(strings(['a', '']))
    const sparse = { dtype: 'float32', shape: [2, 2], values: float32([7, 8]), indices: int64([1, 3]) }
    expect(constant('sparse_value', 'sparse_tensor', sparse)).toEqual(float32([0, 7, 0, 8], [2, 2]))
  })

  test('state their types, and have exactly one value', () => {
    expect(inferOp(Constant, [], { value_ints: [1, 2, 3] })).toEqual([tensorType('int64', [3])])
    expect(() => evaluateOp(Constant, [], {})).toThrow(fails('invalid-graph'))
    expect(() => evaluateOp(Constant, [], { value_int: 1, value_float: 1 })).toThrow(fails('invalid-graph'))
  })

  test('of a shape', () => {
    const value = { type: 'tensor', value: fromNumbers('uint2', [1], [3]) } as const
    expect(evaluateOp(ConstantOfShape, [int64([2, 1])], { value })).toEqual([
      fromNumbers('uint2', [2, 1], [3, 3]),
    ])
    expect(evaluateOp(ConstantOfShape, [int64([])])).toEqual([float32([0], [])])
    expect(() => evaluateOp(ConstantOfShape, [int64([-1])])).toThrow(fails('bad-shape'))
    const pair = { type: 'tensor', value: float32([1, 2]) } as const
    expect(() => evaluateOp(ConstantOfShape, [int64([1])], { value: pair })).toThrow(fails('bad-shape'))
  })

  test('on a diagonal', () => {
    const x = float32([9, 9, 9, 9, 9, 9], [2, 3])
    expect(evaluateOp(EyeLike, [x], { k: 1, dtype: 6 })).toEqual([
      fromNumbers('int32', [2, 3], [0, 1, 0, 0, 0, 1]),
    ])
    expect(evaluateNumbers(EyeLike, [x], { k: -2 })).toEqual([0, 0, 0, 0, 0, 0])
    expect(() => evaluateOp(EyeLike, [float32([1])])).toThrow(fails('bad-shape'))
  })
})

test('Shape and Size', () => {
  expect(evaluateOp(Shape, [float32([1, 2], [1, 2, 1])], { start: -2, end: 9 })).toEqual([int64([2, 1])])
  expect(evaluateOp(Shape, [float32([1], [1])], { start: 1, end: 0 })).toEqual([int64([])])
  expect(evaluateOp(Size, [strings(['a', 'b'], [1, 2])])).toEqual([int64(2)])
})
