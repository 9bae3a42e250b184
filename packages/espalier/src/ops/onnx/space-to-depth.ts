/** Blocks of pixels laid out as channels. */
import { floorDivideDims, multiplyDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { reshape } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { required } from '../schema.ts'
import { blockSize, checkMultiple, rearrange, requireImages } from '../support/blocks.ts'
import { typed } from '../support/infer.ts'
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
    const [batch, channels] = input.shape as [number, number]
    const [height, width] = shape.slice(2) as [number, number]
    const blocks = rearrange(input, [batch, channels, height, size, width, size], [0, 3, 5, 1, 2, 4])
    return [reshape(blocks, shape)]
  },
}

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
