/**
 * QR decomposition in float64 by Householder reflections: A = Q R with orthonormal columns in Q and R upper
 * triangular. Works for every shape and rank; there is no column pivoting, so it does not reveal the rank.
 */
import { reflectionOf, reflectRows } from './householder.ts'
import { checkFinite, checkMatrix, copyMatrix, type Matrix, matrix } from './matrix.ts'

export interface QrOptions {
  /**
   * For A of m rows and n columns: `thin` gives Q m x min(m, n) and R min(m, n) x n, `full` gives Q m x m and R m x n.
   * `thin` when left out.
   */
  readonly mode?: 'thin' | 'full'
}

export interface Qr {
  readonly q: Matrix
  readonly r: Matrix
}

/**
 * The decomposition A = Q R. The diagonal of R is not negative, so that Q and R are unique where the columns of A
 * are independent (but for the columns that `full` adds). Throws `bad-argument` for NaN and infinities, `bad-shape`.
 */
export function qr(a: Matrix, { mode = 'thin' }: QrOptions = {}): Qr {
  checkMatrix(a)
  checkFinite(a, 'all')
  const { rows, columns } = a
  const steps = Math.min(rows, columns)
  const work = copyMatrix(a)
  const reflections = Array.from({ length: steps }, (_, k) => {
    const reflection = reflectionOf(columnBelow(work, k))
    reflectRows(work, reflection, k, k + 1)
    work.data[k * columns + k] = reflection.first
    return reflection
  })
  const size = mode === 'thin' ? steps : rows
  const q = matrix(rows, size)
  for (let i = 0; i < size; i++) q.data[i * size + i] = 1
  // From the last to the first, each one only meets rows and columns that are not those of the identity any more.
  for (let k = steps - 1; k >= 0; k--) reflectRows(q, reflections[k]!, k, k)
  const r = upperTriangle(work, size)
  makeDiagonalPositive(q, r)
  return { q, r }
}

/** Column k from the diagonal down. */
function columnBelow({ rows, columns, data }: Matrix, k: number): Float64Array {
  return Float64Array.from({ length: rows - k }, (_, i) => data[(k + i) * columns + k]!)
}

/** The first `rows` rows of a, with zeros below the diagonal. */
function upperTriangle(a: Matrix, rows: number): Matrix {
  const { columns } = a
  const r = { rows, columns, data: a.data.slice(0, rows * columns) }
  for (let i = 0; i < rows; i++) r.data.fill(0, i * columns, i * columns + Math.min(i, columns))
  return r
}

function makeDiagonalPositive(q: Matrix, r: Matrix): void {
  for (let i = 0; i < Math.min(r.rows, r.columns); i++) {
    if (r.data[i * r.columns + i]! >= 0) continue
    for (let j = i; j < r.columns; j++) r.data[i * r.columns + j]! *= -1
    for (let k = 0; k < q.rows; k++) q.data[k * q.columns + i]! *= -1
  }
}
