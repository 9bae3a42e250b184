/** Products of float32 matrices, and the layout of their weights (kernels/gemm.hpp, gemm_pack.hpp). */
import type { StepSpec } from '../fields.ts'

/** How a step finds B. */
export const gemmLayouts: Readonly<Record<'panels' | 'rows' | 'columns', number>> = {
  panels: 0,
  rows: 1,
  columns: 2,
}

/** Scratch of one thread of gemm_f32, where B is not packed: `gemm_scratch_floats` of kernels/gemm.hpp. */
export const gemmScratchBytes: number = 4 * 8 * 8192

const packFields = {
  x: 'in',
  /** [matrices][ceil(n / gemmColumns)][k][gemmColumns] */
  y: 'out',
  matrices: 'int',
  k: 'int',
  n: 'int',
  /** In elements. */
  matrixStride: 'int',
  rowStride: 'int',
  columnStride: 'int',
} as const

const gemmFields = {
  a: 'in',
  b: 'in',
  bias: 'in?',
  /** Added to the product; lies as `y` does. */
  residual: 'in?',
  y: 'out',
  /** For panels of B made on the way: `gemmScratchBytes` a thread. */
  scratch: 'scratch?',
  m: 'int',
  n: 'int',
  k: 'int',
  /** `gemmLayouts`: packed panels; [k, n]; or [n, k], the columns of B one behind the other. */
  layout: 'int',
  /** Elements from row to row of A, of B as it is stored (unused for panels), of y. */
  aStride: 'int',
  bStride: 'int',
  yStride: 'int',
  /** The bias of element [i, j] is at i * biasRow + j * biasColumn; biasColumn is 0 or 1. */
  biasRow: 'int',
  biasColumn: 'int',
  biasScale: 'float',
  /** Multiplies the product. */
  scale: 'float',
  activation: 'int',
  alpha: 'float',
  beta: 'float',
  /** Products of as many matrices as `batch` has indices; strides in elements, 0 repeats. */
  batchRank: 'int',
  batch: 'int[6]',
  aBatch: 'int[6]',
  bBatch: 'int[6]',
  biasBatch: 'int[6]',
  yBatch: 'int[6]',
} as const

export interface GemmSteps {
  readonly pack_gemm_f32: StepSpec<typeof packFields>
  readonly gemm_f32: StepSpec<typeof gemmFields>
}

export const gemmSteps: GemmSteps = {
  pack_gemm_f32: {
    doc: 'Weights of gemm_f32 in panels of gemmColumns columns, filled up with zeros.',
    fields: packFields,
    cost: ({ matrices, k, n }) => ({ flops: 0, bytes: 8 * matrices * k * n }),
  },
  gemm_f32: {
    doc: 'y[i] = act(scale * a[i] . b[i] + biasScale * bias[i] + residual[i]) for every i of batch.',
    fields: gemmFields,
    cost({ m, n, k, batchRank, batch, aBatch, bBatch, residual }) {
      const matrices = (strides?: readonly number[]): number =>
        batch.slice(0, batchRank).reduce((a, b, i) => (strides?.[i] === 0 ? a : a * b), 1)
      const outputs = m * n * matrices() * (residual === undefined ? 1 : 2)
      return {
        flops: 2 * m * n * k * matrices(),
        bytes: 4 * (m * k * matrices(aBatch) + k * n * matrices(bBatch) + outputs),
      }
    },
  },
}
