/** Pools, channels last: of float32, and the largest of bytes. */
import type { StepSpec } from '../fields.ts'
import { product } from './window.ts'

const poolFields = {
  x: 'in',
  y: 'out',
  batch: 'int',
  input: 'int[3]',
  output: 'int[3]',
  kernel: 'int[3]',
  strides: 'int[3]',
  dilations: 'int[3]',
  pads: 'int[3]',
  /** Padding at the ends, of which `countPadding` speaks. */
  padsEnd: 'int[3]',
  channels: 'int',
  /** 0: largest, 1: average. */
  mode: 'int',
  /** Whether the declared padding counts in an average. */
  countPadding: 'int',
} as const

const bytesFields = {
  x: 'in',
  y: 'out',
  batch: 'int',
  input: 'int[3]',
  output: 'int[3]',
  kernel: 'int[3]',
  strides: 'int[3]',
  dilations: 'int[3]',
  pads: 'int[3]',
  channels: 'int',
  /** 1: int8, 0: uint8. */
  isSigned: 'int',
} as const

const globalFields = {
  x: 'in',
  y: 'out',
  /** One partial result of `channels` numbers for each piece of each sample. */
  scratch: 'scratch?',
  batch: 'int',
  pixels: 'int',
  channels: 'int',
  mode: 'int',
  /** Pixels are cut into so many pieces, whatever the number of threads. */
  pieces: 'int',
} as const

export interface PoolSteps {
  readonly pool_f32: StepSpec<typeof poolFields>
  readonly max_pool_i8: StepSpec<typeof bytesFields>
  readonly global_pool_f32: StepSpec<typeof globalFields>
}

export const poolSteps: PoolSteps = {
  pool_f32: {
    doc: 'Largest element or average of sliding windows, channels last.',
    fields: poolFields,
    cost: ({ batch, input, output, kernel, channels }) => ({
      flops: batch * product(output) * product(kernel) * channels,
      bytes: 4 * batch * channels * (product(input) + product(output)),
    }),
  },
  max_pool_i8: {
    doc: 'Largest element of sliding windows of bytes, channels last; the least number where there is none.',
    fields: bytesFields,
    cost: ({ batch, input, output, kernel, channels }) => ({
      flops: batch * product(output) * product(kernel) * channels,
      bytes: batch * channels * (product(input) + product(output)),
    }),
  },
  global_pool_f32: {
    doc: 'Largest element or average over all pixels of each sample, channels last.',
    fields: globalFields,
    cost: ({ batch, pixels, channels }) => ({
      flops: batch * pixels * channels,
      bytes: 4 * batch * channels * (pixels + 1),
    }),
  },
}
