/** Elements and slices picked by index tensors. Indices count from the end when negative; outside, a run fails. */
import type { StepSpec } from '../fields.ts'

const gatherFields = {
  x: 'in',
  indices: 'in',
  y: 'out',
  /** Bytes of an index: 4 or 8. */
  indexSize: 'int',
  /** Parts of x that are gathered from one by one. */
  outer: 'int',
  /** Slices picked from each part. */
  tuples: 'int',
  /** Indices that name a slice: 1 for Gather. */
  length: 'int',
  /** Bytes of a slice. */
  run: 'int',
  /** Slices from one part of x to the next. */
  outerStride: 'int',
  /** Indices from those of one part to the next; 0 where all parts share them. */
  indexStride: 'int',
  /** Of the axes that the indices are about. */
  extents: 'int[8]',
  /** In slices. */
  strides: 'int[8]',
} as const

const gatherElementsFields = {
  x: 'in',
  indices: 'in',
  y: 'out',
  /** Bytes of an element: 1, 2, 4, 8 or 16. */
  size: 'int',
  indexSize: 'int',
  rank: 'int',
  /** Of the indices and of y. */
  shape: 'int[8]',
  /** Of x, in elements; 0 for the axis that is indexed. */
  xStrides: 'int[8]',
  /** Of x along the axis that is indexed. */
  extent: 'int',
  stride: 'int',
} as const

const oneHotFields = {
  indices: 'in',
  /** The value off, then the value on. */
  values: 'in',
  y: 'out',
  size: 'int',
  indexSize: 'int',
  /** y is [outer, depth, inner], the indices are [outer, inner]. */
  outer: 'int',
  depth: 'int',
  inner: 'int',
} as const

const reverseFields = {
  x: 'in',
  /** int64, one a sequence. */
  lengths: 'in',
  y: 'out',
  sequences: 'int',
  steps: 'int',
  /** In slices. */
  sequenceStride: 'int',
  stepStride: 'int',
  /** Bytes of a slice. */
  run: 'int',
} as const

export interface GatherSteps {
  readonly gather: StepSpec<typeof gatherFields>
  readonly gather_elements: StepSpec<typeof gatherElementsFields>
  readonly one_hot: StepSpec<typeof oneHotFields>
  readonly reverse_sequences: StepSpec<typeof reverseFields>
}

const moved = (bytes: number) => ({ flops: 0, bytes })

export const gatherSteps: GatherSteps = {
  gather: {
    doc: 'y[o, t] = x[o * outerStride + sum over k of indices[o * indexStride + t * length + k] * strides[k]].',
    fields: gatherFields,
    cost: ({ outer, tuples, length, run, indexSize }) =>
      moved(outer * tuples * (2 * run + length * indexSize)),
  },
  gather_elements: {
    doc: 'y[i] = x[i . xStrides + indices[i] * stride] for every index i of shape.',
    fields: gatherElementsFields,
    cost: ({ shape, rank, size, indexSize }) =>
      moved((2 * size + indexSize) * shape.slice(0, rank).reduce((a, b) => a * b, 1)),
  },
  one_hot: {
    doc: 'y[o, d, i] = values[indices[o, i] == d]. Indices outside of -depth to depth - 1 match nothing.',
    fields: oneHotFields,
    cost: ({ outer, depth, inner, size }) => moved(outer * depth * inner * size),
  },
  reverse_sequences: {
    doc: 'The first lengths[s] slices of sequence s in reverse, the others as they are.',
    fields: reverseFields,
    cost: ({ sequences, steps, run }) => moved(2 * sequences * steps * run),
  },
}
