/** Entries of one axis picked by index. */
import type { Dim } from '../../graph/graph.ts'
import { normalizeAxis } from '../../tensor/shape.ts'
import { reshape } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes, allTypes13, int, type Schema, type TypeName } from '../schema.ts'
import { contentOf } from '../support/contents.ts'
import { typed } from '../support/infer.ts'
import { positionsOf } from '../support/integers.ts'
import { lowerGather } from '../support/lower-indexing.ts'
import { selectAxes } from '../support/movement.ts'

const version = (T: readonly TypeName[]): Schema => ({
  inputs: ['data: T', 'indices: Tind'],
  outputs: ['output: T'],
  types: { T, Tind: ['int32', 'int64'] },
  attributes: { axis: int(0) },
})

export const Gather: Op = {
  name: 'Gather',
  doc: 'The entries of `axis` that `indices` names; the shape of the indices takes the place of the axis.',
  versions: { 1: version(allTypes), 11: version(allTypes), 13: version(allTypes13) },
  infer(c) {
    const [data, indices] = [c.shape(0), c.shape(1)]
    if (data === undefined) return [typed(c.dtype(0), undefined)]
    const axis = normalizeAxis(c.attributes.int('axis'), data.length)
    return [typed(c.dtype(0), indices && [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)])]
  },
  contents(c) {
    const [data, indices] = [contentOf(c, 0), c.content(1)]
    if (data === undefined || indices === undefined || c.shape(0)?.length !== 1) return [undefined]
    const pick = (index: Dim): Dim => {
      if (typeof index !== 'number') return null
      return data[index < 0 ? index + data.length : index] ?? null
    }
    return [indices.map(pick)]
  },
  evaluate(c) {
    const [data, indices] = [c.tensor(0), c.tensor(1)]
    const axis = normalizeAxis(c.attributes.int('axis'), data.shape.length)
    const tables = new Array<Float64Array | undefined>(data.shape.length).fill(undefined)
    tables[axis] = positionsOf(indices, data.shape[axis]!)
    const picked = selectAxes(data, tables)
    return [reshape(picked, [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)])]
  },
  lower: c => lowerGather(c, normalizeAxis(c.attributes.int('axis'), c.type(0).shape.length)),
}
