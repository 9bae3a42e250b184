/**
 * Products with sparse float32 weights (kernels/sparse.hpp): of a matrix, or of the windows of an image with channels last.
 * Weights are packed by sparse/parts.ts in steps of one number.
 */
import type { StepSpec } from '../fields.ts'
import { sparseCutFields } from './sparse-cut.ts'
import { product } from './window.ts'

const operandFields = {
  x: 'in',
  w: 'in',
  bias: 'in?',
  /** Lies as `y` does. */
  residual: 'in?',
  /** A channel vector of zeros, for taps on padding. */
  zeros: 'in',
  y: 'out',
  scratch: 'scratch',
} as const

const restFields = {
  /** Weights that are not zero. */
  nonzero: 'int',
  /** Bytes of scratch for each thread. */
  scratchBytes: 'int',
  activation: 'int',
  alpha: 'float',
  beta: 'float',
} as const

const sparseFields: typeof operandFields & typeof sparseCutFields & typeof restFields = {
  ...operandFields,
  ...sparseCutFields,
  ...restFields,
}

export interface SparseSteps {
  readonly sparse_f32: StepSpec<typeof sparseFields>
}

export const sparseSteps: SparseSteps = {
  sparse_f32: {
    doc: 'y = act(x . w + bias + residual) for a w of which only the nonzero numbers are kept.',
    fields: sparseFields,
    cost({ batch, input, outputSize, channels, outputs, nonzero, residual }) {
      const pixels = batch * product(outputSize)
      return {
        flops: 2 * pixels * nonzero,
        bytes:
          6 * nonzero +
          4 * (batch * product(input) * channels + pixels * outputs * (residual === undefined ? 1 : 2)),
      }
    },
  },
}
