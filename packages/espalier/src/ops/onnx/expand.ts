/** Broadcasting to a given shape. */
import type { Dim } from '../../graph/graph.ts'
import { broadcastShapes, broadcastStrides, sameShape } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { allTypes } from '../schema.ts'
import { contentOf } from '../support/contents.ts'
import { broadcastDims, typed } from '../support/infer.ts'
import { listOf } from '../support/integers.ts'
import { contentOrUnknown, mostContents } from '../support/known-lengths.ts'
import { lowerView } from '../support/lower-movement.ts'
import { copyStrided } from '../support/movement.ts'
import { upTo13, versionsOf } from '../support/versions.ts'

export const Expand: Op = {
  name: 'Expand',
  doc: 'The input broadcast against `shape`.',
  versions: versionsOf({ 8: allTypes, ...upTo13 }, T => ({
    inputs: ['input: T', 'shape: int64'],
    outputs: ['output: T'],
    types: { T },
  })),
  infer(c) {
    return [typed(c.dtype(0), broadcastDims(c.shape(0), contentOrUnknown(c, 1)))]
  },
  contents(c) {
    const [input, target] = [contentOf(c, 0), c.content(1)]
    if (input === undefined || target === undefined || target.length > 1) return [undefined]
    const count = target[0] ?? 1
    if (count === 1) return [input]
    if (typeof count !== 'number' || count > mostContents) return [undefined]
    return [input.length === 1 ? new Array<Dim>(count).fill(input[0]!) : input]
  },
  evaluate(c) {
    const input = c.tensor(0)
    const shape = broadcastShapes(input.shape, listOf(c.tensor(1), 'shape'))
    if (sameShape(shape, input.shape)) return [input]
    return [copyStrided(input, shape, broadcastStrides(input.shape, shape))]
  },
  lower(c) {
    const { shape } = c.outputType(0)
    return lowerView(c, { shape, strides: broadcastStrides(c.type(0).shape, shape) })
  },
}
