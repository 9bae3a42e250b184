import { describe, expect, test } from 'vitest'
import { type Dim, tensorType } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { float32, int64, type Tensor, tensor } from '../../tensor/tensor.ts'
import { evaluateNumbers, evaluateOp, inferOp } from '../support/testing.ts'
import { CenterCropPad } from './center-crop-pad.ts'
import { Col2Im } from './col2im.ts'
import { Concat } from './concat.ts'
import { DepthToSpace } from './depth-to-space.ts'
import { Expand } from './expand.ts'
import { Flatten } from './flatten.ts'
import { Pad } from './pad.ts'
import { Reshape } from './reshape.ts'
import { ReverseSequence } from './reverse-sequence.ts'
import { Slice } from './slice.ts'
import { SpaceToDepth } from './space-to-depth.ts'
import { Split } from './split.ts'
import { Squeeze } from './squeeze.ts'
import { Tile } from './tile.ts'
import { Transpose } from './transpose.ts'
import { Trilu } from './trilu.ts'
import { Unsqueeze } from './unsqueeze.ts'

const fails = (code: string): unknown => expect.objectContaining({ code })
const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
const iota = (shape: readonly number[]): Tensor => float32(count(shape.reduce((a, b) => a * b, 1)), shape)
const strings = (texts: string[], shape: readonly number[] = [texts.length]): Tensor =>
  tensor('string', shape, texts)
const typed = (shape: readonly Dim[]): ReturnType<typeof tensorType> => tensorType('float32', shape)
const shapeOf = (value: unknown): unknown => (value as { shape?: unknown }).shape

describe('Slice', () => {
  test('takes attributes before operator set 10', () => {
    const x = iota([2, 4])
    const attributes = { starts: [1, 0], ends: [2, 3] }
    expect(evaluateNumbers(Slice, [x], attributes, { opset: 9 })).toEqual([4, 5, 6])
    expect(evaluateNumbers(Slice, [x], { starts: [-2], ends: [1000], axes: [1] }, { opset: 9 })).toEqual([
      2, 3, 6, 7,
    ])
  })

  test('runs to the ends of int64 in both directions', () => {
    const ends = (values: bigint[]): Tensor => tensor('int64', [values.length], BigInt64Array.from(values))
    const [most, least] = [2n ** 63n - 1n, -(2n ** 63n)]
    expect(evaluateNumbers(Slice, [iota([5]), int64([1]), ends([most])])).toEqual([1, 2, 3, 4])
    expect(evaluateNumbers(Slice, [iota([5]), ends([most]), ends([least]), int64([0]), int64([-2])])).toEqual(
      [4, 2, 0],
    )
  })

  test('moves packed and text elements', () => {
    const x = fromNumbers('int4', [2, 3], [-8, 1, -3, 4, -5, 7])
    expect(evaluateNumbers(Transpose, [x])).toEqual([-8, 4, 1, -5, -3, 7])
    expect(
      evaluateOp(Slice, [strings(['a', 'b', 'c']), int64([2]), int64([0]), int64([0]), int64([-1])]),
    ).toEqual([strings(['c', 'b'])])
  })

  test.each([
    [[0], [1], [0], [0], 'bad-argument'],
    [[0], [1], [2], [1], 'bad-argument'],
    [[0, 0], [1, 1], [0, -2], [1, 1], 'bad-argument'],
    [[0, 0], [1], [0], [1], 'bad-shape'],
  ])('refuses starts %j, ends %j, axes %j, steps %j', (starts, ends, axes, steps, code) => {
    const inputs = [iota([2, 2]), ...[starts, ends, axes, steps].map(int64)]
    expect(() => evaluateOp(Slice, inputs)).toThrow(fails(code))
  })

  test('leaves axes alone that it does not name', () => {
    const [type] = inferOp(Slice, [typed(['n', 's', 8]), int64([1]), tensorType('int64', [1]), int64([1])])
    expect(type).toEqual(typed(['n', null, 8]))
    expect(inferOp(Slice, [typed(['n', 8]), tensorType('int64'), tensorType('int64')])).toEqual([
      typed([null, null]),
    ])
  })
})

describe('Split', () => {
  test('gives the last pieces what is left', () => {
    const pieces = (extent: number, n: number): unknown[] =>
      evaluateOp(Split, [iota([extent])], { num_outputs: n }, { outputs: n }).map(piece =>
        Array.from(numbers(piece as Tensor)),
      )
    expect(pieces(7, 3)).toEqual([[0, 1, 2], [3, 4, 5], [6]])
    expect(pieces(5, 4)).toEqual([[0, 1], [2, 3], [4], []])
  })

  test('infers symbolic pieces', () => {
    const sizes = (extent: Dim, n: number, opset: number): unknown[] =>
      inferOp(Split, [typed([extent])], opset < 18 ? {} : { num_outputs: n }, { opset, outputs: n }).map(
        shapeOf,
      )
    expect(sizes('2*n', 2, 13)).toEqual([['n'], ['n']])
    expect(sizes('n', 2, 18)).toEqual([['floordiv(n+1,2)'], ['max(-floordiv(n+1,2)+n,0)']])
    expect(sizes(7, 3, 18)).toEqual([[3], [3], [1]])
  })

  test('sizes may be attribute or input, and must add up', () => {
    const old = evaluateOp(Split, [iota([2, 3])], { axis: 1, split: [1, 2] }, { opset: 11, outputs: 2 })
    expect(old.map(shapeOf)).toEqual([
      [2, 1],
      [2, 2],
    ])
    const split = (sizes: number[]): unknown =>
      evaluateOp(Split, [iota([4]), int64(sizes)], {}, { outputs: 2 })
    expect((split([4, 0]) as Tensor[]).map(shapeOf)).toEqual([[4], [0]])
    for (const wrong of [[1, 2], [-1, 5], [4]])
      expect(() => split(wrong)).toThrow(fails(wrong.length < 2 ? 'bad-argument' : 'bad-shape'))
    expect(() => evaluateOp(Split, [iota([3])], {}, { opset: 13, outputs: 2 })).toThrow(fails('bad-shape'))
  })
})

test('Concat joins every data type and refuses what does not fit', () => {
  const packed = [fromNumbers('uint2', [1, 3], [1, 2, 3]), fromNumbers('uint2', [1, 2], [0, 3])]
  expect(evaluateOp(Concat, packed, { axis: -1 })).toEqual([fromNumbers('uint2', [1, 5], [1, 2, 3, 0, 3])])
  expect(() => evaluateOp(Concat, [iota([2, 2]), iota([3, 3])], { axis: 0 })).toThrow(fails('bad-shape'))
  expect(() => evaluateOp(Concat, [iota([2]), float32([1], [])], { axis: 0 })).toThrow(fails('bad-shape'))
  expect(inferOp(Concat, [typed(['p', 'h']), typed(['n', 64])], { axis: 0 })).toEqual([typed(['n+p', 64])])
  expect(() => inferOp(Concat, [typed([1, 2]), typed([1, 3])], { axis: 0 })).toThrow(fails('bad-shape'))
})

describe('Reshape', () => {
  const reshaped = (data: readonly Dim[], target: readonly number[], allowzero = 0): unknown =>
    shapeOf(inferOp(Reshape, [typed(data), int64(target)], { allowzero })[0])

  test.each([
    [
      ['n', 's', 768],
      [0, 0, 12, -1],
      ['n', 's', 12, 64],
    ],
    [
      ['n', 12, 's', 64],
      [0, -1, 768],
      ['n', 's', 768],
    ],
    [
      [null, 's', 64],
      [0, -1, 32],
      [null, '2*s', 32],
    ],
    [['n', 3, 'h', 'w'], [-1], ['3*h*n*w']],
    [
      ['n+1', 's', 4],
      [-1, 2],
      ['2*n*s+2*s', 2],
    ],
    [
      ['n', 8],
      [4, -1],
      [4, '2*n'],
    ],
    [['n'], [2, -1], [2, 'floordiv(n,2)']],
    [
      [0, 3, 4],
      [0, -1],
      [0, 12],
    ],
    [
      [0, 4],
      [-1, 4],
      [0, 4],
    ],
    [
      [2, 0],
      [0, 0, 5],
      [2, 0, 5],
    ],
  ])('%j as %j is %j', (data, target, wanted) => {
    expect(reshaped(data, target)).toEqual(wanted)
  })

  test('zero is an extent when it is allowed', () => {
    expect(reshaped([3, 0], [0, 7], 1)).toEqual([0, 7])
    expect(evaluateOp(Reshape, [iota([3, 0]), int64([0, 7])], { allowzero: 1 })).toEqual([iota([0, 7])])
    expect(() => reshaped([3, 0], [0, -1], 1)).toThrow(fails('bad-shape'))
  })

  test.each([
    [
      [2, 3],
      [4, -1],
    ],
    [
      [2, 3],
      [-1, -1],
    ],
    [[2, 3], [7]],
    [
      [2, 3],
      [-2, 3],
    ],
    [[6], [6, 0]],
  ])('refuses %j as %j', (data, target) => {
    expect(() => reshaped(data, target)).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(Reshape, [iota(data), int64(target)])).toThrow(fails('bad-shape'))
  })
})

test('Squeeze and Unsqueeze take axes as attribute or input', () => {
  expect(shapeOf(evaluateOp(Squeeze, [iota([1, 2, 1])])[0])).toEqual([2])
  expect(shapeOf(evaluateOp(Squeeze, [iota([1, 2, 1])], { axes: [-1] }, { opset: 11 })[0])).toEqual([1, 2])
  expect(() => evaluateOp(Squeeze, [iota([1, 2]), int64([1])])).toThrow(fails('bad-shape'))
  expect(inferOp(Squeeze, [typed([1, 'n', 1]), int64([0])])).toEqual([typed(['n', 1])])
  expect(inferOp(Squeeze, [typed([1, 'n'])])).toEqual(
    [typed(undefined as never)].map(() => tensorType('float32')),
  )
  expect(shapeOf(evaluateOp(Unsqueeze, [iota([2]), int64([-1, 0])])[0])).toEqual([1, 2, 1])
  expect(inferOp(Unsqueeze, [typed(['n'])], { axes: [1] }, { opset: 11 })).toEqual([typed(['n', 1])])
  expect(inferOp(Unsqueeze, [typed(['n']), tensorType('int64', [2])])).toEqual([typed([null, null, null])])
  expect(() => evaluateOp(Unsqueeze, [iota([2]), int64([0, -3])])).toThrow(fails('bad-argument'))
})

test('Flatten, Transpose, Expand, Tile', () => {
  expect(inferOp(Flatten, [typed(['n', 3, 'h'])], { axis: -1 })).toEqual([typed(['3*n', 'h'])])
  expect(shapeOf(evaluateOp(Flatten, [iota([])], { axis: 0 })[0])).toEqual([1, 1])
  expect(evaluateNumbers(Transpose, [iota([2, 1, 3])], { perm: [2, 1, 0] })).toEqual([0, 3, 1, 4, 2, 5])
  expect(() => evaluateOp(Transpose, [iota([2, 3])], { perm: [0, 0] })).toThrow(fails('bad-argument'))
  expect(evaluateNumbers(Expand, [float32([1, 2], [2, 1]), int64([2, 1, 3])])).toEqual([
    1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2,
  ])
  expect(inferOp(Expand, [typed(['n', 1]), tensorType('int64', [3])])).toEqual([typed([null, null, null])])
  expect(evaluateOp(Tile, [strings(['a', 'b'], [1, 2]), int64([2, 2])])).toEqual([
    strings(['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b'], [2, 4]),
  ])
  expect(inferOp(Tile, [typed(['n', 2]), int64([3, 1])])).toEqual([typed(['3*n', 2])])
  expect(() => evaluateOp(Tile, [iota([2]), int64([-1])])).toThrow(fails('bad-argument'))
})

describe('Pad', () => {
  const pad = (x: Tensor, pads: number[], mode: string, ...more: (Tensor | undefined)[]): number[] =>
    evaluateNumbers(Pad, [x, int64(pads), ...more], { mode })

  test.each([
    ['constant', [0, 0, 1, 2, 3, 0]],
    ['edge', [1, 1, 1, 2, 3, 3]],
    ['reflect', [3, 2, 1, 2, 3, 2]],
    ['wrap', [2, 3, 1, 2, 3, 1]],
  ])('%s', (mode, wanted) => {
    expect(pad(float32([1, 2, 3]), [2, 1], mode)).toEqual(wanted)
  })

  test('goes on mirroring and wrapping beyond the length', () => {
    expect(pad(float32([1, 2]), [3, 3], 'reflect')).toEqual([2, 1, 2, 1, 2, 1, 2, 1])
    expect(pad(float32([1, 2]), [3, 0], 'wrap')).toEqual([2, 1, 2, 1, 2])
    expect(pad(float32([7]), [1, 2], 'reflect')).toEqual([7, 7, 7, 7])
  })

  test('negative pads take away before the rest is mirrored', () => {
    expect(pad(float32([1, 2, 3, 4]), [-1, 2], 'reflect')).toEqual([2, 3, 4, 3, 2])
    expect(pad(float32([1, 2, 3, 4]), [1, -2], 'constant')).toEqual([0, 1, 2])
    expect(() => pad(float32([1, 2]), [-1, -2], 'constant')).toThrow(fails('bad-shape'))
    expect(() => pad(float32([1, 2]), [-2, 1], 'edge')).toThrow(fails('bad-shape'))
  })

  test('takes axes, a value, every data type, and attributes before operator set 11', () => {
    const x = strings(['a', 'b'], [1, 2])
    expect(evaluateOp(Pad, [x, int64([0, 1]), strings(['-'], []), int64([-1])])).toEqual([
      strings(['a', 'b', '-'], [1, 3]),
    ])
    const bits = fromNumbers('uint2', [3], [3, 2, 1])
    expect(evaluateOp(Pad, [bits, int64([1, 1])])).toEqual([fromNumbers('uint2', [5], [0, 3, 2, 1, 0])])
    const old = evaluateNumbers(Pad, [float32([1])], { pads: [1, 0], value: 0.5 }, { opset: 10 })
    expect(old).toEqual([0.5, 1])
    expect(() => pad(float32([1]), [1], 'constant')).toThrow(fails('bad-shape'))
    expect(() => pad(float32([1]), [1, 1], 'mirror')).toThrow(fails('bad-argument'))
  })

  test('infers symbolic extents', () => {
    expect(inferOp(Pad, [typed(['n', 'h', 4]), int64([1, -1, 2, 2]), undefined, int64([1, 2])])).toEqual([
      typed(['n', 'h+3', 5]),
    ])
    expect(inferOp(Pad, [typed(['n', 4]), tensorType('int64', [4])])).toEqual([typed([null, null])])
  })
})

test('CenterCropPad crops and pads around the middle', () => {
  const centred = (n: number): number[] => evaluateNumbers(CenterCropPad, [float32([1, 2, 3]), int64([n])])
  expect(centred(2)).toEqual([1, 2])
  expect(centred(1)).toEqual([2])
  expect(centred(6)).toEqual([0, 1, 2, 3, 0, 0])
  expect(evaluateNumbers(CenterCropPad, [iota([2, 3]), int64([1])], { axes: [-1] })).toEqual([1, 4])
  expect(inferOp(CenterCropPad, [typed(['n', 3]), int64([7])], { axes: [1] })).toEqual([typed(['n', 7])])
})

test('DepthToSpace undoes SpaceToDepth, and CRD orders otherwise', () => {
  const x = iota([1, 1, 2, 4])
  const deep = evaluateOp(SpaceToDepth, [x], { blocksize: 2 })
  expect(Array.from(numbers(deep[0] as Tensor))).toEqual([0, 2, 1, 3, 4, 6, 5, 7])
  expect(evaluateOp(DepthToSpace, deep, { blocksize: 2 })).toEqual([x])
  const crd = evaluateNumbers(DepthToSpace, [iota([1, 8, 1, 1])], { blocksize: 2, mode: 'CRD' })
  expect(crd).toEqual(count(8))
  expect(evaluateNumbers(DepthToSpace, [iota([1, 8, 1, 1])], { blocksize: 2 })).toEqual([
    0, 2, 4, 6, 1, 3, 5, 7,
  ])
  expect(inferOp(DepthToSpace, [typed(['n', 12, 'h', 4])], { blocksize: 2 })).toEqual([
    typed(['n', 3, '2*h', 8]),
  ])
  expect(() => evaluateOp(DepthToSpace, [iota([1, 3, 1, 1])], { blocksize: 2 })).toThrow(fails('bad-shape'))
  expect(() => evaluateOp(SpaceToDepth, [iota([1, 1, 2, 2])], { blocksize: 0 })).toThrow(
    fails('bad-argument'),
  )
})

test('ReverseSequence reverses each as far as it goes', () => {
  const x = iota([2, 3])
  const attributes = { batch_axis: 0, time_axis: 1 }
  expect(evaluateNumbers(ReverseSequence, [x, int64([2, 3])], attributes)).toEqual([1, 0, 2, 5, 4, 3])
  expect(evaluateNumbers(ReverseSequence, [x, int64([2, 0, 1])])).toEqual([3, 1, 2, 0, 4, 5])
  expect(() => evaluateOp(ReverseSequence, [x, int64([4, 1])], attributes)).toThrow(fails('bad-argument'))
})

test('Trilu keeps a triangle of every matrix', () => {
  const x = float32([1, 2, 3, 4, 5, 6], [2, 3])
  const triangle = (upper: number, k: number): number[] => evaluateNumbers(Trilu, [x, int64(k)], { upper })
  expect(triangle(1, 0)).toEqual([1, 2, 3, 0, 5, 6])
  expect(triangle(1, -5)).toEqual([1, 2, 3, 4, 5, 6])
  expect(triangle(0, 1)).toEqual([1, 2, 0, 4, 5, 6])
  expect(triangle(0, -(2 ** 40))).toEqual([0, 0, 0, 0, 0, 0])
  expect(evaluateNumbers(Trilu, [fromNumbers('bool', [1, 2, 2], [1, 1, 1, 1])], { upper: 0 })).toEqual([
    1, 0, 1, 1,
  ])
})

test('Col2Im sums overlapping blocks, in one, two and three dimensions', () => {
  const ones = (shape: readonly number[]): Tensor =>
    fromNumbers(
      'int32',
      shape,
      iota(shape).data.length ? Array(shape.reduce((a, b) => a * b, 1)).fill(1) : [],
    )
  expect(evaluateNumbers(Col2Im, [ones([1, 2, 3]), int64([4]), int64([2])])).toEqual([1, 2, 2, 1])
  const padded = evaluateNumbers(Col2Im, [ones([1, 4, 4]), int64([2, 2]), int64([2, 2])], {
    pads: [1, 1, 1, 1],
    strides: [2, 2],
  })
  expect(padded).toEqual([1, 1, 1, 1])
  expect(evaluateNumbers(Col2Im, [ones([1, 8, 1]), int64([2, 2, 2]), int64([2, 2, 2])])).toEqual(
    Array(8).fill(1),
  )
  const complex = tensor('complex64', [1, 2, 2], Float32Array.of(1, 10, 2, 20, 3, 30, 4, 40))
  expect(evaluateNumbers(Col2Im, [complex, int64([3]), int64([2])])).toEqual([1, 10, 5, 50, 4, 40])
  expect(inferOp(Col2Im, [typed(['n', 'c', 4]), int64([2, 2]), int64([1, 1])])).toEqual([
    typed(['n', 'c', 2, 2]),
  ])
  expect(() => evaluateOp(Col2Im, [ones([1, 2, 5]), int64([4]), int64([2])])).toThrow(fails('bad-shape'))
  expect(() => evaluateOp(Col2Im, [strings(['a'], [1, 1, 1]), int64([1]), int64([1])])).toThrow(
    fails('unsupported'),
  )
})
