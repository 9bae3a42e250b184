/**
 * Convolutions of float32 by 3x3 kernels that move by one pixel, by Winograd's method (kernels/winograd.hpp), channels
 * last. Weights are transformed and packed once: [panel][element of the transform][channel][column], zeros beyond the
 * last column.
 */
import type { StepSpec } from '../fields.ts'
import { product } from './window.ts'

const packFields = {
  /** [outputs, channels, 3, 3] */
  w: 'in',
  packed: 'out',
  outputs: 'int',
  channels: 'int',
  /** As in `winograd_f32`. */
  size: 'int',
} as const

const winogradFields = {
  x: 'in',
  w: 'in',
  bias: 'in?',
  residual: 'in?',
  /** A channel vector of zeros, for padding. */
  zeros: 'in',
  y: 'out',
  scratch: 'scratch',
  batch: 'int',
  /** Height and width. */
  input: 'int[2]',
  output: 'int[2]',
  /** Padding at the beginnings; that at the ends follows from the extents. */
  pads: 'int[2]',
  channels: 'int',
  outputs: 'int',
  /** Outputs of a tile along an axis, 2 or 4. The transform has (size + 2)^2 elements. */
  size: 'int',
  /** Tiles that are worked on together. */
  blockTiles: 'int',
  /** Bytes of scratch for each thread. */
  scratchBytes: 'int',
  activation: 'int',
  alpha: 'float',
  beta: 'float',
} as const

export interface WinogradSteps {
  readonly winograd_pack_f32: StepSpec<typeof packFields>
  readonly winograd_f32: StepSpec<typeof winogradFields>
}

export const winogradSteps: WinogradSteps = {
  winograd_pack_f32: {
    doc: 'Weights of 3x3 kernels, transformed, as panels of output channels.',
    fields: packFields,
    cost: ({ outputs, channels, size }) => ({
      flops: 0,
      bytes: 4 * outputs * channels * (9 + (size + 2) ** 2),
    }),
  },
  winograd_f32: {
    doc: "y = activation(conv(x, w) + bias + residual) by Winograd's method, channels last, kernels of 3x3.",
    fields: winogradFields,
    // Of the products alone.
    cost: ({ batch, input, output, channels, outputs, size, residual }) => ({
      flops:
        2 *
        (size + 2) ** 2 *
        batch *
        product(output.map(extent => Math.ceil(extent / size))) *
        channels *
        outputs,
      bytes:
        4 *
        (batch * (product(input) * channels + product(output) * outputs * (residual ? 2 : 1)) +
          (size + 2) ** 2 * channels * outputs),
    }),
  },
}
