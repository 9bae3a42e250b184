/**
 * Eigendecomposition of a symmetric matrix in float64: Householder reflections make it tridiagonal (Golub and Van
 * Loan, "Matrix Computations", 8.3), implicit QL makes that diagonal. Errors are of the order of roundoff times the
 * largest eigenvalue, so eigenvalues far smaller than that one have few correct digits.
 */
import { type Reflection, reflectionOf, reflectRows } from './householder.ts'
import { checkFinite, checkSquare, copyMatrix, identity, type Matrix, matrix, transpose } from './matrix.ts'
import { diagonalizeTridiagonal } from './tridiagonal.ts'

export interface SymmetricEigen {
  /** Eigenvalues in ascending order. */
  readonly values: Float64Array
  /** Column j is the eigenvector of `values[j]`; the columns are orthonormal. Their signs are arbitrary. */
  readonly vectors: Matrix
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, of which only the lower triangle is read. Throws `bad-shape`
 * when it is not square, `bad-argument` for NaN and infinities, `no-convergence`.
 */
export function symmetricEigen(a: Matrix): SymmetricEigen {
  checkSquare(a)
  checkFinite(a, 'lower')
  const work = copyMatrix(a)
  const scale = scaleDown(work)
  const { diagonal, beside, q } = tridiagonalize(work)
  const rows = transpose(q)
  diagonalizeTridiagonal(diagonal, beside, rows)
  return inAscendingOrder(
    diagonal.map(value => value * scale),
    rows,
  )
}

/** Divides by the power of two at the largest element, so that no square overflows or underflows; gives that power. */
function scaleDown(a: Matrix): number {
  let largest = 0
  for (let i = 0; i < a.rows; i++)
    for (let j = 0; j <= i; j++) largest = Math.max(largest, Math.abs(a.data[i * a.rows + j]!))
  const scale = largest === 0 ? 1 : 2 ** Math.min(Math.floor(Math.log2(largest)), 1023)
  for (let i = 0; i < a.data.length; i++) a.data[i]! /= scale
  return scale
}

interface Tridiagonal {
  readonly diagonal: Float64Array
  /** Elements beside the diagonal, and one more place. */
  readonly beside: Float64Array
  /** Orthogonal, with Q^T A Q tridiagonal. */
  readonly q: Matrix
}

/** Overwrites the lower triangle of `a`. */
function tridiagonalize(a: Matrix): Tridiagonal {
  const { rows: size, data } = a
  const beside = new Float64Array(size)
  const reflections: Reflection[] = []
  for (let k = 0; k < size - 1; k++) {
    const column = Float64Array.from({ length: size - k - 1 }, (_, i) => data[(k + 1 + i) * size + k]!)
    const reflection = reflectionOf(column)
    reflectBothSides(a, reflection, k + 1)
    beside[k] = reflection.first
    reflections.push(reflection)
  }
  const q = identity(size)
  for (let k = size - 2; k >= 0; k--) reflectRows(q, reflections[k]!, k + 1, k + 1)
  return { diagonal: Float64Array.from({ length: size }, (_, i) => data[i * size + i]!), beside, q }
}

/** a = H a H on the rows and columns from `start`, in the lower triangle: a symmetric update of rank two. */
function reflectBothSides(a: Matrix, { v, tau }: Reflection, start: number): void {
  if (tau === 0) return
  const { rows: size, data } = a
  const w = symmetricProduct(a, v, start)
  let dot = 0
  for (let i = 0; i < v.length; i++) dot += w[i]! * v[i]!
  for (let i = 0; i < v.length; i++) w[i] = tau * (w[i]! - (tau / 2) * dot * v[i]!)
  for (let i = 0; i < v.length; i++) {
    const row = (start + i) * size + start
    for (let j = 0; j <= i; j++) data[row + j]! -= v[i]! * w[j]! + w[i]! * v[j]!
  }
}

/** The product of the rows and columns from `start` with v, reading every element of the lower triangle once. */
function symmetricProduct({ rows: size, data }: Matrix, v: Float64Array, start: number): Float64Array {
  const product = new Float64Array(v.length)
  for (let i = 0; i < v.length; i++) {
    const row = (start + i) * size + start
    let sum = data[row + i]! * v[i]!
    for (let j = 0; j < i; j++) {
      sum += data[row + j]! * v[j]!
      product[j]! += data[row + j]! * v[i]!
    }
    product[i]! += sum
  }
  return product
}

/** Eigenvectors come in as rows and leave as columns. */
function inAscendingOrder(values: Float64Array, rows: Matrix): SymmetricEigen {
  const size = values.length
  const order = [...values.keys()].sort((i, j) => values[i]! - values[j]!)
  const sorted = matrix(size, size)
  for (const [to, from] of order.entries())
    sorted.data.set(rows.data.subarray(from * size, (from + 1) * size), to * size)
  return { values: Float64Array.from(order, index => values[index]!), vectors: transpose(sorted) }
}
