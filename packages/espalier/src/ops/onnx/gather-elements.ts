/** One entry of an axis for each element of an index tensor of the same rank. */
import type { Dim } from '../../graph/graph.ts'
import { normalizeAxis } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { allTypes, allTypes13, int, type Schema, type TypeName } from '../schema.ts'
import { alignedPositions, checkAligned } from '../support/aligned-indices.ts'
import { typed } from '../support/infer.ts'
import { lowerGatherElements } from '../support/lower-indexing.ts'
import { gatherElements } from '../support/movement.ts'

const version = (T: readonly TypeName[]): Schema => ({
  inputs: ['data: T', 'indices: Tind'],
  outputs: ['output: T'],
  types: { T, Tind: ['int32', 'int64'] },
  attributes: { axis: int(0) },
})

export const GatherElements: Op = {
  name: 'GatherElements',
  doc: 'The element at its own position except along `axis`, where `indices` says which.',
  versions: { 11: version(allTypes), 13: version(allTypes13) },
  infer(c) {
    const [data, indices] = [c.shape(0), c.shape(1)]
    if (data !== undefined) {
      const axis = normalizeAxis(c.attributes.int('axis'), data.length)
      if (indices !== undefined) checkAligned(data, indices, axis)
    }
    return [typed(c.dtype(0), indices as readonly Dim[] | undefined)]
  },
  evaluate(c) {
    const [data, indices] = [c.tensor(0), c.tensor(1)]
    const positions = alignedPositions(data.shape, indices, c.attributes.int('axis'))
    return [gatherElements(data, indices.shape, i => positions[i]!)]
  },
  lower: lowerGatherElements,
}
