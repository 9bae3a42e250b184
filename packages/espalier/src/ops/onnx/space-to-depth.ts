/** Blocks of pixels laid out as channels. */
import { floorDivideDims, multiplyDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { type Shape, stridesOf } from '../../tensor/shape.ts'
import { reshape } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { required } from '../schema.ts'
import { blockSize, checkMultiple, rearrange, requireImages } from '../support/blocks.ts'
import { typed } from '../support/infer.ts'
import { lowerView } from '../support/lower-movement.ts'
import { from1To13, versionsOf } from '../support/versions.ts'

export const SpaceToDepth: Op = {
  name: 'SpaceToDepth',
  doc: 'Each block of `blocksize` by `blocksize` pixels as a group of channels.',
  versions: versionsOf(from1To13, T => ({
    inputs: ['input: T'],
    outputs: ['output: T'],
    types: { T },
    attributes: { blocksize: required('int') },
  })),
  infer(c) {
    const shape = c.shape(0)
    return [typed(c.dtype(0), shape === undefined ? [null, null, null, null] : gathered(shape, blockSize(c)))]
  },
  evaluate(c) {
    const input = c.tensor(0)
    const size = blockSize(c)
    const shape = gathered(input.shape, size) as readonly number[]
    return [reshape(rearrange(input, blockAxes(input.shape, size), order), shape)]
  },
  lower(c) {
    const split = blockAxes(c.type(0).shape, blockSize(c))
    const strides = stridesOf(split)
    return lowerView(c, {
      shape: order.map(axis => split[axis]!),
      strides: order.map(axis => strides[axis]!),
    })
  },
}

/** The axes of the input with its pixels in blocks. */
function blockAxes(shape: Shape, size: number): Shape {
  const [batch, channels, height, width] = shape as [number, number, number, number]
  return [batch, channels, height / size, size, width / size, size]
}
/** Their order in the output. */
const order = [0, 3, 5, 1, 2, 4]

function gathered(shape: readonly Dim[], size: number): readonly Dim[] {
  const [batch, channels, height, width] = requireImages(shape)
  checkMultiple(height, size, 'rows')
  checkMultiple(width, size, 'columns')
  return [
    batch,
    multiplyDims(channels, size * size),
    floorDivideDims(height, size),
    floorDivideDims(width, size),
  ]
}
