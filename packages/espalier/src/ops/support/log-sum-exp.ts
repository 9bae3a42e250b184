/**
 * Exponentials of a line relative to its largest element, so that nothing overflows: softmax, its logarithm, the
 * losses and the log-sum-exp reduction rest on it.
 */

/** The largest element of a line and the sum of exp(x - largest). */
export interface Exponentials {
  readonly largest: number
  readonly sum: number
}

/**
 * For the line `x[start + step]`. `largest` is NaN where an element is plus infinity or NaN, or where all are minus
 * infinity: there softmax is undefined, as in NumPy.
 */
export function exponentialsOf(x: Float64Array, start: number, steps: Uint32Array): Exponentials {
  const largest = largestOf(x, start, steps)
  return Number.isFinite(largest)
    ? { largest, sum: sumRelativeTo(largest, x, start, steps) }
    : { largest: Number.NaN, sum: Number.NaN }
}

/** log(sum(exp(x[start + step]))) over a line; minus infinity for an empty one. */
export function logSumExp(x: Float64Array, start: number, steps: Uint32Array): number {
  const largest = largestOf(x, start, steps)
  // An infinite or NaN maximum is the answer itself; subtracting it would give NaN.
  return Number.isFinite(largest) ? largest + Math.log(sumRelativeTo(largest, x, start, steps)) : largest
}

function largestOf(x: Float64Array, start: number, steps: Uint32Array): number {
  let largest = Number.NEGATIVE_INFINITY
  for (const step of steps) largest = Math.max(largest, x[start + step]!)
  return largest
}

function sumRelativeTo(largest: number, x: Float64Array, start: number, steps: Uint32Array): number {
  let sum = 0
  for (const step of steps) sum += Math.exp(x[start + step]! - largest)
  return sum
}
