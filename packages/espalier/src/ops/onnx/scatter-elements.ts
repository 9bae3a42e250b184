/** Elements written to the positions that an index tensor names along one axis. */
import { EspalierError } from '../../errors.ts'
import { formatShape, normalizeAxis, sameShape } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import {
  type AttributeSchema,
  allTypes,
  allTypes13,
  int,
  type Schema,
  string,
  type TypeName,
} from '../schema.ts'
import { alignedPositions, checkAligned } from '../support/aligned-indices.ts'
import { sameAsFirst } from '../support/infer.ts'
import { lowerScatterElements } from '../support/lower-indexing.ts'
import { reductionOf, scatter } from '../support/scatter.ts'

const version = (T: readonly TypeName[], reduction?: AttributeSchema): Schema => ({
  inputs: ['data: T', 'indices: Tind', 'updates: T'],
  outputs: ['output: T'],
  types: { T, Tind: ['int32', 'int64'] },
  attributes: { axis: int(0), ...(reduction && { reduction }) },
})

export const ScatterElements: Op = {
  name: 'ScatterElements',
  doc: 'The data with each update written at its own position except along `axis`, where `indices` says which.',
  versions: {
    11: version(allTypes),
    13: version(allTypes13),
    16: version(allTypes13, string('none', ['none', 'add', 'mul'])),
    18: version(allTypes13, string('none', ['none', 'add', 'mul', 'max', 'min'])),
  },
  limits: 'reductions of complex numbers and strings',
  infer(c) {
    const [data, indices] = [c.shape(0), c.shape(1)]
    if (data !== undefined && indices !== undefined)
      checkAligned(data, indices, normalizeAxis(c.attributes.int('axis'), data.length))
    return sameAsFirst(c)
  },
  evaluate(c) {
    const [data, indices, updates] = [c.tensor(0), c.tensor(1), c.tensor(2)]
    if (!sameShape(indices.shape, updates.shape))
      throw new EspalierError('bad-shape', 'there is not one update for each index', {
        expected: formatShape(indices.shape),
        got: formatShape(updates.shape),
      })
    const positions = alignedPositions(data.shape, indices, c.attributes.int('axis'))
    const reduction = reductionOf(c.attributes)
    return [scatter(data, updates, { positions, run: 1 }, reduction)]
  },
  lower: lowerScatterElements,
}
