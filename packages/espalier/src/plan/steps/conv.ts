/**
 * Convolutions of float32 as implicit matrix products, channels last: a row is an output pixel, k runs over kernel taps
 * and channels, a column is an output channel. Weights are packed once in panels of `gemmColumns` output channels:
 * [group][panel][tap][channel][column], zeros beyond the last column.
 */
import type { StepSpec } from '../fields.ts'
import { product } from './window.ts'

const packFields = {
  w: 'in',
  packed: 'out',
  groups: 'int',
  /** Of one group. */
  outputs: 'int',
  channels: 'int',
  /** Elements from an output channel to the next, from an input channel to the next, from a group to the next. */
  outputStride: 'int',
  channelStride: 'int',
  groupStride: 'int',
  /** Places of the taps in a kernel, in the order in which they are packed. */
  taps: 'ints',
} as const

const convFields = {
  x: 'in',
  w: 'in',
  bias: 'in?',
  residual: 'in?',
  /** A channel vector of zeros, for taps on padding. */
  zeros: 'in',
  y: 'out',
  scratch: 'scratch',
  batch: 'int',
  /** Spatial extents. */
  input: 'int[3]',
  output: 'int[3]',
  kernel: 'int[3]',
  strides: 'int[3]',
  dilations: 'int[3]',
  /** Padding at the beginnings; that at the ends follows from the extents. */
  pads: 'int[3]',
  /** All groups together. */
  channels: 'int',
  outputs: 'int',
  groups: 'int',
  /**
   * Output pixels whose rows are worked on together: `chunk[0]` of them, row ends ignored; or, with `copied`, a
   * rectangle chunk[0] wide and chunk[1] high whose windows are first copied with their padding, so that the taps
   * along a row and their channels are one run of k.
   */
  chunk: 'int[2]',
  copied: 'int',
  /** About how many steps of k a panel is used for before the next rows: what fits in the first-level cache. */
  depth: 'int',
  /** Bytes of scratch for each thread. */
  scratchBytes: 'int',
  activation: 'int',
  alpha: 'float',
  beta: 'float',
} as const

const convTransposeFields = {
  x: 'in',
  w: 'in',
  bias: 'in?',
  zeros: 'in',
  y: 'out',
  scratch: 'scratch',
  batch: 'int',
  input: 'int[3]',
  output: 'int[3]',
  kernel: 'int[3]',
  strides: 'int[3]',
  dilations: 'int[3]',
  pads: 'int[3]',
  channels: 'int',
  outputs: 'int',
  groups: 'int',
  chunk: 'int[2]',
  copied: 'int',
  depth: 'int',
  scratchBytes: 'int',
  activation: 'int',
  alpha: 'float',
  beta: 'float',
} as const

export interface ConvSteps {
  readonly conv_pack_f32: StepSpec<typeof packFields>
  readonly conv_f32: StepSpec<typeof convFields>
  readonly conv_transpose_f32: StepSpec<typeof convTransposeFields>
}

interface Sizes {
  readonly batch: number
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly kernel: readonly number[]
  readonly channels: number
  readonly outputs: number
  readonly groups: number
}

/** Bytes of input, output and weights. */
function bytesOf({ batch, input, output, kernel, channels, outputs, groups }: Sizes): number {
  const weights = (product(kernel) * channels * outputs) / groups
  return 4 * (batch * (product(input) * channels + product(output) * outputs) + weights)
}

export const convSteps: ConvSteps = {
  conv_pack_f32: {
    doc: 'Weights [group][output][channel][tap], with any strides, as panels of output channels.',
    fields: packFields,
    cost: ({ groups, outputs, channels, taps }) => ({
      flops: 0,
      bytes: 8 * groups * outputs * channels * taps.length,
    }),
  },
  conv_f32: {
    doc: 'y = activation(conv(x, w) + bias + residual), channels last.',
    fields: convFields,
    cost: values => ({
      flops:
        (2 *
          values.batch *
          product(values.output) *
          product(values.kernel) *
          values.channels *
          values.outputs) /
        values.groups,
      bytes:
        bytesOf(values) + (values.residual ? 4 * values.batch * product(values.output) * values.outputs : 0),
    }),
  },
  conv_transpose_f32: {
    doc: 'y = activation(transposed conv(x, w) + bias), channels last; one product for each phase of the stride.',
    fields: convTransposeFields,
    cost: values => ({
      flops:
        (2 *
          values.batch *
          product(values.input) *
          product(values.kernel) *
          values.channels *
          values.outputs) /
        values.groups,
      bytes: bytesOf(values),
    }),
  },
}
