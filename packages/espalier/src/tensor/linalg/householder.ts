/**
 * Householder reflections H = I - tau v v^T with v[0] = 1, which turn a vector into a multiple of the first unit
 * vector (Golub and Van Loan, "Matrix Computations", 5.1). QR and the eigendecomposition are made of them.
 */
import type { Matrix } from './matrix.ts'

export interface Reflection {
  /** First element 1. */
  readonly v: Float64Array
  /** 0 when H is the identity. */
  readonly tau: number
  /** First element of H x; the others are 0. */
  readonly first: number
}

/** The reflection of `x`, which is overwritten by v. Safe against overflow and underflow. */
export function reflectionOf(x: Float64Array): Reflection {
  const first = x[0]!
  let largest = 0
  for (let i = 1; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i]!))
  x[0] = 1
  if (largest === 0) return { v: x, tau: 0, first }
  const scale = Math.max(largest, Math.abs(first))
  let squares = 0
  for (let i = 1; i < x.length; i++) {
    x[i]! /= scale
    squares += x[i]! * x[i]!
  }
  const head = first / scale
  const norm = Math.sqrt(head * head + squares)
  // Of the two possible signs, the one that adds magnitudes instead of cancelling them.
  const image = head > 0 ? -norm : norm
  const divisor = head - image
  for (let i = 1; i < x.length; i++) x[i]! /= divisor
  return { v: x, tau: -divisor / image, first: image * scale }
}

/** a = H a, in place, on the rows from `row` and the columns from `column`. */
export function reflectRows(a: Matrix, { v, tau }: Reflection, row: number, column: number): void {
  if (tau === 0) return
  const { columns, data } = a
  const products = new Float64Array(columns)
  for (let i = 0; i < v.length; i++) {
    const at = (row + i) * columns
    for (let j = column; j < columns; j++) products[j]! += v[i]! * data[at + j]!
  }
  for (let i = 0; i < v.length; i++) {
    const at = (row + i) * columns
    const factor = tau * v[i]!
    for (let j = column; j < columns; j++) data[at + j]! -= factor * products[j]!
  }
}
