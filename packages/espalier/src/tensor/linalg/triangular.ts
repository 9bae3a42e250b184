/**
 * Triangular systems T X = B in float64, by blocks: the diagonal blocks by substitution, everything else by
 * products of blocks. T is lower or upper, taken as it is or transposed, with its own diagonal or one of ones.
 */
import { EspalierError } from '../../errors.ts'
import { addProduct, type Block, blockAt, transposed, wholeOf } from './blocks.ts'
import {
  checkFinite,
  checkMatrix,
  checkSquare,
  copyMatrix,
  formatSize,
  identity,
  type Matrix,
  transpose,
} from './matrix.ts'

export interface TriangularOptions {
  /** Which triangle of the matrix counts; the other is not read. */
  readonly triangle: 'lower' | 'upper'
  /** Take the diagonal as ones instead of reading it. */
  readonly unitDiagonal?: boolean
}

export interface SolveTriangularOptions extends TriangularOptions {
  /** Solve T^T X = B. */
  readonly transpose?: boolean
  /** Overwrite `b` with the solution. */
  readonly inPlace?: boolean
}

/** Rows of a diagonal block. */
const BLOCK = 64

/**
 * The solution X of T X = B, or T^T X = B. `b` is a matrix with a right-hand side in every column, or a vector; the
 * solution has its form. Throws `singular` for a zero on the diagonal, `bad-shape`, and `bad-argument` for NaN and
 * infinities.
 */
export function solveTriangular<B extends Matrix | Float64Array>(
  t: Matrix,
  b: B,
  options: SolveTriangularOptions,
): B {
  checkTriangle(t, options)
  const columns = matrixOf(b)
  if (columns.rows !== t.rows)
    throw new EspalierError('bad-shape', 'the right-hand side does not fit the matrix', {
      expected: `${t.rows} rows`,
      got: formatSize(columns),
    })
  checkFinite(columns, 'all')
  const x = options.inPlace ? columns : copyMatrix(columns)
  const lower = (options.triangle === 'lower') !== (options.transpose ?? false)
  const block = options.transpose ? transposed(wholeOf(t)) : wholeOf(t)
  substitute(block, x, lower, options.unitDiagonal ?? false)
  return (b instanceof Float64Array ? x.data : x) as B
}

/** The inverse of a triangular matrix, itself triangular. Throws as {@link solveTriangular} does. */
export function invertTriangular(t: Matrix, options: TriangularOptions): Matrix {
  checkTriangle(t, options)
  if (options.triangle === 'upper') return transpose(invertLower(transposed(wholeOf(t)), t.rows, options))
  return invertLower(wholeOf(t), t.rows, options)
}

/** Solves L X = I, knowing that X is lower triangular too. */
function invertLower(t: Block, size: number, { unitDiagonal = false }: TriangularOptions): Matrix {
  const inverse = identity(size)
  const x = wholeOf(inverse)
  for (let k = 0; k < size; k += BLOCK) {
    const end = Math.min(k + BLOCK, size)
    substituteBlock(blockAt(t, k, k), blockAt(x, k, 0), end - k, end, true, unitDiagonal)
    addProduct(blockAt(x, end, 0), blockAt(t, end, k), blockAt(x, k, 0), size - end, end, end - k, -1)
  }
  return inverse
}

/** Solves T X = B over the storage of B, T being lower or upper as it lies in its block. */
function substitute(t: Block, b: Matrix, lower: boolean, unitDiagonal: boolean): void {
  const { rows: size, columns } = b
  const x = wholeOf(b)
  const blocks = Math.ceil(size / BLOCK)
  for (let step = 0; step < blocks; step++) {
    const k = (lower ? step : blocks - 1 - step) * BLOCK
    const end = Math.min(k + BLOCK, size)
    substituteBlock(blockAt(t, k, k), blockAt(x, k, 0), end - k, columns, lower, unitDiagonal)
    // Take what is now known out of the equations that are left.
    const [at, left] = lower ? [end, size - end] : [0, k]
    addProduct(blockAt(x, at, 0), blockAt(t, at, k), blockAt(x, k, 0), left, columns, end - k, -1)
  }
}

/** The same for one diagonal block of `size` rows, row by row of X, in the first `columns` of its columns. */
function substituteBlock(
  t: Block,
  x: Block,
  size: number,
  columns: number,
  lower: boolean,
  unitDiagonal: boolean,
): void {
  const { data, rowStep } = x
  for (let step = 0; step < size; step++) {
    const i = lower ? step : size - 1 - step
    const row = x.offset + i * rowStep
    const [first, last] = lower ? [0, i] : [i + 1, size]
    for (let j = first; j < last; j++) {
      const factor = t.data[t.offset + i * t.rowStep + j * t.columnStep]!
      const known = x.offset + j * rowStep
      for (let c = 0; c < columns; c++) data[row + c]! -= factor * data[known + c]!
    }
    if (unitDiagonal) continue
    const pivot = t.data[t.offset + i * (t.rowStep + t.columnStep)]!
    for (let c = 0; c < columns; c++) data[row + c]! /= pivot
  }
}

function checkTriangle(t: Matrix, { triangle, unitDiagonal = false }: TriangularOptions): void {
  checkSquare(t)
  checkFinite(t, triangle)
  if (unitDiagonal) return
  for (let i = 0; i < t.rows; i++)
    if (t.data[i * t.rows + i] === 0)
      throw new EspalierError('singular', `the triangular matrix is singular: its diagonal is 0 in row ${i}`)
}

/** A vector as a matrix of one column, over the same storage. */
function matrixOf(b: Matrix | Float64Array): Matrix {
  if (b instanceof Float64Array) return { rows: b.length, columns: 1, data: b }
  checkMatrix(b)
  return b
}
