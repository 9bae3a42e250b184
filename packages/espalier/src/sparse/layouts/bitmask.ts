/**
 * Words of 32 bits with a bit each, for few rows of activations, which are bound by reading the weights: single float32
 * numbers (`bitmask_f32`, kernels/bitmask.hpp), and 8-bit integers, four of them along the inputs together (`bitmask_i8`,
 * kernels/bitmask_i8.hpp), with the sums of columns behind for the zero point of activations.
 */
import { cutBitmask } from '../bitmask-layout.ts'
import type { SparseLayout } from '../layout.ts'

export const bitmaskF32: SparseLayout<'float32'> = {
  name: 'bitmask',
  dtype: 'float32',
  unit: 'numbers',
  width: 1,
  costs: { kept: 0, fixed: 5.6e-10 },
  probe: { few: true, unit: [1, 1], group: 50, shares: [0.4] },
  cut: (product, target) =>
    cutBitmask(product, target, {
      width: 1,
      sums: false,
      emit: (to, operands, fields) => to.emit('bitmask_f32', { ...operands, ...fields }),
    }),
}

export const bitmaskI8: SparseLayout<'int8'> = {
  name: 'bitmask',
  dtype: 'int8',
  unit: 'fours',
  width: 4,
  costs: { kept: 0, fixed: 1.25e-9 },
  probe: { few: true, unit: [1, 4], group: 50, shares: [0.4] },
  cut: (product, target) =>
    cutBitmask(product, target, {
      width: 4,
      sums: true,
      emit: (to, operands, fields, { extraAt }) =>
        to.emit('bitmask_i8', { ...operands, ...fields, sumsAt: extraAt }),
    }),
}
