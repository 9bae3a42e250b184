/**
 * Eigenvalues of a symmetric tridiagonal matrix by the implicit QL algorithm with Wilkinson's shift (Dubrulle,
 * Martin, Wilkinson, "The Implicit QL Algorithm", 1968). The rotations are handed on to a matrix, which so becomes
 * that of the eigenvectors.
 */
import { EspalierError } from '../../errors.ts'
import type { Matrix } from './matrix.ts'

/** Unit roundoff of float64. */
const ROUNDOFF = 2 ** -53
/** Below this an element counts as zero beside ones of about 1, even where its neighbours are smaller still. */
const TINY = ROUNDOFF ** 2
/** Two or three sweeps an eigenvalue are usual. */
const MOST_SWEEPS = 50

/**
 * Diagonalises, in place, the matrix with `diagonal` d[0..n-1] and e[0..n-2] beside it (e has n elements, the last
 * unused). Its largest element is to be about 1. Afterwards d holds the eigenvalues, in no order, and row i of `vectors`
 * belongs to d[i]; what `vectors` held is multiplied from the left. Throws `no-convergence`.
 */
export function diagonalizeTridiagonal(
  diagonal: Float64Array,
  e: Float64Array,
  vectors: Matrix,
  mostSweeps: number = MOST_SWEEPS,
): void {
  const size = diagonal.length
  if (size > 0) e[size - 1] = 0
  for (let low = 0; low < size; low++) {
    for (let sweeps = 0; ; sweeps++) {
      const high = endOfBlock(diagonal, e, low)
      if (high === low) break
      if (sweeps === mostSweeps)
        throw new EspalierError('no-convergence', `eigenvalue ${low} was not found in ${mostSweeps} sweeps`)
      sweep(diagonal, e, vectors, low, high)
    }
  }
}

/** The last index of the block that begins at `low` and is coupled by elements that are not negligible. */
function endOfBlock(diagonal: Float64Array, e: Float64Array, low: number): number {
  let high = low
  while (
    high < diagonal.length - 1 &&
    Math.abs(e[high]!) > ROUNDOFF * (Math.abs(diagonal[high]!) + Math.abs(diagonal[high + 1]!)) + TINY
  )
    high++
  return high
}

/** One QL step on the block [low, high]: a rotation at its end, then rotations that chase the bulge to its start. */
function sweep(diagonal: Float64Array, e: Float64Array, vectors: Matrix, low: number, high: number): void {
  let g = diagonal[high]! - shiftOf(diagonal[low]!, diagonal[low + 1]!, e[low]!)
  let sine = 1
  let cosine = 1
  let moved = 0
  for (let i = high - 1; i >= low; i--) {
    const f = sine * e[i]!
    const b = cosine * e[i]!
    const radius = Math.hypot(f, g)
    e[i + 1] = radius
    if (radius === 0) {
      // The bulge vanished: the block falls apart here, and the next sweep finds the parts.
      diagonal[i + 1]! -= moved
      e[high] = 0
      return
    }
    sine = f / radius
    cosine = g / radius
    const rest = diagonal[i + 1]! - moved
    const t = (diagonal[i]! - rest) * sine + 2 * cosine * b
    moved = sine * t
    diagonal[i + 1] = rest + moved
    g = cosine * t - b
    rotateRows(vectors, i, sine, cosine)
  }
  diagonal[low]! -= moved
  e[low] = g
  e[high] = 0
}

/** The eigenvalue of [[a, e], [e, b]] that is nearer to a. */
function shiftOf(a: number, b: number, e: number): number {
  const g = (b - a) / (2 * e)
  const root = Math.hypot(g, 1)
  return a - e / (g >= 0 ? g + root : g - root)
}

/** Rotates rows i and i + 1 of a matrix into each other. */
function rotateRows({ columns, data }: Matrix, i: number, sine: number, cosine: number): void {
  const [upper, lower] = [i * columns, (i + 1) * columns]
  for (let j = 0; j < columns; j++) {
    const x = data[upper + j]!
    const y = data[lower + j]!
    data[upper + j] = cosine * x - sine * y
    data[lower + j] = sine * x + cosine * y
  }
}
