/**
 * The error function erf(x) = 2/sqrt(pi) * integral of exp(-t^2) from 0 to x, and its complement erfc = 1 -
 * erf, in float64. Near zero the series with positive terms (Abramowitz & Stegun 7.1.6), which loses nothing
 * to cancellation; further out the continued fraction of erfc (7.1.14).
 */

/** Where the series gives way to the continued fraction: about the same work on both sides. */
const border = 2
/** From here on erfc is below the smallest float64. */
const vanishing = 28

/** The error function, to a few units in the last place. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x
  return Math.abs(x) < border ? series(x) : Math.sign(x) * (1 - fraction(Math.abs(x)))
}

/** 1 - erf(x), without cancellation for large `x`: its relative error stays below 1e-12. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x
  if (Math.abs(x) < border) return 1 - series(x)
  return x > 0 ? fraction(x) : 2 - fraction(-x)
}

/** 2/sqrt(pi) * exp(-x^2) * sum over n of 2^n x^(2n+1) / (1 * 3 * ... * (2n+1)) */
function series(x: number): number {
  let term = x
  let sum = x
  for (let odd = 3; Math.abs(term) > Math.abs(sum) * 1e-17; odd += 2) {
    term *= (2 * x * x) / odd
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * gaussian(x) * sum
}

/** erfc(x) = exp(-x^2)/sqrt(pi) * 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))), for x of at least `border`. */
function fraction(x: number): number {
  if (x > vanishing) return 0
  const depth = 5 + 180 / (x * x) // terms that reach float64 precision
  let tail = x
  for (let k = Math.ceil(depth); k > 0; k--) tail = x + k / 2 / tail
  return gaussian(x) / (Math.sqrt(Math.PI) * tail)
}

/**
 * exp(-x^2). The square is split in two, because its rounding error would be a relative error of the result.
 */
function gaussian(x: number): number {
  const coarse = Math.trunc(x * 16) / 16
  return Math.exp(-coarse * coarse) * Math.exp((coarse - x) * (coarse + x))
}
