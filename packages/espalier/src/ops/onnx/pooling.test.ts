/**
 * Pools over windows, planes and regions of interest. Window geometry itself is tested in
 * support/window.test.ts.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { float32, int64, type Tensor, zeros } from '../../tensor/tensor.ts'
import { evaluateNumbers, evaluateOp, inferOp } from '../support/testing.ts'
import {
  AveragePool,
  GlobalAveragePool,
  GlobalLpPool,
  GlobalMaxPool,
  LpPool,
  MaxPool,
  MaxRoiPool,
  MaxUnpool,
  RoiAlign,
} from './index.ts'

const fails = (code: string): unknown => expect.objectContaining({ code })
const { NaN: nan, NEGATIVE_INFINITY: minusInfinity } = Number
const line = (...values: number[]): Tensor => float32(values, [1, 1, values.length])
const twice = (
  op: typeof MaxPool,
  inputs: Tensor[],
  attributes: Record<string, number | number[]>,
): number[][] =>
  evaluateOp(op, inputs, attributes, { outputs: 2 }).map(value => Array.from(numbers(value as Tensor)))

describe('AveragePool', () => {
  const x = line(1, 2, 4, 8, 16)
  test.each<[Record<string, string | number | number[]>, number[]]>([
    [{ kernel_shape: [2] }, [1.5, 3, 6, 12]],
    [{ kernel_shape: [2], dilations: [3] }, [4.5, 9]],
    [{ kernel_shape: [3], pads: [1, 1], strides: [2] }, [1.5, 14 / 3, 12]],
    [{ kernel_shape: [3], pads: [1, 1], strides: [2], count_include_pad: 1 }, [1, 14 / 3, 8]],
    // The last window reaches beyond the declared padding, and what it finds there never counts.
    [{ kernel_shape: [3], pads: [0, 1], strides: [4], ceil_mode: 1 }, [7 / 3, 16]],
    [{ kernel_shape: [3], pads: [0, 1], strides: [4], ceil_mode: 1, count_include_pad: 1 }, [7 / 3, 8]],
    [{ kernel_shape: [2], auto_pad: 'SAME_UPPER', strides: [2] }, [1.5, 6, 16]],
    [{ kernel_shape: [2], auto_pad: 'SAME_LOWER', strides: [2], count_include_pad: 1 }, [0.5, 3, 12]],
  ])('%j', (attributes, wanted) => {
    expect(evaluateNumbers(AveragePool, [x], attributes)).toEqual(wanted.map(Math.fround))
    expect(inferOp(AveragePool, [tensorType('float32', [1, 1, 5])], attributes)).toEqual([
      tensorType('float32', [1, 1, wanted.length]),
    ])
  })

  test('two axes, several planes, a symbolic batch', () => {
    const planes = fromNumbers('float64', [1, 2, 2, 2], [1, 2, 3, 4, 10, 20, 30, 40])
    expect(evaluateNumbers(AveragePool, [planes], { kernel_shape: [2, 1] })).toEqual([2, 3, 20, 30])
    expect(inferOp(AveragePool, [tensorType('float16', ['n', 3, 'h', 4])], { kernel_shape: [2, 2] })).toEqual(
      [tensorType('float16', ['n', 3, 'h-1', 3])],
    )
  })

  test('what does not fit', () => {
    for (const shape of [
      [1, 5],
      [1, 1, 5, 5],
      [1, 1, 1],
    ])
      expect(() => evaluateOp(AveragePool, [zeros('float32', shape)], { kernel_shape: [2] })).toThrow(
        fails('bad-shape'),
      )
    expect(() => evaluateOp(AveragePool, [x], { kernel_shape: [0] })).toThrow(fails('bad-argument'))
    for (const batch of [0, 1])
      for (const end of [2 ** 34, 2 ** 50])
        expect(() =>
          evaluateOp(AveragePool, [zeros('float32', [batch, 1, 5])], { kernel_shape: [2], pads: [0, end] }),
        ).toThrow(fails('too-large'))
  })
})

describe('MaxPool', () => {
  const grid = fromNumbers('float32', [1, 2, 2, 3], [1, 5, 2, 7, 3, 7, 9, 8, 8, 0, 9, 1])

  test('indices count through the whole tensor, in either storage order; the first of equals wins', () => {
    const pool = { kernel_shape: [2, 2] }
    expect(twice(MaxPool, [grid], pool)).toEqual([
      [7, 7, 9, 9],
      [3, 5, 6, 10],
    ])
    expect(twice(MaxPool, [grid], { ...pool, storage_order: 1 })).toEqual([
      [7, 7, 9, 9],
      [1, 5, 6, 9],
    ])
    expect(twice(MaxPool, [line(3, 3, 3)], { kernel_shape: [2] })[1]).toEqual([0, 1])
    expect(() => twice(MaxPool, [grid], { ...pool, storage_order: 2 })).toThrow(fails('bad-argument'))
  })

  test('storage orders of a cube of any extents', () => {
    const extents = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(extents, spatial => {
        const [n, size] = [2, spatial.reduce((a, b) => a * b, 1)]
        const x = fromNumbers(
          'float64',
          [n, 1, ...spatial],
          Array.from({ length: n * size }, (_, i) => i),
        )
        const attributes = { kernel_shape: spatial.map(() => 1), storage_order: 1 }
        const wanted = Array.from({ length: n * size }, (_, i) => {
          let [rest, result, step] = [i % size, 0, size]
          for (const extent of spatial.toReversed()) {
            step /= extent
            result += (rest % extent) * step
            rest = Math.floor(rest / extent)
          }
          return i - (i % size) + result
        })
        expect(twice(MaxPool, [x], attributes)[1]).toEqual(wanted)
      }),
    )
  })

  test('NaN wins; padding never does, not even over the least value', () => {
    expect(evaluateNumbers(MaxPool, [line(1, nan, 2, 3)], { kernel_shape: [2] })).toEqual([nan, nan, 3])
    expect(evaluateNumbers(MaxPool, [line(minusInfinity)], { kernel_shape: [3], pads: [1, 1] })).toEqual([
      minusInfinity,
    ])
    const bytes = fromNumbers('int8', [1, 1, 3], [-128, -5, -128])
    const y = evaluateOp(MaxPool, [bytes], { kernel_shape: [2], pads: [1, 1] })[0] as Tensor
    expect([y.dtype, Array.from(numbers(y))]).toEqual(['int8', [-128, -5, -5, -128]])
    // Dilation can put a whole window on padding.
    const apart = { kernel_shape: [2], dilations: [3], pads: [2, 2] }
    expect(twice(MaxPool, [fromNumbers('uint8', [1, 1, 1], [9])], apart)).toEqual([
      [0, 0],
      [-1, -1],
    ])
  })

  test('opset 1 has one output and no dilations; types of both outputs', () => {
    expect(evaluateNumbers(MaxPool, [line(1, 3, 2)], { kernel_shape: [2] }, { opset: 7 })).toEqual([3, 3])
    expect(
      inferOp(MaxPool, [tensorType('uint8', [1, 2, 'h'])], { kernel_shape: [3] }, { outputs: 2 }),
    ).toEqual([tensorType('uint8', [1, 2, 'h-2']), tensorType('int64', [1, 2, 'h-2'])])
  })
})

describe('LpPool and global pools', () => {
  test('norms', () => {
    expect(evaluateNumbers(LpPool, [line(3, -4, 0)], { kernel_shape: [2], pads: [0, 1] })).toEqual([5, 4, 0])
    expect(
      evaluateNumbers(LpPool, [line(3, -4, 1)], { kernel_shape: [2], p: 1, strides: [2], ceil_mode: 1 }),
    ).toEqual([7, 1])
    expect(() => evaluateOp(LpPool, [line(1)], { kernel_shape: [1], p: 0 })).toThrow(fails('bad-argument'))
  })

  test('over planes of any rank', () => {
    const x = fromNumbers('float64', [1, 2, 2, 2], [3, 4, 0, 0, -1, -2, -2, -4])
    expect(evaluateNumbers(GlobalLpPool, [x])).toEqual([5, 5])
    expect(evaluateNumbers(GlobalLpPool, [x], { p: 1 })).toEqual([7, 9])
    expect(evaluateNumbers(GlobalAveragePool, [x])).toEqual([1.75, -2.25])
    expect((evaluateOp(GlobalMaxPool, [x])[0] as Tensor).shape).toEqual([1, 2, 1, 1])
    expect(evaluateNumbers(GlobalMaxPool, [x])).toEqual([4, -1])
    expect(evaluateNumbers(GlobalMaxPool, [line(1, nan, 3)])).toEqual([nan])
    expect(inferOp(GlobalAveragePool, [tensorType('bfloat16', ['n', 7, null, 'w'])])).toEqual([
      tensorType('bfloat16', ['n', 7, 1, 1]),
    ])
    expect(() => evaluateOp(GlobalMaxPool, [zeros('float32', [4])])).toThrow(fails('bad-shape'))
  })
})

describe('MaxUnpool', () => {
  test('undoes MaxPool', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 24, maxLength: 24 }), values => {
        const x = fromNumbers('float32', [1, 1, 4, 6], values)
        const attributes = { kernel_shape: [2, 3], strides: [2, 3] }
        const [pooled, indices] = evaluateOp(MaxPool, [x], attributes, { outputs: 2 }) as [Tensor, Tensor]
        const back = evaluateNumbers(MaxUnpool, [pooled, indices], attributes)
        const kept = new Set(numbers(indices))
        expect(back).toEqual(values.map((value, i) => (kept.has(i) ? value : 0)))
      }),
      { numRuns: 20 },
    )
  })

  test('output_shape puts the block into a corner', () => {
    const [x, indices] = [line(5, 6), fromNumbers('int64', [1, 1, 2], [1, 2])]
    const attributes = { kernel_shape: [2], strides: [2] }
    expect(evaluateNumbers(MaxUnpool, [x, indices, int64([1, 1, 6])], attributes)).toEqual([0, 5, 6, 0, 0, 0])
    expect(() => evaluateOp(MaxUnpool, [x, indices, int64([1, 1, 3])], attributes)).toThrow(
      fails('bad-shape'),
    )
    const wrong = fromNumbers('int64', [1, 1, 2], [1, 4])
    expect(() => evaluateOp(MaxUnpool, [x, wrong], attributes)).toThrow(fails('bad-argument'))
    expect(inferOp(MaxUnpool, [tensorType('float32', ['n', 1, 'w'])], attributes)).toEqual([
      tensorType('float32', ['n', 1, '2*w']),
    ])
  })
})

describe('regions of interest', () => {
  const ramp = fromNumbers(
    'float32',
    [1, 1, 4, 4],
    Array.from({ length: 16 }, (_, i) => i),
  )

  test('MaxRoiPool rounds regions, lets cells overlap and gives 0 for empty ones', () => {
    const pooled_shape = [2, 2]
    const pool = (...roi: number[]): number[] =>
      evaluateNumbers(MaxRoiPool, [ramp, float32([0, ...roi], [1, 5])], { pooled_shape })
    expect(pool(0, 0, 3, 3)).toEqual([5, 7, 13, 15])
    expect(pool(0, 0, 2, 2)).toEqual([5, 6, 9, 10])
    expect(pool(0.5, 0.4, 2.6, 1.4)).toEqual([2, 3, 6, 7])
    expect(pool(5, 5, 6, 6)).toEqual([0, 0, 0, 0])
    expect(() => evaluateOp(MaxRoiPool, [ramp, zeros('float32', [1, 4])], { pooled_shape })).toThrow(
      fails('bad-shape'),
    )
    expect(() => evaluateOp(MaxRoiPool, [ramp, float32([1, 0, 0, 1, 1], [1, 5])], { pooled_shape })).toThrow(
      fails('bad-argument'),
    )
  })

  const align = (roi: number[], attributes: Record<string, string | number>, opset?: number): number[] =>
    evaluateNumbers(RoiAlign, [ramp, float32(roi, [1, 4]), int64([0])], attributes, opset ? { opset } : {})

  test('RoiAlign averages points between elements', () => {
    const output = { output_height: 1, output_width: 2, sampling_ratio: 1 }
    // A region from 0.5 to 2.5: its one row has its middle at 1.5, its two columns at 1 and 2.
    expect(align([1, 1, 3, 3], output)).toEqual([7, 8])
    expect(
      align([0.5, 0.5, 2.5, 2.5], { ...output, coordinate_transformation_mode: 'output_half_pixel' }),
    ).toEqual([7, 8])
    expect(align([0.5, 0.5, 2.5, 2.5], output, 10)).toEqual([7, 8])
    expect(align([0, 0, 2, 2], { spatial_scale: 2, sampling_ratio: 2 })).toEqual([7.5])
  })

  test('RoiAlign: adaptive grids, regions outside, the maximum of weighted corners', () => {
    expect(align([0.5, 0.5, 3.5, 3.5], {})).toEqual([7.5])
    expect(align([10, 10, 12, 12], {})).toEqual([0])
    expect(align([1, 1, 3, 3], { mode: 'max', sampling_ratio: 1, output_width: 2 })).toEqual([4.5, 5])
    expect(align([3, 3, 1, 1], {})).toEqual([0])
    expect(() => align([0, 0, 1, 1], { mode: 'min' })).toThrow(fails('bad-argument'))
    expect(() => align([0, 0, 2 ** 60, 1], {})).toThrow(fails('too-large'))
    expect(
      inferOp(RoiAlign, [tensorType('float32', [1, 3, 'h', 'w']), tensorType('float32', ['r', 4])]),
    ).toEqual([tensorType('float32', ['r', 3, 1, 1])])
  })
})
