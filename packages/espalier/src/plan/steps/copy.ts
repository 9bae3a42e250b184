/** Movement without arithmetic: transposes, slices and expansions are strided copies; concatenations are rows. */
import type { StepSpec } from '../fields.ts'

const copyFields = {
  x: 'in',
  y: 'inout',
  /** Bytes of an element: 1, 2, 4, 8 or 16. */
  size: 'int',
  /** Axes: 8 at most. */
  rank: 'int',
  shape: 'int[8]',
  /** In elements; 0 repeats, negative runs backwards. */
  xStrides: 'int[8]',
  /** In elements. No element of y may be written twice. Fastest when in falling order. */
  yStrides: 'int[8]',
} as const

/** Inputs of one concatenation step. */
export const concatInputs = 8

const concatFields = {
  x0: 'in',
  x1: 'in?',
  x2: 'in?',
  x3: 'in?',
  x4: 'in?',
  x5: 'in?',
  x6: 'in?',
  x7: 'in?',
  y: 'inout',
  /** Bytes of an element: 1, 2, 4, 8 or 16. */
  size: 'int',
  rows: 'int',
  /** Elements of a row of each input. */
  runs: 'int[8]',
  /** Elements from a row of y to the next. */
  pitch: 'int',
} as const

export interface CopySteps {
  readonly copy: StepSpec<typeof copyFields>
  readonly concat: StepSpec<typeof concatFields>
}

export const copySteps: CopySteps = {
  copy: {
    doc: 'y[i . yStrides] = x[i . xStrides] for every index i of shape.',
    fields: copyFields,
    cost: ({ shape, xStrides, rank, size }) => ({
      flops: 0,
      bytes:
        size *
        (sizeOf(shape, rank) +
          sizeOf(
            shape.filter((_, axis) => xStrides[axis] !== 0),
            rank,
          )),
    }),
  },
  concat: {
    doc: 'Row r of y: row r of x0, row r of x1, and so on.',
    fields: concatFields,
    cost: ({ runs, rows, size }) => ({ flops: 0, bytes: 2 * size * rows * runs.reduce((a, b) => a + b, 0) }),
  },
}

function sizeOf(shape: readonly number[], rank: number): number {
  return shape.slice(0, rank).reduce((a, b) => a * b, 1)
}
