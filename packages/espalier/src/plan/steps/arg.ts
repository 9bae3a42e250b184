/** Positions and orders along one axis of [outer, length, inner]: extrema, the largest k, running sums. */
import type { StepSpec } from '../fields.ts'

const argFields = {
  x: 'in',
  /** int64. */
  y: 'out',
  outer: 'int',
  length: 'int',
  inner: 'int',
  /** 1 for the smallest instead of the largest. */
  smallest: 'int',
  /** 1 for the last of equals instead of the first. */
  last: 'int',
} as const

const topKFields = {
  x: 'in',
  values: 'out',
  /** int64. */
  indices: 'out?',
  /** 8 bytes x k for every thread. */
  heap: 'scratch',
  outer: 'int',
  length: 'int',
  inner: 'int',
  k: 'int',
  /** 1 for the smallest instead of the largest. */
  smallest: 'int',
} as const

const cumulateFields = {
  x: 'in',
  y: 'out',
  outer: 'int',
  length: 'int',
  inner: 'int',
  /** 1 to leave the element itself out. */
  exclusive: 'int',
  /** 1 to run from the end. */
  reverse: 'int',
} as const

const cumulateIntegerFields = {
  x: 'in',
  y: 'out',
  outer: 'int',
  length: 'int',
  inner: 'int',
  exclusive: 'int',
  reverse: 'int',
  /** Bytes of an element: 4 or 8. */
  size: 'int',
} as const

export interface ArgSteps {
  readonly arg_f32: StepSpec<typeof argFields>
  readonly top_k_f32: StepSpec<typeof topKFields>
  readonly cumulate_f32: StepSpec<typeof cumulateFields>
  readonly cumulate_integer: StepSpec<typeof cumulateIntegerFields>
}

export const argSteps: ArgSteps = {
  arg_f32: {
    doc: 'Position of the largest or smallest element of every line; NaN is the extremum.',
    fields: argFields,
    cost: ({ outer, length, inner }) => ({
      flops: outer * length * inner,
      bytes: 4 * outer * inner * (length + 2),
    }),
  },
  top_k_f32: {
    doc: 'The k largest or smallest elements of every line, sorted, equal ones by position; NaN is the largest.',
    fields: topKFields,
    cost: ({ outer, length, inner, k }) => ({
      flops: outer * length * inner,
      bytes: 4 * outer * inner * (length + 3 * k),
    }),
  },
  cumulate_f32: {
    doc: 'Running sums of every line, in float64.',
    fields: cumulateFields,
    cost: ({ outer, length, inner }) => ({
      flops: outer * length * inner,
      bytes: 8 * outer * length * inner,
    }),
  },
  cumulate_integer: {
    doc: 'Running sums of every line of integers, modulo their width.',
    fields: cumulateIntegerFields,
    cost: ({ outer, length, inner, size }) => ({
      flops: outer * length * inner,
      bytes: 2 * size * outer * length * inner,
    }),
  },
}
