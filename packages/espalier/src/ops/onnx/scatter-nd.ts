/** Slices written to the positions that index tuples name. */
import { EspalierError } from '../../errors.ts'
import { differentDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { allTypes, allTypes13, type Schema, string, type TypeName } from '../schema.ts'
import { checkBatch, tuplePositions } from '../support/index-tuples.ts'
import { sameAsFirst } from '../support/infer.ts'
import { lowerScatterND } from '../support/lower-indexing.ts'
import { reductionOf, scatter } from '../support/scatter.ts'

const version = (T: readonly TypeName[]): Schema => ({
  inputs: ['data: T', 'indices: int64', 'updates: T'],
  outputs: ['output: T'],
  types: { T },
})
const reducing = (choices: readonly string[]): Schema => ({
  ...version(allTypes13),
  attributes: { reduction: string('none', choices) },
})

export const ScatterND: Op = {
  name: 'ScatterND',
  doc: 'The data with the updates written over the slices (or elements) that the index tuples name.',
  versions: {
    11: version(allTypes),
    13: version(allTypes13),
    16: reducing(['none', 'add', 'mul']),
    18: reducing(['none', 'add', 'mul', 'max', 'min']),
  },
  limits: 'reductions of complex numbers and strings',
  infer(c) {
    const [data, indices, updates] = [c.shape(0), c.shape(1), c.shape(2)]
    if (data !== undefined && indices !== undefined && updates !== undefined)
      checkUpdates(data, indices, updates)
    return sameAsFirst(c)
  },
  evaluate(c) {
    const [data, indices, updates] = [c.tensor(0), c.tensor(1), c.tensor(2)]
    checkUpdates(data.shape, indices.shape, updates.shape)
    const placement = tuplePositions(data.shape, indices, 0)
    return [scatter(data, updates, placement, reductionOf(c.attributes))]
  },
  lower: lowerScatterND,
}

function checkUpdates(data: readonly Dim[], indices: readonly Dim[], updates: readonly Dim[]): void {
  checkBatch(data, indices, 0)
  const length = indices.at(-1)!
  if (typeof length !== 'number') return
  if (length > data.length)
    throw new EspalierError('bad-shape', 'the index tuples do not fit the data', {
      expected: `tuples of at most ${data.length}`,
      got: `tuples of ${length}`,
    })
  const wanted = [...indices.slice(0, -1), ...data.slice(length)]
  if (
    wanted.length === updates.length &&
    wanted.every((extent, axis) => !differentDims(extent, updates[axis]!))
  )
    return
  throw new EspalierError('bad-shape', 'the updates do not fit the slices they are to be written to', {
    expected: formatShape(wanted),
    got: formatShape(updates),
  })
}
