/** Softmax and its relatives, along one axis of [outer, length, inner]. */
import type { StepSpec } from '../fields.ts'

/** Values of `mode`. */
export const softmaxModes = { softmax: 0, logSoftmax: 1, hardmax: 2 } as const

const softmaxFields = {
  x: 'in',
  y: 'out',
  outer: 'int',
  length: 'int',
  inner: 'int',
  /** One of {@link softmaxModes}. */
  mode: 'int',
} as const

export interface SoftmaxSteps {
  readonly softmax_f32: StepSpec<typeof softmaxFields>
}

export const softmaxSteps: SoftmaxSteps = {
  softmax_f32: {
    doc: 'Softmax, its logarithm, or the indicator of the largest, of every line of [outer, length, inner].',
    fields: softmaxFields,
    // An exponential counts as ten operations.
    cost: ({ outer, length, inner }) => ({
      flops: 13 * outer * length * inner,
      bytes: 8 * outer * length * inner,
    }),
  },
}
