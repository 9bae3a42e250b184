import { describe, expect, test } from 'vitest'
import { type Dim, tensorType, type ValueType } from '../../graph/graph.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { float32, int64, type Tensor, tensor } from '../../tensor/tensor.ts'
import { evaluateNumbers, evaluateOp, inferOp, type PlainAttributes } from '../support/testing.ts'
import { AffineGrid } from './affine-grid.ts'
import { GridSample } from './grid-sample.ts'
import { Resize } from './resize.ts'
import { Upsample } from './upsample.ts'

const fails = (code: string): unknown => expect.objectContaining({ code })
const typed = (shape: readonly Dim[]): ValueType => tensorType('float32', shape)
const close = (values: readonly number[]): unknown => values.map(value => expect.closeTo(value, 4))
const strings = (texts: string[]): Tensor => tensor('string', [texts.length], texts)

interface Target {
  readonly scale?: number
  readonly length?: number
  readonly region?: readonly [number, number]
}

/** A list resized by a scale, or to a length. */
function resized(
  values: readonly number[],
  { scale, length, region }: Target,
  attributes: PlainAttributes = {},
): number[] {
  const scales = scale === undefined ? undefined : float32([scale])
  const sizes = length === undefined ? undefined : int64([length])
  return evaluateNumbers(Resize, [float32(values), region && float32(region), scales, sizes], attributes)
}

describe('Resize', () => {
  const ramp = [0, 10, 20, 30]

  test.each([
    ['half_pixel', 2, [5, 25]],
    ['half_pixel', 8, [0, 2.5, 7.5, 12.5, 17.5, 22.5, 27.5, 30]],
    ['half_pixel_symmetric', 2, [5, 25]],
    ['pytorch_half_pixel', 1, [0]],
    ['pytorch_half_pixel', 2, [5, 25]],
    ['asymmetric', 2, [0, 20]],
    ['align_corners', 7, [0, 5, 10, 15, 20, 25, 30]],
    ['align_corners', 1, [0]],
    ['tf_half_pixel_for_nn', 2, [10, 30]],
  ])('maps positions as %s to %i', (coordinates, length, wanted) => {
    const attributes = { mode: 'linear', coordinate_transformation_mode: coordinates }
    expect(resized(ramp, { length }, attributes)).toEqual(wanted)
  })

  test('of a fractional scale counts where the specification says so', () => {
    const linear = { mode: 'linear', coordinate_transformation_mode: 'align_corners' }
    expect(resized(ramp, { scale: 0.6 }, linear)).toEqual(close([0, 30 / 1.4]))
    // 2.3 times 4 is 9.2: the nine positions lie 0.1 output pixels to the middle.
    const symmetric = { mode: 'linear', coordinate_transformation_mode: 'half_pixel_symmetric' }
    const [, second] = resized(ramp, { scale: 2.3 }, symmetric)
    expect(second).toBeCloseTo(10 * (2 * (1 - 9 / 9.2) + 1.5 / 2.3 - 0.5), 4)
  })

  test('crops, and extrapolates outside the input', () => {
    const crop = {
      mode: 'linear',
      coordinate_transformation_mode: 'tf_crop_and_resize',
      extrapolation_value: -1,
    }
    expect(resized(ramp, { length: 3, region: [0, 0.5] }, crop)).toEqual([0, 7.5, 15])
    expect(resized(ramp, { length: 3, region: [0.5, 1.5] }, crop)).toEqual([15, 30, -1])
    expect(resized(ramp, { length: 1, region: [0, 1] }, crop)).toEqual([15])
    expect(resized(ramp, { length: 2, region: [0.5, 1.5] }, { ...crop, mode: 'nearest' })).toEqual([10, -1])
    expect(() => resized(ramp, { length: 2 }, crop)).toThrow(fails('missing-input'))
  })

  test.each([
    ['round_prefer_floor', [0, 20], [0, 0, 10, 10]],
    ['round_prefer_ceil', [10, 30], [0, 10, 10, 10]],
    ['floor', [0, 20], [0, 0, 10, 10]],
    ['ceil', [10, 30], [0, 10, 10, 10]],
  ])('takes the nearest by %s', (nearest_mode, halved, doubled) => {
    // Positions 0.5 and 2.5; then 0, 0.5, 1 and 1.5.
    expect(resized(ramp, { length: 2 }, { nearest_mode })).toEqual(halved)
    const asymmetric = { nearest_mode, coordinate_transformation_mode: 'asymmetric' }
    expect(resized([0, 10], { scale: 2 }, asymmetric)).toEqual(doubled)
  })

  test('hits whole positions with scales that float32 does not hold', () => {
    expect(resized(ramp, { scale: 0.6 }, { nearest_mode: 'floor' })).toEqual([0, 20])
    expect(resized(Array(10).fill(1), { scale: 0.9 })).toHaveLength(9)
  })

  test('interpolates cubically, with and without what is outside', () => {
    const cubic = { mode: 'cubic', cubic_coeff_a: -0.5 }
    // At a distance of 1/4: weights of Keys' kernel with a = -0.5.
    const [near, self, far, farther] = [-0.0703125, 0.8671875, 0.2265625, -0.0234375]
    expect(resized([1, 2, 4, 8], { scale: 2 }, cubic)[3]).toBeCloseTo(
      near + 2 * self + 4 * far + 8 * farther,
      5,
    )
    const first = farther + far + self + 2 * near
    expect(resized([1, 2, 4, 8], { scale: 2 }, cubic)[0]).toBeCloseTo(first, 5)
    const inside = (self + 2 * near) / (self + near)
    expect(resized([1, 2, 4, 8], { scale: 2 }, { ...cubic, exclude_outside: 1 })[0]).toBeCloseTo(inside, 5)
  })

  test('smooths when it shrinks with antialias', () => {
    const linear = { mode: 'linear', antialias: 1 }
    // Positions 0.5 and 2.5; the triangle is twice as wide: weights 1, 3, 3, 1 over 8.
    expect(resized([8, 16, 24, 48], { scale: 0.5 }, linear)).toEqual([
      (8 + 24 + 48 + 24) / 8,
      (16 + 72 + 144 + 48) / 8,
    ])
    expect(resized([1, 2], { scale: 2 }, linear)).toEqual([1, 1.25, 1.75, 2])
    const constant = resized([3, 3, 3, 3, 3], { scale: 0.4 }, { mode: 'cubic', antialias: 1 })
    expect(constant).toEqual(close([3, 3]))
    expect(() => resized([1], { scale: 1 }, { antialias: 1 })).toThrow(fails('unsupported'))
  })

  test('rounds integers and keeps them in range, moves text, and takes complex numbers', () => {
    const bytes = fromNumbers('uint8', [4], [0, 255, 255, 0])
    const cubic = evaluateNumbers(Resize, [bytes, undefined, float32([2])], { mode: 'cubic' })
    expect(Math.max(...cubic)).toBe(255)
    expect(Math.min(...cubic)).toBe(0)
    const halves = fromNumbers('int8', [2], [0, 2])
    expect(evaluateNumbers(Resize, [halves, undefined, float32([2])], { mode: 'linear' })).toEqual([
      0, 0, 2, 2,
    ])
    expect(evaluateOp(Resize, [strings(['a', 'b']), undefined, float32([2])])).toEqual([
      strings(['a', 'a', 'b', 'b']),
    ])
    expect(() => evaluateOp(Resize, [strings(['a']), undefined, float32([2])], { mode: 'linear' })).toThrow(
      fails('unsupported'),
    )
    const complex = tensor('complex64', [2], Float32Array.of(0, 100, 4, 500))
    expect(evaluateNumbers(Resize, [complex, undefined, float32([2])], { mode: 'linear' })).toEqual([
      0, 100, 1, 200, 3, 400, 4, 500,
    ])
  })

  test('resizes some axes in any order, keeping the aspect ratio', () => {
    const x = typed([1, 3, 4, 8])
    const sizes = (policy: string): unknown =>
      inferOp(Resize, [x, undefined, undefined, int64([7, 6])], {
        axes: [3, 2],
        keep_aspect_ratio_policy: policy,
      })
    expect(sizes('stretch')).toEqual([typed([1, 3, 6, 7])])
    expect(sizes('not_larger')).toEqual([typed([1, 3, 4, 7])])
    expect(sizes('not_smaller')).toEqual([typed([1, 3, 6, 12])])
    const grown = evaluateOp(Resize, [float32([1, 2], [1, 2]), undefined, undefined, int64([3, 3])], {
      keep_aspect_ratio_policy: 'not_larger',
    })
    expect(grown).toEqual([float32([1, 1, 2, 1, 1, 2], [2, 3])])
    const empty = inferOp(Resize, [typed([0, 4]), undefined, undefined, int64([3, 8])], {
      keep_aspect_ratio_policy: 'not_smaller',
    })
    expect(empty).toEqual([typed([0, 8])])
  })

  test('before operator set 11 scales from the corner, up by floor and down by ceil', () => {
    const old = (scale: number, mode: string): number[] =>
      evaluateNumbers(Resize, [float32(ramp), float32([scale])], { mode }, { opset: 10 })
    expect(old(0.6, 'nearest')).toEqual([0, 20])
    expect(old(1.5, 'nearest')).toEqual([0, 0, 10, 20, 20, 30])
    expect(old(2, 'linear')).toEqual([0, 5, 10, 15, 20, 25, 30, 30])
  })

  test('infers symbolic extents and refuses contradictions', () => {
    const scaled = (...scales: number[]): unknown =>
      inferOp(Resize, [typed(['n', 3, 'h', 'w']), undefined, float32(scales)])
    expect(scaled(1, 1, 2, 0.5)).toEqual([typed(['n', 3, '2*h', 'floordiv(w,2)'])])
    expect(scaled(1, 1, 1.5, 0.3)).toEqual([typed(['n', 3, 'floordiv(3*h,2)', null])])
    expect(() => scaled(1, 2)).toThrow(fails('bad-shape'))
    expect(() => scaled(1, 1, 0, 1)).toThrow(fails('bad-argument'))
    expect(inferOp(Resize, [typed(['n', 4]), undefined, tensorType('float32')])).toEqual([
      typed([null, null]),
    ])
    expect(() => resized([1], {})).toThrow(fails('bad-argument'))
    expect(() => resized([1], { scale: 1, length: 1 })).toThrow(fails('bad-argument'))
    expect(() => resized([], { length: 2 })).toThrow(fails('bad-shape'))
    expect(resized([1, 2], { length: 0 })).toEqual([])
  })
})

test('Upsample scales from the corner, by attribute or input', () => {
  const x = float32([0, 10])
  expect(evaluateNumbers(Upsample, [x], { scales: [2], mode: 'linear' }, { opset: 8 })).toEqual([
    0, 5, 10, 10,
  ])
  expect(evaluateNumbers(Upsample, [x, float32([1.5])], {}, { opset: 9 })).toEqual([0, 0, 10])
  expect(inferOp(Upsample, [typed(['n', 'h'])], { scales: [1, 3] }, { opset: 7 })).toEqual([
    typed(['n', '3*h']),
  ])
})

describe('GridSample', () => {
  /** A line of pixels seen at positions given in pixels. */
  function seen(
    pixels: readonly number[],
    positions: readonly number[],
    attributes: PlainAttributes,
  ): number[] {
    const corners = attributes.align_corners === 1
    const x = float32(pixels, [1, 1, pixels.length])
    const grid = positions.map(at =>
      corners ? (2 * at) / (pixels.length - 1) - 1 : (2 * at + 1) / pixels.length - 1,
    )
    return evaluateNumbers(GridSample, [x, float32(grid, [1, grid.length, 1])], attributes)
  }
  const pixels = [1, 2, 4, 8]

  test.each([
    ['zeros', [0.5, 1, 1.5, 8, 4, 0]],
    ['border', [1, 1, 1.5, 8, 8, 8]],
    ['reflection', [1, 1, 1.5, 8, 8, 4]],
  ])('linear, padded with %s', (padding_mode, wanted) => {
    expect(seen(pixels, [-0.5, 0, 0.5, 3, 3.5, 5], { padding_mode })).toEqual(wanted)
  })

  test('reflects at the centres of the outer pixels when corners are aligned, any number of times', () => {
    const reflected = { padding_mode: 'reflection', align_corners: 1 }
    expect(seen(pixels, [-1, 4, 5.5, 7, -6, -7], reflected)).toEqual(close([2, 4, 1.5, 2, 1, 2]))
    expect(seen([5], [0], reflected)).toEqual([5])
  })

  test('nearest rounds halves to even, and moves any data type', () => {
    expect(seen(pixels, [0.5, 1.5, 2.5, 3.5], { mode: 'nearest' })).toEqual([1, 4, 4, 0])
    const x = tensor('string', [1, 1, 2], ['a', 'b'])
    const grid = float32([-0.5, 0.5, 3], [1, 3, 1])
    expect(evaluateOp(GridSample, [x, grid], { mode: 'nearest' })).toEqual([
      tensor('string', [1, 1, 3], ['a', 'b', '']),
    ])
    expect(() => evaluateOp(GridSample, [x, grid])).toThrow(fails('unsupported'))
  })

  test('cubic goes on smoothly beyond a border', () => {
    const cubic = { mode: 'cubic', padding_mode: 'border' }
    const [inside, outside] = seen(pixels, [-0.499, -0.501], cubic)
    expect(Math.abs(inside! - outside!)).toBeLessThan(1e-2)
    expect(seen(pixels, [1, -40, 40], cubic)).toEqual(close([2, 1, 8]))
    expect(seen([3, 3, 3, 3], [-2, -40, 1.4], { mode: 'cubic' })).toEqual(close([0, 0, 3]))
  })

  test('coordinates run from the innermost axis out, in three dimensions too', () => {
    const x = float32([0, 1, 2, 3, 4, 5, 6, 7], [1, 1, 2, 2, 2])
    const grid = float32([1, -1, -1, -1, -1, 1], [1, 1, 1, 2, 3])
    const attributes = { align_corners: 1 }
    expect(evaluateNumbers(GridSample, [x, grid], attributes)).toEqual([1, 4])
    const old = { mode: 'bilinear', align_corners: 1 }
    const flat = float32([0, 1, 2, 3], [1, 1, 2, 2])
    expect(evaluateNumbers(GridSample, [flat, float32([0, 0], [1, 1, 1, 2])], old, { opset: 16 })).toEqual([
      1.5,
    ])
  })

  test('keeps its footing where the grid is not finite', () => {
    const x = float32([1, 2], [1, 1, 2])
    const grid = float32([Number.NaN, Number.POSITIVE_INFINITY, -1e30], [1, 3, 1])
    for (const mode of ['linear', 'nearest', 'cubic']) {
      expect(evaluateNumbers(GridSample, [x, grid], { mode })).toEqual([0, 0, 0])
      expect(evaluateNumbers(GridSample, [x, grid], { mode, padding_mode: 'border' })).toEqual([1, 2, 1])
      const values = evaluateNumbers(GridSample, [x, grid], { mode, padding_mode: 'reflection' })
      expect(values.every(value => value > 0.8 && value < 2.2)).toBe(true)
    }
  })

  test('infers and checks shapes', () => {
    expect(inferOp(GridSample, [typed(['n', 3, 'h', 'w']), typed([2, 'p', 'q', 2])])).toEqual([
      typed([2, 3, 'p', 'q']),
    ])
    expect(() => inferOp(GridSample, [typed([1, 1, 4, 4]), typed([1, 2, 2, 3])])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(GridSample, [float32([], [1, 1, 0]), float32([0], [1, 1, 1])])).toThrow(
      fails('bad-shape'),
    )
  })
})

test('AffineGrid maps the centres of pixels', () => {
  const identity = float32([1, 0, 0, 0, 1, 0], [1, 2, 3])
  const grid = (corners: number): number[] =>
    evaluateNumbers(AffineGrid, [identity, int64([1, 1, 1, 2])], { align_corners: corners })
  expect(grid(0)).toEqual([-0.5, 0, 0.5, 0])
  expect(grid(1)).toEqual([-1, -1, 1, -1])
  const shifted = float32([0, 0, 2, 5, 0, 3, 0, 6, 1, 0, 0, 7], [1, 3, 4])
  expect(evaluateNumbers(AffineGrid, [shifted, int64([1, 1, 2, 1, 1])], { align_corners: 1 })).toEqual([
    3, 3, 6, 7, 3, 6,
  ])
  expect(inferOp(AffineGrid, [typed(['n', 2, 3]), int64([4, 3, 5, 6])])).toEqual([typed([4, 5, 6, 2])])
  expect(() => evaluateOp(AffineGrid, [identity, int64([2, 1, 1, 2])])).toThrow(fails('bad-shape'))
})
