/** Normalisations: lines of a tensor divided by a norm or a deviation, with what exporters put around them. */
import type { StepSpec } from '../fields.ts'

/**
 * Values of `mode`. `layer`: (x - mean) / sqrt(variance + epsilon); `rms`: x / sqrt(mean square + epsilon); `l1`, `l2`:
 * x / norm, zeros where that is 0; `standard`: (x - mean) / (sqrt(variance) + epsilon).
 */
export const normalizations = { layer: 0, rms: 1, l1: 2, l2: 3, standard: 4 } as const

const normalizeFields = {
  x: 'in',
  /** Added to x first. */
  residual: 'in?',
  scale: 'in?',
  bias: 'in?',
  y: 'out',
  /** x + residual. */
  sum: 'out?',
  /** One number a row. */
  mean: 'out?',
  /** One over the deviation, one number a row. */
  inverse: 'out?',
  rows: 'int',
  length: 'int',
  /** One of {@link normalizations}. */
  mode: 'int',
  epsilon: 'float',
  /** Element i of row r takes scale and bias number `(r % period) * (length / inner) + floor(i / inner)`. */
  period: 'int',
  inner: 'int',
} as const

const normalizeColumnsFields = {
  x: 'in',
  y: 'out',
  outer: 'int',
  length: 'int',
  inner: 'int',
  mode: 'int',
  epsilon: 'float',
} as const

const lrnFields = {
  x: 'in',
  y: 'out',
  batch: 'int',
  channels: 'int',
  inner: 'int',
  /** Channels summed over, the own one included. */
  size: 'int',
  alpha: 'float',
  beta: 'float',
  bias: 'float',
} as const

export interface NormalizeSteps {
  readonly normalize_f32: StepSpec<typeof normalizeFields>
  readonly normalize_columns_f32: StepSpec<typeof normalizeColumnsFields>
  readonly lrn_f32: StepSpec<typeof lrnFields>
}

export const normalizeSteps: NormalizeSteps = {
  normalize_f32: {
    doc: 'Normalises every row of [rows, length], then scales and shifts it; optionally of a sum, which it gives too.',
    fields: normalizeFields,
    cost: ({ rows, length, residual, sum }) => ({
      flops: 8 * rows * length,
      bytes: 4 * rows * length * (2 + (residual ? 1 : 0) + (sum ? 1 : 0)),
    }),
  },
  normalize_columns_f32: {
    doc: 'Normalises the middle axis of [outer, length, inner].',
    fields: normalizeColumnsFields,
    cost: ({ outer, length, inner }) => ({
      flops: 8 * outer * length * inner,
      bytes: 8 * outer * length * inner,
    }),
  },
  lrn_f32: {
    doc: 'Divides by (bias + alpha / size * sum of squares over neighbouring channels) ^ beta, in [batch, channels, inner].',
    fields: lrnFields,
    cost: ({ batch, channels, inner, size }) => ({
      flops: (2 * size + 20) * batch * channels * inner,
      bytes: 8 * batch * channels * inner,
    }),
  },
}
