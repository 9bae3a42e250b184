/** Convolutions against their definition, written out without any cleverness. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import { fromNumbers, full, numbers } from '../../tensor/elements.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { float32, type Tensor, zeros } from '../../tensor/tensor.ts'
import { firstDifference } from '../../tensor/testing.ts'
import { evaluateNumbers, evaluateOp, inferContextOf, inferOp } from '../support/testing.ts'
import { Conv, ConvInteger, ConvTranspose, DeformConv, QLinearConv } from './index.ts'

const fails = (code: string): unknown => expect.objectContaining({ code })

/** A tensor of small whole numbers, so that sums are exact. */
function whole(shape: readonly number[], seed: number): Tensor<'float64'> {
  return fromNumbers(
    'float64',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7919 + seed * 104729) % 11) - 5),
  )
}

interface Case {
  readonly spatial: number[]
  readonly kernel: number[]
  readonly strides: number[]
  readonly dilations: number[]
  readonly pads: number[]
  readonly groups: number
  readonly perGroup: number
  readonly outputsPerGroup: number
}

/** Random convolutions over one to three axes whose window fits. */
const cases: fc.Arbitrary<Case> = fc.integer({ min: 1, max: 3 }).chain(rank => {
  const list = (min: number, max: number, length = rank): fc.Arbitrary<number[]> =>
    fc.array(fc.integer({ min, max }), { minLength: length, maxLength: length })
  return fc
    .record({
      spatial: list(1, 6),
      kernel: list(1, 3),
      strides: list(1, 3),
      dilations: list(1, 2),
      pads: list(0, 2, 2 * rank),
      groups: fc.integer({ min: 1, max: 2 }),
      perGroup: fc.integer({ min: 1, max: 5 }),
      outputsPerGroup: fc.integer({ min: 1, max: 2 }),
    })
    .filter(c => c.spatial.every((extent, a) => extent + c.pads[a]! + c.pads[a + rank]! >= reachOf(c, a)))
})

const reachOf = (c: Case, axis: number): number => (c.kernel[axis]! - 1) * c.dilations[axis]! + 1
const attributesOf = ({ strides, dilations, pads, groups }: Case): Record<string, number | number[]> => ({
  strides,
  dilations,
  pads,
  group: groups,
})

/** All positions of a shape. */
function positionsOf(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (list, extent) => list.flatMap(at => Array.from({ length: extent }, (_, i) => [...at, i])),
    [[]],
  )
}
const flat = (shape: readonly number[], at: readonly number[]): number =>
  at.reduce((index, position, axis) => index * shape[axis]! + position, 0)

function convolveByDefinition(x: Tensor, w: Tensor, c: Case): { shape: number[]; values: number[] } {
  const rank = c.spatial.length
  const output = c.spatial.map(
    (extent, a) => Math.floor((extent + c.pads[a]! + c.pads[a + rank]! - reachOf(c, a)) / c.strides[a]!) + 1,
  )
  const shape = [x.shape[0]!, w.shape[0]!, ...output]
  const [xs, ws] = [numbers(x), numbers(w)]
  const values = positionsOf(shape).map(([n, m, ...o]) => {
    let sum = 0
    for (const [channel, ...k] of positionsOf(w.shape.slice(1))) {
      const i = k.map((position, a) => o[a]! * c.strides[a]! - c.pads[a]! + position * c.dilations[a]!)
      if (i.some((position, a) => position < 0 || position >= c.spatial[a]!)) continue
      const from = Math.floor(m! / c.outputsPerGroup) * c.perGroup + channel!
      sum += xs[flat(x.shape, [n!, from, ...i])]! * ws[flat(w.shape, [m!, channel!, ...k])]!
    }
    return sum
  })
  return { shape, values }
}

describe('Conv', () => {
  test('is its definition, for any number of axes, groups, strides, dilations and pads', () => {
    fc.assert(
      fc.property(cases, c => {
        const x = whole([2, c.groups * c.perGroup, ...c.spatial], 1)
        const w = whole([c.groups * c.outputsPerGroup, c.perGroup, ...c.kernel], 2)
        const wanted = convolveByDefinition(x, w, c)
        const [y] = evaluateOp(Conv, [x, w], attributesOf(c)) as [Tensor]
        expect(y.shape).toEqual(wanted.shape)
        expect(Array.from(numbers(y))).toEqual(wanted.values.map(v => v + 0))
        expect(
          inferOp(
            Conv,
            [x, w].map(t => tensorType(t.dtype, t.shape)),
            attributesOf(c),
          ),
        ).toEqual([tensorType('float64', wanted.shape)])
      }),
      { numRuns: 60 },
    )
  })

  test('bias, and rounding once to the input type', () => {
    const x = fromNumbers('float16', [1, 1, 3], [1, 2, 4])
    const w = fromNumbers('float16', [2, 1, 1], [1, 0.5])
    const y = evaluateOp(Conv, [x, w, fromNumbers('float16', [2], [2048, -1])])[0] as Tensor
    expect(y.dtype).toBe('float16')
    expect(Array.from(numbers(y))).toEqual([2048, 2050, 2052, -0.5, 0, 1])
  })

  test('auto_pad', () => {
    const x = float32([1, 2, 3, 4, 5], [1, 1, 5])
    const w = float32([1, 10], [1, 1, 2])
    expect(evaluateNumbers(Conv, [x, w], { auto_pad: 'SAME_UPPER' })).toEqual([21, 32, 43, 54, 5])
    expect(evaluateNumbers(Conv, [x, w], { auto_pad: 'SAME_LOWER' })).toEqual([10, 21, 32, 43, 54])
    expect(evaluateNumbers(Conv, [x, w], { auto_pad: 'VALID', strides: [3] })).toEqual([21, 54])
    expect(() => evaluateOp(Conv, [x, w], { auto_pad: 'SAME' })).toThrow(fails('bad-argument'))
  })

  test('symbolic shape, cost and weights', () => {
    const inputs = [tensorType('float32', ['n', 8, 'h', 32]), tensorType('float32', [16, 4, 3, 5])]
    const c = inferContextOf(Conv, inputs, { group: 2, pads: [1, 2, 1, 2], strides: [2, 2] })
    expect(Conv.infer(c)).toEqual([tensorType('float32', ['n', 16, 'floordiv(h-1,2)+1', 16])])
    expect(Conv.macs!(c)).toBe('15360*floordiv(h-1,2)*n+15360*n')
    expect(Conv.weights!(c)).toEqual([{ input: 1, rows: [0], columns: [1, 2, 3] }])
  })

  test('an empty batch is fine, what does not fit is not', () => {
    const w = zeros('float32', [4, 3, 2])
    expect((evaluateOp(Conv, [zeros('float32', [0, 3, 5]), w])[0] as Tensor).shape).toEqual([0, 4, 4])
    const x = zeros('float32', [1, 3, 5])
    expect(() => evaluateOp(Conv, [zeros('float32', [1, 2, 5]), w])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(Conv, [zeros('float32', [1, 3, 1]), w])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(Conv, [zeros('float32', [1, 9, 5]), w], { group: 3 })).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(Conv, [x, w, zeros('float32', [3])])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(Conv, [zeros('float32', [1, 3]), w])).toThrow(fails('bad-shape'))
    for (const wrong of [
      { strides: [0] },
      { pads: [1] },
      { pads: [-1, 0] },
      { kernel_shape: [3] },
      { group: 0 },
    ])
      expect(() => evaluateOp(Conv, [x, w], wrong)).toThrow(fails('bad-argument'))
    expect(() => evaluateOp(Conv, [x, w], { pads: [2 ** 50, 0] })).toThrow(fails('too-large'))
  })
})

describe('ConvTranspose', () => {
  test('is the transpose of the convolution with the same weight', () => {
    fc.assert(
      fc.property(cases, c => {
        const y = whole([2, c.groups * c.perGroup, ...c.spatial], 3)
        const w = whole([c.groups * c.outputsPerGroup, c.perGroup, ...c.kernel], 4)
        const forward = convolveByDefinition(y, w, c)
        const x = whole(forward.shape, 5)
        const rank = c.spatial.length
        const output_padding = c.spatial.map(
          (extent, a) => (extent + c.pads[a]! + c.pads[a + rank]! - reachOf(c, a)) % c.strides[a]!,
        )
        const [back] = evaluateOp(ConvTranspose, [x, w], { ...attributesOf(c), output_padding }) as [Tensor]
        expect(back.shape).toEqual(y.shape)
        const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
          Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0)
        expect(dot(numbers(back), numbers(y))).toBe(dot(numbers(x), forward.values))
      }),
      { numRuns: 60 },
    )
  })

  const x = float32([1, 2, 3], [1, 1, 3])
  const w = float32([1, 1, 1], [1, 1, 3])
  test.each<[Record<string, string | number[]>, number[]]>([
    [{}, [1, 3, 6, 5, 3]],
    [{ strides: [2] }, [1, 1, 3, 2, 5, 3, 3]],
    [{ strides: [2], output_padding: [1] }, [1, 1, 3, 2, 5, 3, 3, 0]],
    [{ pads: [1, 1] }, [3, 6, 5]],
    [{ strides: [2], auto_pad: 'SAME_UPPER' }, [1, 1, 3, 2, 5, 3]],
    [{ strides: [2], auto_pad: 'SAME_LOWER' }, [1, 3, 2, 5, 3, 3]],
    [{ strides: [2], output_shape: [6] }, [1, 3, 2, 5, 3, 3]],
    [{ strides: [2], output_shape: [6], pads: [2, 2] }, [1, 3, 2, 5, 3, 3]],
    [{ strides: [2], output_shape: [8] }, [1, 1, 3, 2, 5, 3, 3, 0]],
    [{ strides: [4], auto_pad: 'SAME_UPPER' }, [1, 1, 1, 0, 2, 2, 2, 0, 3, 3, 3, 0]],
  ])('%j', (attributes, wanted) => {
    expect(evaluateNumbers(ConvTranspose, [x, w], attributes)).toEqual(wanted)
    const inferred = inferOp(
      ConvTranspose,
      [x, w].map(t => tensorType(t.dtype, t.shape)),
      attributes,
    )
    expect(inferred).toEqual([tensorType('float32', [1, 1, wanted.length])])
  })

  test('symbolic shape, cost and weights', () => {
    const inputs = [tensorType('float32', ['n', 8, 'h', 4]), tensorType('float32', [8, 6, 2, 2])]
    const c = inferContextOf(ConvTranspose, inputs, { group: 2, strides: [2, 2] })
    expect(ConvTranspose.infer(c)).toEqual([tensorType('float32', ['n', 12, '2*h', 8])])
    expect(ConvTranspose.macs!(c)).toBe('768*h*n')
    expect(ConvTranspose.weights!(c)).toEqual([{ input: 1, rows: [1], columns: [0, 2, 3] }])
  })

  test('what does not fit', () => {
    expect(() => evaluateOp(ConvTranspose, [x, zeros('float32', [2, 1, 3])])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(ConvTranspose, [x, w], { pads: [3, 3] })).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(ConvTranspose, [x, w], { output_shape: [6, 6] })).toThrow(fails('bad-argument'))
  })
})

describe('ConvInteger and QLinearConv', () => {
  const x = fromNumbers('uint8', [1, 1, 3], [0, 128, 255])
  const w = fromNumbers('int8', [2, 1, 2], [1, -128, 127, 2])

  test('zero points are taken off, padding stands for them', () => {
    const zeroPoints = [fromNumbers('uint8', [], [128]), fromNumbers('int8', [2], [1, 2])]
    const y = evaluateOp(ConvInteger, [x, w, ...zeroPoints], { pads: [1, 0] })[0] as Tensor
    expect([y.dtype, y.shape, Array.from(numbers(y))]).toEqual([
      'int32',
      [1, 2, 3],
      [-129 * -128, 0, 127 * -129, 0, 125 * -128, 0],
    ])
    expect(evaluateNumbers(ConvInteger, [x, w])).toEqual([-16384, 128 - 32640, 256, 16766])
  })

  const scalar = (dtype: 'uint8' | 'int8' | 'float32', value: number): Tensor =>
    full(dtype, [], value) as Tensor
  const quantized = (yScale: number, yZero: Tensor, bias?: Tensor): number[] =>
    evaluateNumbers(QLinearConv, [
      fromNumbers('uint8', [1, 1, 4], [10, 11, 12, 13]),
      scalar('float32', 0.5),
      scalar('uint8', 10),
      fromNumbers('int8', [2, 1, 1], [1, -3]),
      float32([1, 2]),
      fromNumbers('int8', [2], [0, 0]),
      scalar('float32', yScale),
      yZero,
      ...(bias ? [bias] : []),
    ])

  test('scales per channel; half to even before the zero point; saturation', () => {
    // Sums 0 1 2 3 and 0 -3 -6 -9, times 0.5 and 1.
    expect(quantized(1, scalar('int8', 1))).toEqual([1, 1, 2, 3, 1, -2, -5, -8])
    expect(quantized(0.01, scalar('uint8', 100))).toEqual([100, 150, 200, 250, 100, 0, 0, 0])
    expect(quantized(1, scalar('int8', 0), fromNumbers('int32', [2], [3, -1]))).toEqual([
      2, 2, 2, 3, -1, -4, -7, -10,
    ])
  })

  test('types and cost', () => {
    const types = [
      tensorType('uint8', ['n', 1, 4]),
      undefined,
      undefined,
      tensorType('int8', [2, 1, 1]),
      undefined,
      undefined,
      undefined,
      tensorType('int8', []),
    ]
    const c = inferContextOf(QLinearConv, types)
    expect(QLinearConv.infer(c)).toEqual([tensorType('int8', ['n', 2, 4])])
    expect(QLinearConv.macs!(c)).toBe('8*n')
    expect(QLinearConv.weights!(c)).toEqual([{ input: 3, rows: [0], columns: [1, 2], zeroPoint: 5 }])
    expect(() => evaluateOp(ConvInteger, [x, w, fromNumbers('uint8', [2], [1, 1])])).toThrow(
      fails('bad-shape'),
    )
  })
})

describe('DeformConv', () => {
  test('without offsets it is a convolution, with any number of axes', () => {
    fc.assert(
      fc.property(cases, c => {
        const x = whole([1, c.groups * c.perGroup, ...c.spatial], 6)
        const w = whole([c.groups * c.outputsPerGroup, c.perGroup, ...c.kernel], 7)
        const { shape, values } = convolveByDefinition(x, w, c)
        const offset = zeros('float64', [1, sizeOf(c.kernel) * c.kernel.length, ...shape.slice(2)])
        const y = evaluateNumbers(DeformConv, [x, w, offset], attributesOf(c))
        expect(y).toEqual(values.map(v => v + 0))
      }),
      { numRuns: 30 },
    )
  })

  test('fractions interpolate, half of an edge is outside, masks scale', () => {
    const x = float32([1, 2, 4, 8], [1, 1, 4])
    const w = float32([1], [1, 1, 1])
    const offset = float32([0.5, -0.25, 0.5, -9], [1, 1, 4])
    const mask = float32([1, 1, 0.5, 1], [1, 1, 4])
    expect(evaluateNumbers(DeformConv, [x, w, offset, float32([10]), mask])).toEqual([11.5, 11.75, 13, 10])
    expect(evaluateNumbers(DeformConv, [x, w, float32([-0.5, 0, 0, 0.5], [1, 1, 4])])).toEqual([0.5, 2, 4, 4])
    expect(() => evaluateOp(DeformConv, [x, w, zeros('float32', [1, 2, 4])])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(DeformConv, [x, w, offset], { offset_group: 2 })).toThrow(fails('bad-argument'))
  })

  test('each offset group moves its own channels', () => {
    const x = float32([1, 2, 3, 10, 20, 30], [1, 2, 3])
    const w = float32([1, 1], [1, 2, 1])
    const offset = float32([1, 1, 1, 0, 0, 0], [1, 2, 3])
    const y = evaluateOp(DeformConv, [x, w, offset], { offset_group: 2 })[0] as Tensor
    expect(firstDifference(y, float32([12, 23, 30], [1, 1, 3]), { relative: 0, absolute: 0 })).toBeUndefined()
  })
})
