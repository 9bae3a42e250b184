/** Matrices that the tests of this folder factor, and how they measure what comes out. */
import { expect } from 'vitest'
import { integers, normal, randomKey } from '../random.ts'
import { checkMatrix, type Matrix, matrix, transpose } from './matrix.ts'
import { gram } from './multiply.ts'

/** What every foreseen failure looks like. */
export const failure = (code: string, message = ''): unknown =>
  expect.objectContaining({ name: 'EspalierError', code, message: expect.stringContaining(message) })

/** Empty, single, odd, and around the blocks of 64. */
export const sizes: readonly number[] = [0, 1, 2, 3, 7, 63, 64, 65, 131]

/** The matrix of a function of row and column. */
export function matrixFrom(rows: number, columns: number, element: (i: number, j: number) => number): Matrix {
  const made = matrix(rows, columns)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) made.data[i * columns + j] = element(i, j)
  return made
}

export const mapMatrix = (a: Matrix, map: (value: number, i: number, j: number) => number): Matrix =>
  matrixFrom(a.rows, a.columns, (i, j) => map(a.data[i * a.columns + j]!, i, j))

export const diagonalMatrix = (values: ArrayLike<number>): Matrix =>
  matrixFrom(values.length, values.length, (i, j) => (i === j ? values[i]! : 0))

export const randomMatrix = (rows: number, columns: number, seed = 1): Matrix =>
  matrix(rows, columns, normal(randomKey(seed), [rows, columns]))

/** Small integers, whose sums of products are exact in any order. */
export const integerMatrix = (rows: number, columns: number, seed = 1): Matrix =>
  matrix(rows, columns, integers(randomKey(seed), -9, 10, [rows, columns]))

/** Symmetric, eigenvalues well above 0. */
export function positiveDefinite(size: number, seed = 1): Matrix {
  const a = gram(randomMatrix(size + 3, size, seed))
  return mapMatrix(a, (value, i, j) => value + (i === j ? 1 : 0))
}

export const symmetric = (size: number, seed = 1): Matrix => {
  const a = randomMatrix(size, size, seed)
  return mapMatrix(a, (value, i, j) => value + a.data[j * size + i]!)
}

/** Positive definite, with a condition number that grows as e^(3.5 size). */
export const hilbert = (size: number): Matrix => matrixFrom(size, size, (i, j) => 1 / (i + j + 1))

/** Elements above the diagonal replaced, for those who must not read them. */
export const spoilUpper = (a: Matrix): Matrix => mapMatrix(a, (value, i, j) => (j > i ? Number.NaN : value))

/** The product by its definition. */
export function product(a: Matrix, b: Matrix): Matrix {
  checkMatrix(a)
  checkMatrix(b)
  expect(a.columns).toBe(b.rows)
  const columns = transpose(b)
  return matrixFrom(a.rows, b.columns, (i, j) => {
    let sum = 0
    for (let p = 0; p < a.columns; p++) sum += a.data[i * a.columns + p]! * columns.data[j * a.columns + p]!
    return sum
  })
}

/** Frobenius norm. */
export const norm = (a: Matrix): number => Math.hypot(...a.data)

/** Expects two matrices to differ by some roundoffs, relative to `scale`. */
export function expectClose(got: Matrix, wanted: Matrix, scale: number = norm(wanted)): void {
  expect([got.rows, got.columns]).toEqual([wanted.rows, wanted.columns])
  const difference = norm(mapMatrix(got, (value, i, j) => value - wanted.data[i * wanted.columns + j]!))
  expect(difference).toBeLessThanOrEqual(20 * Math.max(got.rows, got.columns, 1) * Number.EPSILON * scale)
}

/** Expects Q^T Q to be the identity. */
export function expectOrthonormalColumns(q: Matrix): void {
  expectClose(product(transpose(q), q), diagonalMatrix(new Array(q.columns).fill(1)))
}

/** Whether every element on one side of the diagonal is exactly 0. */
export const isTriangular = (a: Matrix, triangle: 'lower' | 'upper'): boolean =>
  mapMatrix(a, (value, i, j) => ((triangle === 'lower' ? j > i : j < i) ? value : 0)).data.every(
    value => value === 0,
  )
