import { describe, expect, test } from 'vitest'
import { fromNumbers } from '../../tensor/elements.ts'
import { float32, int64, type Tensor, tensor, zeros } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { evaluateOp, type PlainAttributes } from '../support/testing.ts'
import { AffineGrid } from './affine-grid.ts'
import { CenterCropPad } from './center-crop-pad.ts'
import { Col2Im } from './col2im.ts'
import { Constant } from './constant.ts'
import { ConstantOfShape } from './constant-of-shape.ts'
import { Expand } from './expand.ts'
import { OneHot } from './one-hot.ts'
import { Pad } from './pad.ts'
import { Range } from './range.ts'
import { Resize } from './resize.ts'
import { Tile } from './tile.ts'
import { Upsample } from './upsample.ts'

const huge = 10 ** 15
const beyond = tensor('int64', [1], BigInt64Array.of(2n ** 63n - 1n))
const one = float32([1])
const sparse = { dtype: 'float32', shape: [huge], values: one, indices: int64([0]) }

type Call = readonly [
  op: Op,
  inputs: readonly (Tensor | undefined)[],
  attributes?: PlainAttributes,
  opset?: number,
]

const calls: readonly Call[] = [
  [ConstantOfShape, [int64([huge])]],
  [ConstantOfShape, [beyond]],
  [ConstantOfShape, [int64([2 ** 31, 2 ** 31])]],
  [Expand, [one, int64([huge])]],
  [Expand, [tensor('string', [1], ['a']), int64([2 ** 30])]],
  [Tile, [one, int64([huge])]],
  [Range, [0, huge, 1].map(value => int64(value))],
  [Range, [int64(0), beyond, int64(1)]],
  [Range, [0, 1e30, 1e-30].map(value => fromNumbers('float64', [], [value]))],
  [Pad, [one, int64([0, huge])]],
  [Pad, [one, int64([0, huge])], { mode: 'edge' }],
  [CenterCropPad, [one, int64([huge])]],
  [Resize, [one, undefined, float32([1e30])]],
  [Resize, [one, undefined, undefined, int64([huge])], { mode: 'cubic' }],
  [Resize, [fromNumbers('uint8', [1], [1]), undefined, undefined, int64([2 ** 32])], { mode: 'linear' }],
  [Upsample, [one, float32([1e30])], {}, 9],
  [OneHot, [int64([0]), beyond, float32([0, 1])]],
  [AffineGrid, [zeros('float32', [1, 2, 3]), int64([1, 1, huge, 2])]],
  [Col2Im, [zeros('float32', [1, 1, 1]), int64([huge]), int64([1])], { strides: [huge] }],
  [Constant, [], { sparse_value: { type: 'sparse_tensor', value: sparse as never } }],
]

describe('an absurd output', () => {
  test.each(calls.map((call, index) => [`${call[0].name} ${index}`, call] as const))(
    'of %s is refused before anything is allocated',
    (_, [op, inputs, attributes = {}, opset]) => {
      const run = (): unknown => evaluateOp(op, inputs, attributes, opset === undefined ? {} : { opset })
      expect(run).toThrow(expect.objectContaining({ code: 'too-large' }))
    },
  )

  const nothing = zeros('float32', [0, 1])
  test.each([
    ['Expand', Expand, [nothing, int64([0, huge])], [0, huge]],
    ['Tile', Tile, [nothing, int64([1, huge])], [0, huge]],
    ['Pad', Pad, [nothing, int64([0, 0, 0, huge - 1])], [0, huge]],
    ['CenterCropPad', CenterCropPad, [nothing, int64([0, huge])], [0, huge]],
    ['ConstantOfShape', ConstantOfShape, [int64([huge, 0])], [huge, 0]],
    ['Resize', Resize, [nothing, undefined, undefined, int64([0, huge])], [0, huge]],
  ] as const)('without elements is none: %s', (_, op, inputs, shape) => {
    expect((evaluateOp(op, inputs)[0] as Tensor).shape).toEqual(shape)
  })
})
