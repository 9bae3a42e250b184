/** Sampling positions under an affine map, for GridSample. */
import { EspalierError } from '../../errors.ts'
import { differentDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import { zeros } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { floats, int } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { listOf } from '../support/integers.ts'
import { contentOrUnknown } from '../support/known-lengths.ts'
import { outputSize } from '../support/movement.ts'

export const AffineGrid: Op = {
  name: 'AffineGrid',
  doc: 'The pixels of an image of extents `size`, as positions from -1 to 1, mapped by a matrix for each batch entry.',
  versions: {
    20: {
      inputs: ['theta: T1', 'size: T2'],
      outputs: ['grid: T1'],
      types: { T1: floats, T2: ['int64'] },
      attributes: { align_corners: int(0) },
    },
  },
  infer(c) {
    const size = contentOrUnknown(c, 1)
    return [typed(c.dtype(0), size && gridShape(c.shape(0), size))]
  },
  evaluate(c) {
    const theta = c.tensor(0)
    const size = listOf(c.tensor(1), 'size')
    const shape = gridShape(theta.shape, size) as readonly number[]
    if (outputSize('float64', shape) === 0) return [zeros(theta.dtype, shape)]
    const corners = c.attributes.int('align_corners') !== 0
    const spatial = size.slice(2)
    const rank = spatial.length
    // Positions along each axis, the innermost (x) first, as the matrix has them.
    const positions = spatial.map(extent => positionsAlong(extent, corners)).reverse()
    const matrices = numbers(theta)
    const result = new Float64Array(sizeOf(shape))
    const points = sizeOf(spatial)
    for (let batch = 0; batch < shape[0]!; batch++)
      for (let point = 0; point < points; point++) {
        let rest = point
        const at = positions.map(along => {
          const position = along[rest % along.length]!
          rest = Math.floor(rest / along.length)
          return position
        })
        for (let row = 0; row < rank; row++) {
          const first = (batch * rank + row) * (rank + 1)
          let sum = matrices[first + rank]!
          for (let k = 0; k < rank; k++) sum += matrices[first + k]! * at[k]!
          result[(batch * points + point) * rank + row] = sum
        }
      }
    return [fromNumbers(theta.dtype, shape, result)]
  },
}

/** Centres of `extent` pixels in [-1, 1], which ends at the outer pixels' centres (`corners`) or at their edges. */
function positionsAlong(extent: number, corners: boolean): Float64Array {
  if (corners)
    return Float64Array.from({ length: extent }, (_, i) => (extent === 1 ? -1 : -1 + (2 * i) / (extent - 1)))
  return Float64Array.from({ length: extent }, (_, i) => -1 + (2 * i + 1) / extent)
}

function gridShape(theta: readonly Dim[] | undefined, size: readonly Dim[]): readonly Dim[] {
  const rank = size.length - 2
  const fits =
    (rank === 2 || rank === 3) &&
    (theta === undefined ||
      (theta.length === 3 && !differentDims(theta[1]!, rank) && !differentDims(theta[2]!, rank + 1)))
  if (!fits || (theta !== undefined && differentDims(theta[0]!, size[0]!)))
    throw new EspalierError('bad-shape', 'the matrices do not fit the size of the image', {
      expected: 'theta Nx2x3 with a size of 4 extents, or Nx3x4 with 5',
      got: `theta ${theta === undefined ? '?' : formatShape(theta)} with a size of ${formatShape(size)}`,
    })
  return [size[0] ?? theta?.[0] ?? null, ...size.slice(2), rank]
}
