/** Determinants, by elimination with row exchanges. */
import { EspalierError } from '../../errors.ts'
import { differentDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { typed } from '../support/infer.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const Det: Op = {
  name: 'Det',
  doc: 'Determinant of each square matrix in a batch.',
  versions: { 11: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  infer(c) {
    const shape = c.shape(0)
    return [typed(c.dtype(0), shape && batchOf(shape))]
  },
  evaluate(c) {
    const matrices = c.tensor(0)
    const batch = batchOf(matrices.shape)
    const n = matrices.shape.at(-1)!
    const x = numbers(matrices)
    const values = Float64Array.from({ length: sizeOf(batch) }, (_, i) =>
      determinant(x.slice(i * n * n, (i + 1) * n * n), n),
    )
    return [fromNumbers(matrices.dtype, batch, values)]
  },
}

function batchOf<D extends Dim>(shape: readonly D[]): D[] {
  if (shape.length < 2 || differentDims(shape.at(-1)!, shape.at(-2)!))
    throw new EspalierError('bad-shape', 'there is no determinant of this', {
      expected: 'square matrices in the last two axes',
      got: formatShape(shape),
    })
  return shape.slice(0, -2)
}

/** Determinant of the n x n matrix `a`, which is overwritten. 1 for n = 0. */
function determinant(a: Float64Array, n: number): number {
  let result = 1
  for (let column = 0; column < n; column++) {
    let pivot = column
    for (let row = column + 1; row < n; row++)
      if (Math.abs(a[row * n + column]!) > Math.abs(a[pivot * n + column]!)) pivot = row
    const top = a[pivot * n + column]!
    if (top === 0) return 0
    if (pivot !== column) {
      result = -result
      for (let j = column; j < n; j++)
        [a[column * n + j], a[pivot * n + j]] = [a[pivot * n + j]!, a[column * n + j]!]
    }
    result *= top
    for (let row = column + 1; row < n; row++) {
      const factor = a[row * n + column]! / top
      for (let j = column; j < n; j++) a[row * n + j]! -= factor * a[column * n + j]!
    }
  }
  return result
}
