/**
 * The indexing that GatherND and ScatterND share: the last axis of an index tensor holds tuples, each naming the first
 * coordinates of a slice of the data.
 */
import { EspalierError } from '../../errors.ts'
import { differentDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape, type Shape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { integersOf, positionOf } from './integers.ts'

/** Where the slices start in the flat data, one entry a tuple, and how many elements each has. */
export interface TuplePositions {
  readonly positions: Float64Array
  readonly run: number
}

/** The slices that `indices` names in data of shape `data`, behind `batch` shared leading axes. Throws `bad-argument`. */
export function tuplePositions(data: Shape, indices: Tensor, batch: number): TuplePositions {
  const length = indices.shape.at(-1)!
  const strides = stridesOf(data)
  const values = integersOf(indices)
  const tuples = sizeOf(indices.shape.slice(0, -1))
  const batches = sizeOf(data.slice(0, batch))
  const perBatch = batches === 0 ? 0 : tuples / batches
  const batchStride = sizeOf(data.slice(batch))
  const positions = new Float64Array(tuples)
  for (let tuple = 0; tuple < tuples; tuple++) {
    let position = Math.floor(tuple / perBatch) * batchStride
    for (let k = 0; k < length; k++) {
      const axis = batch + k
      position += positionOf(values[tuple * length + k]!, data[axis]!) * strides[axis]!
    }
    positions[tuple] = position
  }
  return { positions, run: sizeOf(data.slice(batch + length)) }
}

/** Throws `bad-argument` or `bad-shape` when the leading `batch` axes are not shared. */
export function checkBatch(data: readonly Dim[], indices: readonly Dim[], batch: number): void {
  if (data.length === 0 || indices.length === 0)
    throw new EspalierError('bad-shape', 'index tuples need data and indices of at least one axis')
  if (batch < 0 || batch >= Math.min(data.length, indices.length))
    throw new EspalierError('bad-argument', 'the batch axes do not fit data and indices', {
      where: { field: 'batch_dims' },
      expected: `0 to ${Math.min(data.length, indices.length) - 1}`,
      got: `${batch}`,
    })
  for (let axis = 0; axis < batch; axis++)
    if (differentDims(data[axis]!, indices[axis]!))
      throw new EspalierError('bad-shape', 'data and indices differ in a batch axis', {
        expected: formatShape(data.slice(0, batch)),
        got: formatShape(indices.slice(0, batch)),
      })
}
