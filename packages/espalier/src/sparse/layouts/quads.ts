/**
 * 8-bit integers, four of them along the inputs together, for many rows of activations: `sparse_i8` (kernels/sparse_i8.hpp).
 * Four numbers are multiplied by one operation where there are dot products of four (VNNI, dotprod), elsewhere by two. The
 * sums of columns lie behind, for the zero point of activations.
 */
import type { SparseLayout } from '../layout.ts'
import { cutParts } from '../parts-layout.ts'

export const quads: SparseLayout<'int8'> = {
  name: 'quads',
  dtype: 'int8',
  unit: 'fours',
  width: 4,
  costs: { kept: 4.1e-10, fixed: 2.8e-9 },
  probe: { few: false, unit: [1, 4], group: 50, shares: [0.06, 0.6] },
  cut(product, target) {
    const { int8Depth, int8Columns } = target.traits
    const words = 4 / int8Depth
    return cutParts(product, target, {
      width: 4,
      words,
      padding: Math.ceil((product.matrix.channels + 4) / 64) * 64 * words,
      columns: int8Columns,
      emit: (to, operands, fields, { kept, extraAt }) =>
        to.emit('sparse_i8', { ...operands, ...fields, quads: kept, sumsAt: extraAt }),
    })
  },
}
