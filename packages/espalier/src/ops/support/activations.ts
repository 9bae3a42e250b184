/** Activation functions that several operators share, in float64, without overflow in between. */

/** The logistic function 1 / (1 + exp(-x)). */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x))
}

/** ln(1 + exp(x)); for large `x` it is `x` itself. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
}
