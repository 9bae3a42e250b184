/** Number of elements of a tensor, as a tensor. */
import { productOfDims } from '../../graph/dim.ts'
import { tensorType } from '../../graph/graph.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { elementCount, int64 } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes19 } from '../schema.ts'
import { lowerConstant } from '../support/lower-movement.ts'
import { from1To13, since21, versionsOf } from '../support/versions.ts'

export const Size: Op = {
  name: 'Size',
  doc: 'The number of elements of the input.',
  versions: versionsOf({ ...from1To13, 19: allTypes19, ...since21 }, T => ({
    inputs: ['data: T'],
    outputs: ['size: T1'],
    types: { T, T1: ['int64'] },
  })),
  infer: () => [tensorType('int64', [])],
  contents(c) {
    const shape = c.shape(0)
    return [shape && [productOfDims(shape)]]
  },
  evaluate: c => [int64(elementCount(c.tensor(0)))],
  lower: c => lowerConstant(c, int64(sizeOf(c.type(0).shape))),
}
