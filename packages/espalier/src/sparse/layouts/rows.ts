/**
 * Single float32 numbers, whatever pattern they lie in, for many rows of activations: `sparse_f32` (kernels/sparse.hpp). A
 * number takes a broadcast and a multiply-add for every vector of rows.
 */
import type { SparseLayout } from '../layout.ts'
import { cutParts } from '../parts-layout.ts'

export const rows: SparseLayout<'float32'> = {
  name: 'rows',
  dtype: 'float32',
  unit: 'numbers',
  width: 1,
  costs: { kept: 1.7e-10, fixed: 2e-9 },
  probe: { few: false, unit: [1, 1], group: 50, shares: [0.06, 0.6] },
  cut: (product, target) =>
    cutParts(product, target, {
      width: 1,
      words: 1,
      emit(to, operands, fields, { kept }) {
        const zeros = to.table(new Float32Array(product.matrix.channels))
        to.emit('sparse_f32', { ...operands, ...fields, zeros, tall: 1, nonzero: kept })
      },
    }),
}
