/** Reductions over axes: a tensor whose axes are reduced and kept by turns, after merging neighbours of one kind. */
import type { StepSpec } from '../fields.ts'

/** Values of `operation`. */
export const reductions = {
  sum: 0,
  mean: 1,
  l1: 2,
  l2: 3,
  sumSquare: 4,
  logSum: 5,
  max: 6,
  min: 7,
  prod: 8,
  logSumExp: 9,
} as const

const reduceFields = {
  x: 'in',
  y: 'out',
  /** Partial results, 16 bytes for each of outputs x splits; only where `splits` is above 1. */
  partials: 'scratch?',
  /** One of {@link reductions}. */
  operation: 'int',
  /** Parts that the elements of an output are split into, so that few outputs still occupy all threads. */
  splits: 'int',
  rank: 'int',
  shape: 'int[8]',
  /** 1 where axis 0 is reduced, 0 where it is kept; the axes after it take turns. */
  firstReduced: 'int',
} as const

const reduceIntegerFields = {
  x: 'in',
  y: 'out',
  /** Bytes of an element: 1, 4 or 8. */
  size: 'int',
  /** 1 for signed integers; of unsigned ones only bytes. */
  isSigned: 'int',
  operation: 'int',
  rank: 'int',
  shape: 'int[8]',
  firstReduced: 'int',
} as const

export interface ReduceSteps {
  readonly reduce_f32: StepSpec<typeof reduceFields>
  readonly reduce_integer: StepSpec<typeof reduceIntegerFields>
}

interface Extents {
  readonly rank: number
  readonly shape: readonly number[]
  readonly firstReduced: number
}

/** Elements of the input and of the output of a reduction. */
export function reducedSizes({ rank, shape, firstReduced }: Extents): { all: number; kept: number } {
  const extents = shape.slice(0, rank)
  return {
    all: extents.reduce((a, b) => a * b, 1),
    kept: extents.filter((_, axis) => axis % 2 === firstReduced).reduce((a, b) => a * b, 1),
  }
}

const cost = (bytes: number, values: Extents): { flops: number; bytes: number } => {
  const { all, kept } = reducedSizes(values)
  return { flops: all, bytes: bytes * (all + kept) }
}

export const reduceSteps: ReduceSteps = {
  reduce_f32: {
    doc: 'Reduces every second axis; sums run in float32 over short chunks and in float64 over the chunks.',
    fields: reduceFields,
    cost: values => cost(4, values),
  },
  reduce_integer: {
    doc: 'Reduces every second axis, exactly modulo 2^64: sum, mean, l1, sumSquare, max, min or prod.',
    fields: reduceIntegerFields,
    cost: values => cost(values.size, values),
  },
}
