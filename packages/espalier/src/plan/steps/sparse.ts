/**
 * Products with sparse float32 weights (kernels/sparse.hpp): of a matrix, or of the windows of an image with channels last.
 * Weights are packed by sparse/parts.ts in steps of one number.
 */
import type { StepSpec } from '../fields.ts'
import { bitmaskCutFields } from './bitmask-cut.ts'
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
  /** Outputs that keep their weights at the same places of k, four together, or 1. */
  tall: 'int',
  /** Weights that are kept. */
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

const bitmaskRest = {
  bias: 'in?',
  /** Lies as `y` does. */
  residual: 'in?',
  y: 'out',
  activation: 'int',
  alpha: 'float',
  beta: 'float',
} as const
const bitmaskFields: typeof bitmaskCutFields & typeof bitmaskRest = { ...bitmaskCutFields, ...bitmaskRest }

export interface SparseSteps {
  readonly sparse_f32: StepSpec<typeof sparseFields>
  readonly bitmask_f32: StepSpec<typeof bitmaskFields>
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
  bitmask_f32: {
    doc: 'y = act(x . w + bias + residual) for few rows and a w of which the nonzero numbers are kept, with a bit for each.',
    fields: bitmaskFields,
    cost: ({ m, n, k, words, residual }) => ({
      flops: 2 * m * n * k,
      bytes: (n * k) / 8 + 4 * words + 4 * m * (k + n * (residual === undefined ? 1 : 2)),
    }),
  },
}
