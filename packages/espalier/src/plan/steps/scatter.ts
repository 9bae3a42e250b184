/** Updates written into a tensor where an index tensor says. Where several meet, they follow one another in order. */
import type { StepSpec } from '../fields.ts'

/** `reduction` of the steps below: everything but `none` is for float32 only. */
export const scatterReductions = ['none', 'add', 'mul', 'max', 'min'] as const

const scatterFields = {
  indices: 'in',
  updates: 'in',
  y: 'inout',
  /** Bytes of an element: 1, 2, 4, 8 or 16. */
  size: 'int',
  /** Bytes of an index: 4 or 8. */
  indexSize: 'int',
  /** A place in {@link scatterReductions}. */
  reduction: 'int',
  tuples: 'int',
  /** Indices that name a slice. */
  length: 'int',
  /** Elements of a slice. */
  run: 'int',
  /** Of the axes that the indices are about. */
  extents: 'int[8]',
  /** In slices. */
  strides: 'int[8]',
} as const

const scatterElementsFields = {
  indices: 'in',
  updates: 'in',
  y: 'inout',
  size: 'int',
  indexSize: 'int',
  reduction: 'int',
  rank: 'int',
  /** Of indices and updates. */
  shape: 'int[8]',
  /** Of y, in elements; 0 for the axis that is indexed. */
  yStrides: 'int[8]',
  /** The axis that is indexed, and y along it. */
  axis: 'int',
  extent: 'int',
  stride: 'int',
} as const

export interface ScatterSteps {
  readonly scatter: StepSpec<typeof scatterFields>
  readonly scatter_elements: StepSpec<typeof scatterElementsFields>
}

export const scatterSteps: ScatterSteps = {
  scatter: {
    doc: 'y[sum over k of indices[t, k] * strides[k]] takes slice t of the updates, or is combined with it.',
    fields: scatterFields,
    cost: ({ tuples, run, size, reduction }) => ({
      flops: reduction === 0 ? 0 : tuples * run,
      bytes: (reduction === 0 ? 2 : 3) * tuples * run * size,
    }),
  },
  scatter_elements: {
    doc: 'y[i . yStrides + indices[i] * stride] takes updates[i], or is combined with it, for every i of shape.',
    fields: scatterElementsFields,
    cost: ({ shape, rank, size, indexSize, reduction }) => {
      const count = shape.slice(0, rank).reduce((a, b) => a * b, 1)
      return { flops: reduction === 0 ? 0 : count, bytes: count * (2 * size + indexSize) }
    },
  },
}
