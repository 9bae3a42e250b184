/** Slices of a tensor picked by index tuples. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { allTypes, allTypes13, int, type Schema, type TypeName } from '../schema.ts'
import { checkBatch, tuplePositions } from '../support/index-tuples.ts'
import { typed } from '../support/infer.ts'
import { lowerGatherND } from '../support/lower-indexing.ts'
import { cellsOf, copyRun, newCells, tensorOfCells } from '../support/movement.ts'

const version = (T: readonly TypeName[]): Schema => ({
  inputs: ['data: T', 'indices: int64'],
  outputs: ['output: T'],
  types: { T },
})
const batched = (T: readonly TypeName[]): Schema => ({ ...version(T), attributes: { batch_dims: int(0) } })

export const GatherND: Op = {
  name: 'GatherND',
  doc: 'The slices (or elements) of `data` that the index tuples in the last axis of `indices` name.',
  versions: { 11: version(allTypes), 12: batched(allTypes), 13: batched(allTypes13) },
  infer(c) {
    const [data, indices] = [c.shape(0), c.shape(1)]
    if (data === undefined || indices === undefined) return [typed(c.dtype(0), undefined)]
    const shape = gatheredShape(data, indices, c.attributes.optionalInt('batch_dims') ?? 0)
    return [typed(c.dtype(0), shape)]
  },
  evaluate(c) {
    const [data, indices] = [c.tensor(0), c.tensor(1)]
    const batch = c.attributes.optionalInt('batch_dims') ?? 0
    const shape = gatheredShape(data.shape, indices.shape, batch) as readonly number[]
    const { positions, run } = tuplePositions(data.shape, indices, batch)
    const to = newCells(data.dtype, shape)
    if (sizeOf(shape) > 0) {
      const from = cellsOf(data)
      for (let i = 0; i < positions.length; i++) copyRun(to, i * run, from, positions[i]!, run)
    }
    return [tensorOfCells(to, shape)]
  },
  lower: c => lowerGatherND(c, c.attributes.optionalInt('batch_dims') ?? 0),
}

function gatheredShape(
  data: readonly Dim[],
  indices: readonly Dim[],
  batch: number,
): readonly Dim[] | undefined {
  checkBatch(data, indices, batch)
  const length = indices.at(-1)
  if (typeof length !== 'number') return undefined
  if (length < 1 || length > data.length - batch)
    throw new EspalierError('bad-shape', 'the index tuples do not fit the data', {
      expected: `tuples of 1 to ${data.length - batch} for data of shape ${formatShape(data)}`,
      got: `tuples of ${length}`,
    })
  return [...indices.slice(0, -1), ...data.slice(batch + length)]
}
