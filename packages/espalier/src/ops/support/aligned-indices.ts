/**
 * The indexing that GatherElements and ScatterElements share: an index tensor of the data's rank, whose element at
 * `[i, j, k]` stands for the position `[i, index, k]` (for axis 1).
 */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import {
  forEachIndex,
  formatShape,
  normalizeAxis,
  type Shape,
  sizeOf,
  stridesOf,
} from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { positionsOf } from './integers.ts'

/** The flat position in data of shape `shape` for each element of `indices`. Throws `bad-shape`, `bad-argument`. */
export function alignedPositions(shape: Shape, indices: Tensor, axis: number): Float64Array {
  const at = normalizeAxis(axis, shape.length)
  checkAligned(shape, indices.shape, at)
  const strides = stridesOf(shape)
  const own = positionsOf(indices, shape[at]!)
  const result = new Float64Array(sizeOf(indices.shape))
  forEachIndex(indices.shape, [strides.with(at, 0)], (i, [offset]) => {
    result[i] = offset! + own[i]! * strides[at]!
  })
  return result
}

/** Throws `bad-shape` when the indices certainly do not lie within the data beside `axis`. */
export function checkAligned(data: readonly Dim[], indices: readonly Dim[], axis: number): void {
  const fits =
    data.length === indices.length &&
    data.every((extent, at) => {
      const used = indices[at]!
      return at === axis || typeof extent !== 'number' || typeof used !== 'number' || used <= extent
    })
  if (fits) return
  throw new EspalierError('bad-shape', `the indices do not lie within the data beside axis ${axis}`, {
    expected: `at most ${formatShape(data)}`,
    got: formatShape(indices),
  })
}
