/** Positions picked axis by axis: pads, crops, nearest-neighbour resizing; triangles of matrices. */
import type { StepSpec } from '../fields.ts'

const pickFields = {
  x: 'in',
  /**
   * int32: for each axis the position in x of every position in y, -1 for the fill; one axis after the other. The last
   * axis has none where `from` and `to` are all of it: x starts where its run does.
   */
  tables: 'in',
  /** One element; zeros when absent. */
  fill: 'in?',
  y: 'out',
  /** Bytes of an element: 1, 2, 4, 8 or 16. */
  size: 'int',
  rank: 'int',
  /** Of y. */
  shape: 'int[8]',
  /** In elements. */
  xStrides: 'int[8]',
  /** Positions of the last axis between which the table counts up by one. */
  from: 'int',
  to: 'int',
  /** Times that each position of the last axis comes again in a row, where that is all its table says; otherwise 0. */
  repeat: 'int',
} as const

const triangleFields = {
  x: 'in',
  y: 'out',
  size: 'int',
  matrices: 'int',
  rows: 'int',
  columns: 'int',
  /** Row r keeps columns r + first to r + last, both included where they exist. */
  first: 'int',
  last: 'int',
} as const

export interface PadSteps {
  readonly pick_axes: StepSpec<typeof pickFields>
  readonly triangle: StepSpec<typeof triangleFields>
}

export const padSteps: PadSteps = {
  pick_axes: {
    doc: 'y[i, j, ...] = x[tables[0][i], tables[1][j], ...], or the fill where a table says -1.',
    fields: pickFields,
    cost: ({ shape, rank, size }) => ({
      flops: 0,
      bytes: 2 * size * shape.slice(0, rank).reduce((a, b) => a * b, 1),
    }),
  },
  triangle: {
    doc: 'The elements of matrices within a band of diagonals, zeros elsewhere.',
    fields: triangleFields,
    cost: ({ matrices, rows, columns, size }) => ({ flops: 0, bytes: 2 * size * matrices * rows * columns }),
  },
}
