/**
 * Products with sparse float32 weights (kernels/sparse.hpp): of a matrix, or of the windows of an image with channels last.
 * Weights are in the layout that sparse/layouts/rows.ts makes.
 */
import type { StepSpec } from '../fields.ts'
import { product } from './window.ts'

const sparseFields = {
  x: 'in',
  /** Beginnings of the parts, then the directory, places and values, each at the bytes below. */
  w: 'in',
  bias: 'in?',
  /** Lies as `y` does. */
  residual: 'in?',
  /** A channel vector of zeros, for taps on padding. */
  zeros: 'in',
  y: 'out',
  scratch: 'scratch',
  batch: 'int',
  /** Spatial extents; a matrix is an image of one row of pixels. */
  input: 'int[3]',
  outputSize: 'int[3]',
  kernel: 'int[3]',
  strides: 'int[3]',
  dilations: 'int[3]',
  /** Padding at the beginnings. */
  pads: 'int[3]',
  channels: 'int',
  /** Elements from pixel to pixel of x. */
  xStride: 'int',
  outputs: 'int',
  /** Outputs of a panel, and steps of k of a block. */
  panel: 'int',
  block: 'int',
  directoryAt: 'int',
  placesAt: 'int',
  valuesAt: 'int',
  /** Weights that are not zero. */
  nonzero: 'int',
  /** Bytes of scratch for each thread. */
  scratchBytes: 'int',
  activation: 'int',
  alpha: 'float',
  beta: 'float',
} as const

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
