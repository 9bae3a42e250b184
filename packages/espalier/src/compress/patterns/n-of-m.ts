/**
 * At most N of every M consecutive inputs: of each group of M in a row the N with the largest scores stay. A shorter group
 * at the end of a row keeps N as well, all of it if it is no longer than that.
 */
import { EspalierError } from '../../errors.ts'
import type { Pattern } from './pattern.ts'

/** The pattern N:M. Throws `bad-argument` unless 0 < N < M <= 64. */
export function nOfM(n: number, m: number): Pattern {
  if (!Number.isInteger(n) || !Number.isInteger(m) || n < 1 || n >= m || m > 64)
    throw new EspalierError('bad-argument', `there is no pattern ${n}:${m}`, {
      expected: 'N:M with N from 1 to below M, and M at most 64',
    })
  return {
    name: `${n}:${m}`,
    sparsity: 1 - n / m,
    mask(scores, { rows, columns }) {
      const mask = new Uint8Array(rows * columns)
      for (let row = 0; row < rows; row++)
        for (let from = 0; from < columns; from += m) {
          const start = row * columns + from
          keepLargest(scores, mask, start, start + Math.min(m, columns - from), n)
        }
      return mask
    },
  }
}

/** Marks the `count` largest of a few scores, the later of equals. */
function keepLargest(
  scores: Float32Array,
  mask: Uint8Array,
  start: number,
  end: number,
  count: number,
): void {
  for (let k = 0; k < count; k++) {
    let best = -1
    for (let at = end - 1; at >= start; at--)
      if (mask[at] === 0 && (best < 0 || !(scores[at]! <= scores[best]!))) best = at
    if (best < 0) return
    mask[best] = 1
  }
}
