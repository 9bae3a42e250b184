/**
 * Quantisation: rounding, saturation, granularity and data types, and matrix products of quantised tensors.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { numberOfDtype } from '../../formats/onnx/tensor-proto.ts'
import { tensorType } from '../../graph/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import { fromNumbers, full, numbers } from '../../tensor/elements.ts'
import { float32, type Tensor, zeros } from '../../tensor/tensor.ts'
import {
  evaluateNumbers,
  evaluateOp,
  inferContextOf,
  inferOp,
  type PlainAttributes,
} from '../support/testing.ts'
import {
  DequantizeLinear,
  DynamicQuantizeLinear,
  MatMulInteger,
  QLinearMatMul,
  QuantizeLinear,
} from './index.ts'

const fails = (code: string): unknown => expect.objectContaining({ code })
const { NaN: nan, POSITIVE_INFINITY: inf } = Number
const scalar = (dtype: DType, value: number): Tensor => full(dtype, [], value) as Tensor

/** `values` quantised with scale 1 and zero point 0. */
const quantize = (dtype: DType, values: number[], attributes: PlainAttributes = {}): number[] =>
  evaluateNumbers(QuantizeLinear, [float32(values), scalar('float32', 1), scalar(dtype, 0)], attributes)

describe('QuantizeLinear', () => {
  test.each<[DType, number, number]>([
    ['int8', -128, 127],
    ['uint8', 0, 255],
    ['int16', -32768, 32767],
    ['uint16', 0, 65535],
    ['int4', -8, 7],
    ['uint4', 0, 15],
    ['int2', -2, 1],
    ['uint2', 0, 3],
  ])('%s rounds half to even and saturates', (dtype, least, most) => {
    expect(quantize(dtype, [-inf, -1e9, inf, nan])).toEqual([least, least, most, least])
    const half = [-1.5, -0.5, 0.5, 1.5, 2.5].map(v => Math.min(Math.max(v, least), most))
    const even = [-2, 0, 0, 2, 2].map(v => Math.min(Math.max(v, least), most))
    expect(quantize(dtype, half).map(v => v + 0)).toEqual(even.map(v => v + 0))
  })

  test('the zero point is added after rounding', () => {
    const [scale, zero] = [scalar('float32', 2), scalar('uint8', 3)]
    expect(evaluateNumbers(QuantizeLinear, [float32([1, 3, 5, -9]), scale, zero])).toEqual([3, 5, 5, 0])
    expect(evaluateNumbers(QuantizeLinear, [fromNumbers('int32', [2], [1, 510]), scale])).toEqual([0, 255])
  })

  test('floats saturate, or overflow, as the format has it', () => {
    expect(quantize('float8e4m3fn', [500, -inf, 1.0625, nan])).toEqual([448, -448, 1, nan])
    expect(quantize('float8e4m3fn', [500], { saturate: 0 })).toEqual([nan])
    expect(quantize('float8e5m2', [1e6, 1.125])).toEqual([57344, 1])
    expect(quantize('float8e5m2', [1e6], { saturate: 0 })).toEqual([inf])
    expect(quantize('float8e5m2fnuz', [1e6, -0])).toEqual([57344, 0])
    expect(quantize('float4e2m1', [0.25, 0.75, 2.5, 100, -100])).toEqual([0, 1, 2, 6, -6])
  })

  test('one scale for each place on an axis', () => {
    const x = fromNumbers('float32', [2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])
    const run = (axis?: number): number[] =>
      evaluateNumbers(
        QuantizeLinear,
        [x, float32([1, 0.1]), fromNumbers('int8', [2], [0, 10])],
        axis === undefined ? {} : { axis },
      )
    expect(run()).toEqual([1, 2, 40, 50, 5, 6, 80, 90])
    expect(run(-1)).toEqual([1, 30, 3, 50, 5, 70, 7, 90])
    expect(run(0)).toEqual([1, 2, 3, 4, 60, 70, 80, 90])
    expect(() => run(3)).toThrow(fails('bad-argument'))
    expect(() => evaluateOp(QuantizeLinear, [x, float32([1, 1, 1])])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(QuantizeLinear, [x, float32([1, 1]), scalar('int8', 0)])).toThrow(
      fails('bad-shape'),
    )
    expect(() => evaluateOp(QuantizeLinear, [x, float32([1, 1, 1, 1], [2, 2])])).toThrow(fails('bad-shape'))
  })

  test('one scale for each block; the last block may be short', () => {
    const x = fromNumbers('float32', [2, 5], [1, 2, 3, 4, 5, 1, 2, 3, 4, 5])
    const scale = float32([1, 0.5, 0.25, 0.1, 0.2, 1], [2, 3])
    expect(evaluateNumbers(QuantizeLinear, [x, scale], { axis: 1, block_size: 2 })).toEqual([
      1, 2, 6, 8, 20, 10, 20, 15, 20, 5,
    ])
    const columns = { axis: 0, block_size: 2 }
    expect(evaluateNumbers(QuantizeLinear, [x, float32([1, 1, 1, 1, 0.1], [1, 5])], columns)).toEqual([
      1, 2, 3, 4, 50, 1, 2, 3, 4, 50,
    ])
    expect(() => evaluateOp(QuantizeLinear, [x, scale], { axis: 1, block_size: 3 })).toThrow(
      fails('bad-shape'),
    )
    expect(() => evaluateOp(QuantizeLinear, [x, scale], { axis: 1, block_size: -1 })).toThrow(
      fails('bad-argument'),
    )
  })

  test('the division has the precision of the scale, or the one asked for', () => {
    // 1.5 + 2^-8 over 1 is a tie in bfloat16 (8 significant bits), and is not in float32.
    const x = float32([2.5078125])
    expect(evaluateNumbers(QuantizeLinear, [x, scalar('float32', 1)])).toEqual([3])
    expect(evaluateNumbers(QuantizeLinear, [x, scalar('bfloat16', 1)])).toEqual([2])
    const asked = { precision: numberOfDtype('bfloat16') }
    expect(evaluateNumbers(QuantizeLinear, [x, scalar('float32', 1)], asked)).toEqual([2])
    expect(evaluateNumbers(QuantizeLinear, [x, scalar('float8e8m0', 0.5)])).toEqual([5])
    expect(() =>
      evaluateOp(QuantizeLinear, [x, scalar('float32', 1)], { precision: numberOfDtype('int8') }),
    ).toThrow(fails('bad-argument'))
  })

  test('the output type: the zero point, output_dtype, or uint8', () => {
    const x = tensorType('float32', ['n', 3])
    const [scale, int16] = [tensorType('float32', []), numberOfDtype('int16')]
    expect(inferOp(QuantizeLinear, [x, scale])).toEqual([tensorType('uint8', ['n', 3])])
    expect(inferOp(QuantizeLinear, [x, scale], { output_dtype: int16 })).toEqual([
      tensorType('int16', ['n', 3]),
    ])
    expect(inferOp(QuantizeLinear, [x, scale, tensorType('int4', [])])).toEqual([
      tensorType('int4', ['n', 3]),
    ])
    expect(quantize('int16', [3], { output_dtype: int16 })).toEqual([3])
    expect(() => quantize('int8', [3], { output_dtype: int16 })).toThrow(fails('bad-dtype'))
    expect(() =>
      evaluateOp(QuantizeLinear, [float32([1]), scalar('float32', 1)], { output_dtype: 1 }),
    ).toThrow(fails('bad-argument'))
  })
})

describe('DequantizeLinear', () => {
  test('(x - zero point) * scale, by axis and by block', () => {
    const x = fromNumbers('uint8', [2, 3], [0, 128, 255, 1, 2, 3])
    const axis = [float32([2, 0.5]), fromNumbers('uint8', [2], [128, 1])]
    expect(evaluateNumbers(DequantizeLinear, [x, ...axis], { axis: 0 })).toEqual([-256, 0, 254, 0, 0.5, 1])
    const blocks = [float32([1, 2, 3, 4], [2, 2])]
    expect(evaluateNumbers(DequantizeLinear, [x, ...blocks], { block_size: 2 })).toEqual([
      0, 128, 510, 3, 6, 12,
    ])
  })

  test.each<[DType, number[], number[]]>([
    ['int32', [-70000, 3], [-35000, 1.5]],
    ['int4', [-8, 7], [-4, 3.5]],
    ['uint2', [3, 1], [1.5, 0.5]],
    ['float8e4m3fn', [448, -0.5], [224, -0.25]],
    ['float4e2m1', [-6, 0.5], [-3, 0.25]],
  ])('%s', (dtype, x, wanted) => {
    expect(evaluateNumbers(DequantizeLinear, [fromNumbers(dtype, [2], x), scalar('float32', 0.5)])).toEqual(
      wanted,
    )
  })

  test('the output type: output_dtype, or that of the scale', () => {
    const [x, half] = [fromNumbers('int8', [1], [3]), { output_dtype: numberOfDtype('float16') }]
    expect((evaluateOp(DequantizeLinear, [x, scalar('bfloat16', 1)])[0] as Tensor).dtype).toBe('bfloat16')
    expect((evaluateOp(DequantizeLinear, [x, scalar('float8e8m0', 2)], half)[0] as Tensor).dtype).toBe(
      'float16',
    )
    expect(inferOp(DequantizeLinear, [tensorType('int8', ['n']), tensorType('float32', [])], half)).toEqual([
      tensorType('float16', ['n']),
    ])
    expect(() => evaluateOp(DequantizeLinear, [x, scalar('float8e8m0', 2)])).toThrow(fails('bad-dtype'))
  })

  test('undoes QuantizeLinear to within half a step', () => {
    const values = fc.array(fc.float({ min: -60, max: 60, noNaN: true }), { minLength: 1, maxLength: 9 })
    fc.assert(
      fc.property(values, list => {
        const parameters = [scalar('float32', 0.5), scalar('int8', -3)]
        const q = evaluateOp(QuantizeLinear, [float32(list), ...parameters])[0] as Tensor
        for (const [i, y] of evaluateNumbers(DequantizeLinear, [q, ...parameters]).entries())
          expect(Math.abs(y - list[i]!)).toBeLessThanOrEqual(0.25)
      }),
    )
  })
})

describe('DynamicQuantizeLinear', () => {
  const run = (values: number[]): number[][] =>
    evaluateOp(DynamicQuantizeLinear, [float32(values)], {}, { outputs: 3 }).map(v =>
      Array.from(numbers(v as Tensor)),
    )

  test('the range is widened to hold zero', () => {
    expect(run([0, 2.55])).toEqual([[0, 255], [Math.fround(Math.fround(2.55) / 255)], [0]])
    expect(run([-255, -51])).toEqual([[0, 204], [1], [255]])
    expect(run([-1, 254])).toEqual([[0, 255], [1], [1]])
  })

  test('nothing but zeros, or nothing at all', () => {
    expect(run([0, 0])).toEqual([[0, 0], [0], [0]])
    expect(run([])).toEqual([[], [0], [0]])
  })
})

describe('matrix products', () => {
  const a = fromNumbers('uint8', [2, 3], [1, 2, 3, 255, 0, 128])
  const b = fromNumbers('int8', [3, 2], [1, -1, -128, 127, 2, 0])

  test('MatMulInteger takes off zero points: one, by row or by column', () => {
    expect(evaluateNumbers(MatMulInteger, [a, b])).toEqual([-249, 253, 511, -255])
    const [aZero, bZero] = [fromNumbers('uint8', [2], [1, 128]), fromNumbers('int8', [2], [1, -1])]
    // Rows 0 1 2 and 127 -128 0; columns 0 -129 1 and 0 128 1.
    const wanted = [-127, 130, 16512, -16384]
    expect(evaluateNumbers(MatMulInteger, [a, b, aZero, bZero])).toEqual(wanted)
    const batched = [a, b, aZero, bZero].map((t, i) =>
      fromNumbers(
        t.dtype,
        [
          [1, 2, 3],
          [1, 3, 2],
          [1, 2, 1],
          [1, 1, 2],
        ][i]!,
        numbers(t),
      ),
    )
    expect(evaluateNumbers(MatMulInteger, batched)).toEqual(wanted)
    expect(() => evaluateOp(MatMulInteger, [a, b, zeros('uint8', [3])])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(MatMulInteger, [a, b, zeros('uint8', [1, 3])])).toThrow(fails('bad-shape'))
  })

  const multiply = (x: Tensor[], w: Tensor[], y: Tensor[]): Tensor =>
    evaluateOp(QLinearMatMul, [...x, ...w, ...y])[0] as Tensor

  test('QLinearMatMul: scales by row and column, half to even before the zero point, saturation', () => {
    const x = [a, float32([0.5, 0.25]), fromNumbers('uint8', [2], [1, 128])]
    const w = [b, float32([1, 0.5]), fromNumbers('int8', [2], [1, -1])]
    // Sums -127 130 16512 -16384, times 0.5 0.25 0.25 0.125.
    const y = multiply(x, w, [scalar('float32', 1), scalar('int8', 1)])
    expect([y.dtype, Array.from(numbers(y))]).toEqual(['int8', [-63, 33, 127, -128]])
    expect(Array.from(numbers(multiply(x, w, [scalar('float32', 32), scalar('uint8', 130)])))).toEqual([
      128, 131, 255, 66,
    ])
  })

  test('QLinearMatMul: the product of the scales is rounded to float32, which decides ties', () => {
    const one = [fromNumbers('int8', [1, 1], [15]), scalar('float32', 0.1), scalar('int8', 0)]
    const other = [fromNumbers('int8', [1, 1], [1]), scalar('float32', 0.1), scalar('int8', 0)]
    // Without the rounding the sum 15 is 0.499999995.
    expect(numbers(multiply(one, other, [scalar('float32', 0.3), scalar('int8', 0)]))[0]).toBe(1)
  })

  test('QLinearMatMul of vectors, and of float8', () => {
    const vector = [fromNumbers('int8', [2], [3, 4]), scalar('float16', 1), scalar('int8', 0)]
    const matrix = [
      fromNumbers('int8', [2, 2], [1, 0, 0, 1]),
      fromNumbers('float16', [2], [1, 2]),
      zeros('int8', [2]),
    ]
    const output = [scalar('float16', 1), scalar('int8', 0)]
    expect(Array.from(numbers(multiply(vector, matrix as Tensor[], output)))).toEqual([3, 8])
    const rows = [matrix[0]!, fromNumbers('float16', [2], [1, 2]), zeros('int8', [2])] as Tensor[]
    expect(multiply(rows, vector, output)).toEqual(fromNumbers('int8', [2], [3, 8]))
    const eighth = [
      fromNumbers('float8e4m3fn', [1, 2], [1.5, 400]),
      scalar('float32', 1),
      scalar('float8e4m3fn', 0),
    ]
    const tall = [fromNumbers('float8e4m3fn', [2, 1], [1, 2]), ...eighth.slice(1)]
    expect(multiply(eighth, tall, eighth.slice(1))).toEqual(fromNumbers('float8e4m3fn', [1, 1], [448]))
  })

  test('types, cost and weights', () => {
    const types = ['uint8', 'float32', 'uint8', 'int8', 'float32', 'int8', 'float32', 'uint8'] as const
    const shapes = [['n', 3], [], [], [3, 4], [], [], [], []]
    const c = inferContextOf(
      QLinearMatMul,
      types.map((dtype, i) => tensorType(dtype, shapes[i]!)),
    )
    expect(QLinearMatMul.infer(c)).toEqual([tensorType('uint8', ['n', 4])])
    expect(QLinearMatMul.macs!(c)).toBe('12*n')
    expect(QLinearMatMul.weights!(c)).toEqual([
      { input: 3, rows: [1], columns: [0], zeroPoint: 5 },
      { input: 0, rows: [0], columns: [1], zeroPoint: 2 },
    ])
    expect(inferOp(MatMulInteger, [tensorType('uint8', ['n', 3]), tensorType('int8', [3, 4])])).toEqual([
      tensorType('int32', ['n', 4]),
    ])
  })
})
