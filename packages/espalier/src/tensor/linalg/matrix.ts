/**
 * The matrix that the float64 linear algebra of this folder works on: dense, row-major, plain data. It is apart
 * from `Tensor` because factorisations overwrite their storage, which nobody may do to a tensor.
 */
import { EspalierError } from '../../errors.ts'
import { sizeOf } from '../shape.ts'
import { allocate } from '../tensor.ts'

/** Rows and columns that `transpose` moves at a time. */
const TILE = 32

/** A matrix; element (i, j) is `data[i * columns + j]`. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly data: Float64Array
}

/** A matrix around `data`, which is not copied; of zeros when it is left out. Throws `bad-shape`. */
export function matrix(rows: number, columns: number, data?: Float64Array): Matrix {
  const made = { rows, columns, data: data ?? allocate('float64', sizeOf([rows, columns])) }
  checkMatrix(made)
  return made
}

/** The identity of `size` rows. */
export function identity(size: number): Matrix {
  const made = matrix(size, size)
  for (let i = 0; i < size; i++) made.data[i * size + i] = 1
  return made
}

export function copyMatrix(a: Matrix): Matrix {
  return { rows: a.rows, columns: a.columns, data: a.data.slice() }
}

/** The transpose, in new storage. */
export function transpose(a: Matrix): Matrix {
  checkMatrix(a)
  const { rows, columns, data } = a
  const result = matrix(columns, rows)
  // In tiles, so that the lines that one of the two sides jumps between stay in the cache.
  for (let i0 = 0; i0 < rows; i0 += TILE)
    for (let j0 = 0; j0 < columns; j0 += TILE)
      for (let i = i0; i < Math.min(i0 + TILE, rows); i++)
        for (let j = j0; j < Math.min(j0 + TILE, columns); j++)
          result.data[j * rows + i] = data[i * columns + j]!
  return result
}

/** Throws `bad-shape` unless `data` has the length that `rows` and `columns` say. */
export function checkMatrix(a: Matrix): void {
  const size = sizeOf([a.rows, a.columns])
  if (a.data.length !== size)
    throw new EspalierError('bad-shape', `data does not fill a matrix of ${formatSize(a)}`, {
      expected: `${size} numbers`,
      got: `${a.data.length}`,
    })
}

/** Throws `bad-shape` unless `a` is square. */
export function checkSquare(a: Matrix): void {
  checkMatrix(a)
  if (a.rows !== a.columns)
    throw new EspalierError('bad-shape', 'the matrix is not square', { got: formatSize(a) })
}

/** A part of a matrix, the diagonal counted in. */
export type MatrixPart = 'all' | 'lower' | 'upper'

/** Throws `bad-argument` when that part of `a` holds NaN or an infinity. */
export function checkFinite(a: Matrix, part: MatrixPart): void {
  const { rows, columns, data } = a
  for (let i = 0; i < rows; i++) {
    const end = part === 'lower' ? Math.min(i + 1, columns) : columns
    for (let j = part === 'upper' ? i : 0; j < end; j++)
      if (!Number.isFinite(data[i * columns + j]))
        throw new EspalierError('bad-argument', 'the matrix is not finite', {
          got: `${data[i * columns + j]} in row ${i}, column ${j}`,
        })
  }
}

/** `3x4`. */
export function formatSize(a: Matrix): string {
  return `${a.rows}x${a.columns}`
}
