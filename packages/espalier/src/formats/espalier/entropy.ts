/**
 * The entropy bound: bytes below which no code stores a random pattern of a given form and the values in it. The line
 * that stored bytes are held against. Values count in full, as if every bit of them were random.
 */
import { EspalierError } from '../../errors.ts'

/** What a pattern is random in. */
export type EntropyForm =
  /** Any elements. */
  | { readonly kind: 'elements' }
  /** Whole blocks of this many elements. */
  | { readonly kind: 'blocks'; readonly size: number }
  /** N of every M. */
  | { readonly kind: 'groups'; readonly n: number; readonly m: number }

/**
 * Bytes for a pattern with `stored` of `elements` elements and their values of `bits` each. `log2 C(n, k)` bits name one
 * of all patterns of k among n; blocks are counted as a whole, groups of N:M each by itself. Throws `bad-argument` for
 * more stored elements than there are.
 */
export function entropyBound(
  elements: number,
  stored: number,
  bits: number,
  form: EntropyForm = { kind: 'elements' },
): number {
  if (!(stored >= 0 && stored <= elements))
    throw new EspalierError('bad-argument', 'more elements are stored than there are', {
      expected: `0 to ${elements}`,
      got: `${stored}`,
    })
  return (patternBits(elements, stored, form) + stored * bits) / 8
}

function patternBits(elements: number, stored: number, form: EntropyForm): number {
  if (form.kind === 'groups') return (elements / form.m) * log2Binomial(form.m, form.n)
  const size = form.kind === 'blocks' ? form.size : 1
  return log2Binomial(Math.ceil(elements / size), Math.ceil(stored / size))
}

/** log2 of the number of ways to take `k` of `n`. */
export function log2Binomial(n: number, k: number): number {
  if (k <= 0 || k >= n) return 0
  return (logFactorial(n) - logFactorial(k) - logFactorial(n - k)) / Math.LN2
}

/** ln(n!), by Stirling's series from 16 on (error below 1e-12). */
function logFactorial(n: number): number {
  if (n < 16) {
    let product = 1
    for (let i = 2; i <= n; i++) product *= i
    return Math.log(product)
  }
  const series = 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5)
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + series
}
