/**
 * Cholesky factors in float64: A = L L^T with L lower triangular and a positive diagonal, of a symmetric positive
 * definite A, with what is solved and inverted by them. Blocked and right-looking (Golub and Van Loan, "Matrix
 * Computations", 4.2): a panel of columns is factored row by row, then taken out of the rest by one product. There is
 * no pivoting and no damping: who expects a singular A adds a multiple of the identity first.
 */
import { EspalierError } from '../../errors.ts'
import { addProduct, blockAt, transposed, wholeOf } from './blocks.ts'
import { checkFinite, checkSquare, copyMatrix, type Matrix, transpose } from './matrix.ts'
import { gram } from './multiply.ts'
import { invertTriangular, solveTriangular } from './triangular.ts'

export interface CholeskyOptions {
  /** Overwrite `a` with the factor; when the factorisation fails, `a` is lost. */
  readonly inPlace?: boolean
}

/** Columns of a panel. */
const BLOCK = 64

/**
 * The lower triangular L with A = L L^T and a positive diagonal; zeros above it. Only the lower triangle of A is
 * read. Throws `not-positive-definite` with the row and value of the first pivot that is not positive, `bad-shape` when
 * A is not square, `bad-argument` for NaN and infinities.
 */
export function cholesky(a: Matrix, options: CholeskyOptions = {}): Matrix {
  checkSquare(a)
  checkFinite(a, 'lower')
  const l = options.inPlace ? a : copyMatrix(a)
  factor(l, row => row)
  return l
}

/** The solution X of A X = B, for A = L L^T; `b` is a matrix or a vector. `l` is what {@link cholesky} gives. */
export function choleskySolve<B extends Matrix | Float64Array>(l: Matrix, b: B): B {
  const y = solveTriangular(l, b, { triangle: 'lower' })
  return solveTriangular(l, y, { triangle: 'lower', transpose: true, inPlace: true })
}

/** The inverse of A = L L^T, exactly symmetric. `l` is what {@link cholesky} gives. */
export function choleskyInverse(l: Matrix): Matrix {
  return gram(invertTriangular(l, { triangle: 'lower' }))
}

/**
 * The upper triangular U with A^-1 = U^T U and a positive diagonal, without forming A^-1: row j of U holds the first
 * row of the inverse of A without its first j rows and columns, over the square root of that row's first element, which
 * is what SparseGPT (arXiv 2301.00774) sweeps columns with. Throws as {@link cholesky} does.
 *
 * With A = R R^T, R upper triangular, U is R^-1; and R is the factor L of A with rows and columns in reverse order,
 * reversed itself. The elements of a square matrix in reverse order are just that.
 */
export function choleskyOfInverse(a: Matrix): Matrix {
  checkSquare(a)
  checkFinite(a, 'lower')
  const reversed = transpose(a)
  reversed.data.reverse()
  factor(reversed, row => a.rows - 1 - row)
  const inverse = invertTriangular(reversed, { triangle: 'lower' })
  inverse.data.reverse()
  return inverse
}

/** Factors the lower triangle in place and clears the upper one. `nameOf` gives the row that an error names. */
function factor(l: Matrix, nameOf: (row: number) => number): void {
  const { rows: size, data } = l
  const whole = wholeOf(l)
  for (let k = 0; k < size; k += BLOCK) {
    const end = Math.min(k + BLOCK, size)
    factorPanel(l, k, end, nameOf)
    const panel = blockAt(whole, end, k)
    const below = size - end
    addProduct(blockAt(whole, end, end), panel, transposed(panel), below, below, end - k, -1, 'lower')
  }
  for (let i = 0; i < size; i++) data.fill(0, i * size + i + 1, (i + 1) * size)
}

/** Factors columns `start` to `end`, from which all columns before are already taken out. */
function factorPanel(
  { rows: size, data }: Matrix,
  start: number,
  end: number,
  nameOf: (row: number) => number,
): void {
  for (let i = start; i < size; i++) {
    for (let j = start; j < Math.min(i, end); j++)
      data[i * size + j] = remaining(data, i * size, j * size, start, j) / data[j * size + j]!
    if (i >= end) continue
    const pivot = remaining(data, i * size, i * size, start, i)
    if (!(pivot > 0)) throw notPositiveDefinite(nameOf(i), pivot)
    data[i * size + i] = Math.sqrt(pivot)
  }
}

/** Element `column` of the first row, less the products of both rows from `start` up to it. */
function remaining(data: Float64Array, row: number, other: number, start: number, column: number): number {
  let value = data[row + column]!
  for (let p = start; p < column; p++) value -= data[row + p]! * data[other + p]!
  return value
}

function notPositiveDefinite(row: number, pivot: number): EspalierError {
  return new EspalierError(
    'not-positive-definite',
    `the matrix is not positive definite: pivot ${row} is ${pivot}`,
    {
      expected: 'positive pivots',
      hint: 'Add damping: to every diagonal element, a small part (say 0.01) of their mean',
    },
  )
}
