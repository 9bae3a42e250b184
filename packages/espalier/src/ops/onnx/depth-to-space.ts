/** Channels laid out as blocks of pixels. */
import { floorDivideDims, multiplyDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { type Shape, stridesOf } from '../../tensor/shape.ts'
import { reshape } from '../../tensor/tensor.ts'
import type { NodeContext, Op } from '../op.ts'
import { allTypes, required, string } from '../schema.ts'
import { blockSize, checkMultiple, rearrange, requireImages } from '../support/blocks.ts'
import { typed } from '../support/infer.ts'
import { lowerView } from '../support/lower-movement.ts'
import { upTo13, versionsOf } from '../support/versions.ts'

const schema = { inputs: ['input: T'], outputs: ['output: T'] }
const blocksize = required('int')
const mode = string('DCR', ['DCR', 'CRD'])

export const DepthToSpace: Op = {
  name: 'DepthToSpace',
  doc: 'Each group of `blocksize` squared channels as a block of pixels.',
  versions: {
    1: { ...schema, types: { T: allTypes }, attributes: { blocksize } },
    ...versionsOf({ 11: allTypes, ...upTo13 }, T => ({
      ...schema,
      types: { T },
      attributes: { blocksize, mode },
    })),
  },
  infer(c) {
    const shape = c.shape(0)
    return [typed(c.dtype(0), shape === undefined ? [null, null, null, null] : spread(shape, blockSize(c)))]
  },
  evaluate(c) {
    const input = c.tensor(0)
    const size = blockSize(c)
    const shape = spread(input.shape, size) as readonly number[]
    const { split, order } = blockAxes(c, input.shape)
    return [reshape(rearrange(input, split, order), shape)]
  },
  lower(c) {
    const { shape } = c.type(0)
    const { split, order } = blockAxes(c, shape)
    const strides = stridesOf(split)
    return lowerView(c, {
      shape: order.map(axis => split[axis]!),
      strides: order.map(axis => strides[axis]!),
    })
  },
}

/** The axes of the input with its channels split, and their order in the output. */
function blockAxes(
  c: Pick<NodeContext, 'attributes'>,
  shape: Shape,
): { split: Shape; order: readonly number[] } {
  const size = blockSize(c)
  const [batch, , height, width] = shape as [number, number, number, number]
  const channels = shape[1]! / size ** 2
  return c.attributes.optionalString('mode') === 'CRD'
    ? { split: [batch, channels, size, size, height, width], order: [0, 1, 4, 2, 5, 3] }
    : { split: [batch, size, size, channels, height, width], order: [0, 3, 4, 1, 5, 2] }
}

function spread(shape: readonly Dim[], size: number): readonly Dim[] {
  const [batch, channels, height, width] = requireImages(shape)
  checkMultiple(channels, size * size, 'channels')
  return [
    batch,
    floorDivideDims(channels, size * size),
    multiplyDims(height, size),
    multiplyDims(width, size),
  ]
}
