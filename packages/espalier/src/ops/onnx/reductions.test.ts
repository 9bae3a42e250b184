/** Reductions, positions of extrema, running sums: axes in every form, empty sets, integers that must stay exact. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers } from '../../tensor/elements.ts'
import { float32, int64, type Tensor, zeros } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { evaluateNumbers, evaluateOp, inferContextOf, inferOp } from '../support/testing.ts'
import { ArgMax } from './arg-max.ts'
import { ArgMin } from './arg-min.ts'
import { CumProd } from './cum-prod.ts'
import { CumSum } from './cum-sum.ts'
import { ReduceL1 } from './reduce-l1.ts'
import { ReduceL2 } from './reduce-l2.ts'
import { ReduceLogSum } from './reduce-log-sum.ts'
import { ReduceLogSumExp } from './reduce-log-sum-exp.ts'
import { ReduceMax } from './reduce-max.ts'
import { ReduceMean } from './reduce-mean.ts'
import { ReduceMin } from './reduce-min.ts'
import { ReduceProd } from './reduce-prod.ts'
import { ReduceSum } from './reduce-sum.ts'
import { ReduceSumSquare } from './reduce-sum-square.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number
const matrix = float32([1, 2, 3, 4, 5, 6], [2, 3])
const long = (...values: bigint[]): Tensor => fromBigInts('int64', [values.length], values)
const exact = (op: Op, ...inputs: Tensor[]): bigint[] =>
  Array.from(bigints(evaluateOp(op, inputs)[0] as Tensor))
const shapeOf = (op: Op, ...args: Parameters<typeof evaluateOp> extends [Op, ...infer R] ? R : never) =>
  (evaluateOp(op, ...args)[0] as Tensor).shape

describe('axes', () => {
  test.each([
    ['none given', [matrix], {}, undefined, [1, 1], [21]],
    ['an input', [matrix, int64([1])], {}, undefined, [2, 1], [6, 15]],
    ['from the back, dropped', [matrix, int64([-2])], { keepdims: 0 }, undefined, [3], [5, 7, 9]],
    ['an empty input', [matrix, int64([])], { keepdims: 0 }, undefined, [], [21]],
    ['no-op', [matrix, int64([])], { noop_with_empty_axes: 1 }, undefined, [2, 3], [1, 2, 3, 4, 5, 6]],
    ['no-op without input', [matrix], { noop_with_empty_axes: 1 }, undefined, [2, 3], [1, 2, 3, 4, 5, 6]],
    ['an attribute', [matrix], { axes: [-1], keepdims: 0 }, 12, [2], [6, 15]],
    ['no attribute', [matrix], { keepdims: 0 }, 7, [], [21]],
  ] as const)('%s', (_, inputs, attributes, opset, shape, values) => {
    const call = opset === undefined ? {} : { opset }
    expect(shapeOf(ReduceSum, inputs, attributes, call)).toEqual(shape)
    expect(evaluateNumbers(ReduceSum, inputs, attributes, call)).toEqual(values)
    expect(inferOp(ReduceSum, inputs, attributes, call)).toEqual([tensorType('float32', shape)])
  })

  test('a composite reduction over no axes still does the rest', () => {
    const plain = { noop_with_empty_axes: 1 }
    expect(evaluateNumbers(ReduceSumSquare, [matrix], plain)).toEqual([1, 4, 9, 16, 25, 36])
    expect(evaluateNumbers(ReduceL1, [float32([-2, 2])], plain)).toEqual([2, 2])
    expect(evaluateNumbers(ReduceLogSum, [float32([1])], plain)).toEqual([0])
  })

  test('a scalar', () => {
    expect(shapeOf(ReduceMean, [float32([3], [])], {})).toEqual([])
    expect(evaluateNumbers(ReduceMean, [float32([3], [])])).toEqual([3])
  })

  test('axes out of range and repeated axes are refused', () => {
    expect(() => evaluateOp(ReduceSum, [matrix, int64([2])])).toThrow('axis 2 is outside')
    expect(() => evaluateOp(ReduceSum, [matrix, int64([1, -1])])).toThrow('named twice')
    expect(() => inferOp(ReduceMax, [matrix], { axes: [5] }, { opset: 13 })).toThrow('axis 5')
  })

  test('inference without the axes', () => {
    const [data, axes] = [tensorType('float32', ['n', 3]), tensorType('int64', [1])]
    expect(inferOp(ReduceSum, [data, axes])).toEqual([tensorType('float32', [null, null])])
    expect(inferOp(ReduceSum, [data, axes], { keepdims: 0 })).toEqual([tensorType('float32', [null])])
    expect(inferOp(ReduceSum, [data, tensorType('int64')], { keepdims: 0 })).toEqual([tensorType('float32')])
    expect(inferOp(ReduceSum, [data, int64([1])], { keepdims: 0 })).toEqual([tensorType('float32', ['n'])])
    expect(inferOp(ReduceSum, [data, tensorType('int64', [0])], { noop_with_empty_axes: 1 })).toEqual([data])
  })
})

test.each([
  [ReduceSum, 0],
  [ReduceProd, 1],
  [ReduceMax, -inf],
  [ReduceMin, inf],
  [ReduceMean, nan],
  [ReduceL1, 0],
  [ReduceL2, 0],
  [ReduceSumSquare, 0],
  [ReduceLogSum, -inf],
  [ReduceLogSumExp, -inf],
])('$name of no elements is $1', (op, value) => {
  expect(evaluateNumbers(op as Op, [zeros('float32', [2, 0, 3]), int64([1])], { keepdims: 0 })).toEqual(
    new Array(6).fill(value),
  )
  expect(shapeOf(op as Op, [zeros('float32', [2, 0, 3]), int64([0])])).toEqual([1, 0, 3])
})

test.each([
  ['int8', [-128], [127]],
  ['uint8', [0], [255]],
  ['int32', [-(2 ** 31)], [2 ** 31 - 1]],
  ['bool', [0], [1]],
] as [DType, number[], number[]][])('extrema of no %s', (dtype, least, greatest) => {
  const empty = zeros(dtype, [0]) as Tensor
  expect(evaluateNumbers(ReduceMax, [empty], { keepdims: 0 })).toEqual(least)
  expect(evaluateNumbers(ReduceMin, [empty], { keepdims: 0 })).toEqual(greatest)
})

test('bools are ordered false, true', () => {
  const bools = fromNumbers('bool', [2, 2], [0, 1, 0, 0])
  expect(evaluateNumbers(ReduceMax, [bools, int64([1])])).toEqual([1, 0])
  expect(evaluateNumbers(ReduceMin, [bools, int64([0])])).toEqual([0, 0])
})

describe('integers', () => {
  const huge = 2n ** 62n
  test('64-bit results are exact and wrap', () => {
    expect(exact(ReduceSum, long(huge, 1n, 1n))).toEqual([huge + 2n])
    expect(exact(ReduceSum, long(huge, huge))).toEqual([-(2n ** 63n)])
    expect(exact(ReduceProd, long(2n ** 40n, 3n, 2n ** 21n + 1n))).toEqual([
      BigInt.asIntN(64, 2n ** 40n * 3n * (2n ** 21n + 1n)),
    ])
    expect(exact(ReduceMax, long(huge, huge + 1n))).toEqual([huge + 1n])
    expect(exact(ReduceMean, long(huge, huge + 2n))).toEqual([huge + 1n])
    expect(exact(ReduceL1, long(-huge, 1n))).toEqual([huge + 1n])
  })

  test('32-bit products wrap', () => {
    expect(evaluateNumbers(ReduceProd, [fromNumbers('int32', [3], [65537, 65537, 3])])).toEqual([
      Number(BigInt.asIntN(32, 65537n * 65537n * 3n)),
    ])
  })

  test('means and roots are truncated', () => {
    expect(evaluateNumbers(ReduceMean, [fromNumbers('int32', [2], [-3, 0])])).toEqual([-1])
    expect(evaluateNumbers(ReduceL2, [fromNumbers('int32', [2], [1, 2])])).toEqual([2])
    expect(evaluateNumbers(ReduceLogSum, [fromNumbers('int32', [2], [10, 20])])).toEqual([3])
  })

  test('the norm of one 64-bit integer is its absolute value', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), value => {
        expect(exact(ReduceL2, long(value))).toEqual([value < 0n ? -value : value])
      }),
    )
  })
})

test('log-sum-exp neither overflows nor loses infinities', () => {
  const of = (...values: number[]): number => evaluateNumbers(ReduceLogSumExp, [float32(values)])[0]!
  expect(of(1000, 1000)).toBeCloseTo(1000 + Math.log(2), 3)
  expect(of(-inf, -inf)).toBe(-inf)
  expect(of(inf, 1)).toBe(inf)
  expect(of(nan, 1)).toBe(nan)
})

test('NaN wins extrema; float16 is rounded once', () => {
  expect(evaluateNumbers(ReduceMax, [float32([1, nan, 3])])).toEqual([nan])
  expect(evaluateNumbers(ReduceMean, [fromNumbers('float16', [2], [60000, 60000])])).toEqual([60000])
})

describe('contents of shape arithmetic', () => {
  const shape = tensorType('int64', [3])
  const contents = (op: Op, list: (number | string | null)[], attributes = {}) =>
    op.contents!(inferContextOf(op, [shape], attributes, {}, [list]))[0]
  test('products, sums and extrema of dimensions', () => {
    expect(contents(ReduceProd, ['n', 2, 3])).toEqual(['6*n'])
    expect(contents(ReduceSum, ['n', 2, 3], { keepdims: 0 })).toEqual(['n+5'])
    expect(contents(ReduceMax, [4, 9, 2])).toEqual([9])
    expect(contents(ReduceMin, [4, null, 2])).toEqual([null])
    expect(contents(ReduceProd, ['n', 2, 3], { noop_with_empty_axes: 1 })).toEqual(['n', 2, 3])
  })
  test('the largest of none is no dimension', () => {
    expect(contents(ReduceMax, [])).toBeUndefined()
    expect(contents(ReduceProd, [])).toEqual([1])
  })
})

describe('positions of extrema', () => {
  const ties = float32([2, 1, 2, 1], [1, 4])
  test('first or last of equals', () => {
    expect(evaluateNumbers(ArgMax, [ties], { axis: 1 })).toEqual([0])
    expect(evaluateNumbers(ArgMax, [ties], { axis: -1, select_last_index: 1 })).toEqual([2])
    expect(evaluateNumbers(ArgMin, [ties], { axis: 1, keepdims: 0, select_last_index: 1 })).toEqual([3])
  })
  test('NaN counts as the extremum', () => {
    expect(evaluateNumbers(ArgMin, [float32([1, nan, 0, nan])])).toEqual([1])
    expect(evaluateNumbers(ArgMax, [float32([1, nan, 9, nan])], { select_last_index: 1 })).toEqual([3])
  })
  test('64-bit integers are told apart', () => {
    expect(exact(ArgMax, long(2n ** 60n, 2n ** 60n + 1n))).toEqual([1n])
  })
  test('there must be elements', () => {
    expect(() => evaluateOp(ArgMax, [zeros('float32', [2, 0])], { axis: 1 })).toThrow('ArgMax of no elements')
    expect(shapeOf(ArgMax, [zeros('float32', [2, 0])], { axis: 0 })).toEqual([1, 0])
  })
  test('types', () => {
    const data = tensorType('uint8', ['n', 4])
    expect(inferOp(ArgMax, [data], { axis: 1, keepdims: 0 })).toEqual([tensorType('int64', ['n'])])
    expect(inferOp(ArgMin, [undefined])).toEqual([tensorType('int64')])
  })
})

describe('running results', () => {
  const axis = int64(0)
  const list = float32([1, 2, 3])
  test.each([
    [{}, [1, 3, 6], [1, 2, 6]],
    [{ exclusive: 1 }, [0, 1, 3], [1, 1, 2]],
    [{ reverse: 1 }, [6, 5, 3], [6, 6, 3]],
    [{ exclusive: 1, reverse: 1 }, [5, 3, 0], [6, 3, 1]],
  ])('%o', (attributes, sums, products) => {
    expect(evaluateNumbers(CumSum, [list, axis], attributes)).toEqual(sums)
    expect(evaluateNumbers(CumProd, [list, axis], attributes)).toEqual(products)
  })
  test('integers are exact and wrap', () => {
    expect(exact(CumSum, long(2n ** 62n, 2n ** 62n, 1n), axis)).toEqual([
      2n ** 62n,
      -(2n ** 63n),
      -(2n ** 63n) + 1n,
    ])
    expect(evaluateNumbers(CumSum, [fromNumbers('uint32', [2], [2 ** 32 - 1, 2]), axis])).toEqual([
      2 ** 32 - 1,
      1,
    ])
  })
  test('an empty axis, and an axis that does not exist', () => {
    expect(shapeOf(CumSum, [zeros('float32', [2, 0]), int64([-1])])).toEqual([2, 0])
    expect(() => evaluateOp(CumSum, [list, int64(1)])).toThrow('axis 1 is outside')
  })
})
