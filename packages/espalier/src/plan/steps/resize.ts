/** Interpolation along one axis; an image is resized by one step for each axis. */
import type { StepSpec } from '../fields.ts'

const resampleFields = {
  x: 'in',
  /** int32 [output + 1]: where the taps of each position start. */
  starts: 'in',
  /** int32: the position in x that each tap reads. */
  indices: 'in',
  /** float32 */
  weights: 'in',
  y: 'out',
  /** x is [outer, input, inner], y is [outer, output, inner]. */
  outer: 'int',
  input: 'int',
  output: 'int',
  inner: 'int',
  /** Taps of each position when all have as many; 0 otherwise. */
  taps: 'int',
  /** Value of positions without taps. */
  outside: 'float',
} as const

export interface ResizeSteps {
  readonly resample_f32: StepSpec<typeof resampleFields>
}

export const resizeSteps: ResizeSteps = {
  resample_f32: {
    doc: 'y[o, j, i] = sum over the taps t of j of weights[t] * x[o, indices[t], i].',
    fields: resampleFields,
    cost: ({ outer, input, output, inner, taps }) => ({
      flops: 2 * outer * output * inner * Math.max(taps, 1),
      bytes: 4 * outer * (input + output) * inner,
    }),
  },
}
