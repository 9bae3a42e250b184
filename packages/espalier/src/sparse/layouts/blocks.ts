/**
 * Float32 numbers in blocks of four outputs, for many rows of activations: `sparse_f32` (kernels/sparse.hpp), where what is
 * loaded of the activations meets four weights. For patterns of blocks that are four outputs tall, or a multiple of that;
 * others fill few of the places that it keeps.
 */
import type { SparseLayout } from '../layout.ts'
import { cutParts } from '../parts-layout.ts'

/** `tall` of kernels/sparse.hpp. */
const tall = 4

export const blocks: SparseLayout<'float32'> = {
  name: 'blocks 4x1',
  dtype: 'float32',
  unit: 'blocks of 4 outputs',
  width: tall,
  costs: { kept: 5.4e-10, fixed: 2e-9 },
  probe: { few: false, unit: [tall, 1], group: 50, shares: [0.06, 0.6] },
  cut: (product, target) =>
    cutParts(product, target, {
      width: tall,
      tall,
      words: 1,
      emit(to, operands, fields, { kept }) {
        const zeros = to.table(new Float32Array(product.matrix.channels))
        to.emit('sparse_f32', { ...operands, ...fields, zeros, tall, nonzero: kept * tall })
      },
    }),
}
