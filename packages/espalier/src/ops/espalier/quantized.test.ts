/** The project's own quantised operators: types, cost, weights, refusals, and small results by hand. */
import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import { fromNumbers, full } from '../../tensor/elements.ts'
import { float32, type Tensor } from '../../tensor/tensor.ts'
import { evaluateNumbers, inferContextOf, inferOp } from '../support/testing.ts'
import { DynamicQuantizedMatMul, Lookup, QuantizedAdd, QuantizedConv, QuantizedMatMul } from './index.ts'

const scalar = (dtype: DType, value: number): Tensor => full(dtype, [], value) as Tensor
const fails = (code: string): unknown => expect.objectContaining({ code })

describe('QuantizedMatMul', () => {
  const x = fromNumbers('uint8', [1, 2], [12, 7])
  const w = fromNumbers('int8', [2, 2], [1, -2, 3, 4])
  const inputs = (bias?: Tensor): (Tensor | undefined)[] => [
    ...[x, scalar('float32', 0.5), scalar('uint8', 10)],
    ...[w, float32([1, 2]), fromNumbers('int8', [2], [0, 1])],
    ...[scalar('float32', 0.5), scalar('int8', 1), bias],
  ]

  test('takes off zero points, adds the bias to the sums, activates before rounding', () => {
    // Rows 2 -3; columns 1 3 and -3 3: sums -7 and -15, scaled by 1 and 2.
    expect(evaluateNumbers(QuantizedMatMul, inputs())).toEqual([-6, -29])
    const bias = fromNumbers('int32', [2], [10, 0])
    expect(evaluateNumbers(QuantizedMatMul, inputs(bias), { activation: 'relu' })).toEqual([4, 1])
    expect(
      evaluateNumbers(QuantizedMatMul, inputs(bias), {
        activation: 'leaky_relu',
        alpha: { type: 'float', value: 0.5 },
      }),
    ).toEqual([4, -14])
    expect(() => evaluateNumbers(QuantizedMatMul, inputs(fromNumbers('int32', [3], [1, 2, 3])))).toThrow(
      fails('bad-shape'),
    )
  })

  test('types, cost and weights', () => {
    const types = ['uint8', 'float32', 'uint8', 'int8', 'float32', 'int8', 'float32', 'int8'] as const
    const shapes = [['n', 3], [], [], [3, 4], [], [], [], []]
    const c = inferContextOf(
      QuantizedMatMul,
      types.map((dtype, i) => tensorType(dtype, shapes[i]!)),
    )
    expect(QuantizedMatMul.infer(c)).toEqual([tensorType('int8', ['n', 4])])
    expect(QuantizedMatMul.macs!(c)).toBe('12*n')
    expect(QuantizedMatMul.weights!(c)).toEqual([{ input: 3, rows: [1], columns: [0], zeroPoint: 5 }])
  })
})

test('QuantizedConv has its channels last, and the weight in the order of ONNX', () => {
  const one = [scalar('float32', 1), scalar('uint8', 0)]
  const inputs = [
    ...[fromNumbers('uint8', [1, 1, 2, 2], [1, 2, 3, 4]), ...one],
    ...[fromNumbers('int8', [1, 2, 1, 2], [1, 10, 100, -1]), scalar('float32', 1), scalar('int8', 0)],
    ...one,
  ]
  // Pixels (1, 2) and (3, 4): 1*1 + 3*10 + 2*100 - 4.
  expect(evaluateNumbers(QuantizedConv, inputs)).toEqual([227])
  expect(inferOp(QuantizedConv, inputs)).toEqual([tensorType('uint8', [1, 1, 1, 1])])
})

test('DynamicQuantizedMatMul quantises over the range of its input', () => {
  const inputs = [
    float32([0, 255, 51], [1, 3]),
    fromNumbers('int8', [3, 1], [1, 2, 3]),
    scalar('float32', 0.5),
  ]
  expect(evaluateNumbers(DynamicQuantizedMatMul, inputs)).toEqual([331.5])
  const ends = [undefined, float32([1]), float32([-400], [1, 1])]
  expect(evaluateNumbers(DynamicQuantizedMatMul, [...inputs, ...ends])).toEqual([-67.5])
  expect(evaluateNumbers(DynamicQuantizedMatMul, [...inputs, ...ends], { activation: 'relu' })).toEqual([0])
})

test('QuantizedAdd', () => {
  const operand = (values: number[], scale: number, zero: number): Tensor[] => [
    fromNumbers('uint8', [2], values),
    scalar('float32', scale),
    scalar('uint8', zero),
  ]
  const inputs = [
    ...operand([3, 1], 1, 0),
    ...operand([2, 0], 2, 2),
    scalar('float32', 1),
    scalar('int8', -5),
  ]
  expect(evaluateNumbers(QuantizedAdd, inputs)).toEqual([-2, -8])
  expect(evaluateNumbers(QuantizedAdd, inputs, { activation: 'relu' })).toEqual([-2, -5])
})

test('Lookup goes by bytes', () => {
  const table = fromNumbers(
    'uint8',
    [256],
    Array.from({ length: 256 }, (_, i) => 255 - i),
  )
  expect(evaluateNumbers(Lookup, [fromNumbers('int8', [3], [0, -1, -128]), table])).toEqual([255, 0, 127])
  expect(() => evaluateNumbers(Lookup, [fromNumbers('int8', [1], [0]), float32([1])])).toThrow(
    fails('bad-shape'),
  )
})
