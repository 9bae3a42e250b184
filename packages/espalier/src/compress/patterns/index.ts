/** The patterns by name, and masks of them: for one matrix, or for several under one threshold. */
import { EspalierError } from '../../errors.ts'
import type { Extents } from '../../formats/espalier/codecs/codec.ts'
import { block4, blocks } from './block.ts'
import { nOfM } from './n-of-m.ts'
import type { Pattern } from './pattern.ts'
import { keepAllBut } from './select.ts'
import { unstructured } from './unstructured.ts'

export { block4, blocks } from './block.ts'
export { nOfM } from './n-of-m.ts'
export type { Pattern } from './pattern.ts'
export { unstructured } from './unstructured.ts'

/** The patterns with a name of their own. `N:M` and `RxC` stand for any others. */
export const patterns: readonly Pattern[] = [unstructured, block4, nOfM(2, 4), nOfM(4, 8), nOfM(1, 4)]

/** The pattern of a name: `unstructured`, `block4`, `2:4`, `4x4`. Throws `bad-argument`. */
export function patternNamed(name: string): Pattern {
  const known = patterns.find(pattern => pattern.name === name)
  if (known !== undefined) return known
  const [, n, sign, m] = /^(\d{1,4})([:x])(\d{1,4})$/.exec(name) ?? []
  if (sign === ':') return nOfM(Number(n), Number(m))
  if (sign === 'x') return blocks(Number(n), Number(m))
  throw new EspalierError('bad-argument', `there is no pattern "${name}"`, {
    expected: `${patterns.map(pattern => pattern.name).join(', ')}, another N:M, or blocks as 4x4`,
  })
}

/** Scores of a matrix, row by row, 0 or more. */
export interface ScoredMatrix extends Extents {
  readonly scores: Float32Array
}

/**
 * Masks of several matrices under one threshold: `round(sparsity * units)` of all their units are pruned, those with the
 * smallest scores. Patterns with a sparsity of their own take that in every matrix by itself, and none or the same must be
 * asked for. A mask is 1 for every element that is kept. Throws `bad-argument` for a sparsity outside 0 to 1, or another
 * one than the pattern has.
 */
export function masksFor(
  pattern: Pattern,
  matrices: readonly ScoredMatrix[],
  sparsity?: number,
): Uint8Array[] {
  const asked = sparsityFor(pattern, sparsity)
  const { units } = pattern
  if (units === undefined)
    return matrices.map(({ scores, ...extents }) => pattern.mask(scores, extents, new Uint8Array(0)))
  const lists = matrices.map(({ scores, ...extents }) => units(scores, extents))
  const total = lists.reduce((sum, list) => sum + list.length, 0)
  const kept = keepAllBut(Math.round(asked * total), lists)
  return matrices.map(({ scores, ...extents }, i) => pattern.mask(scores, extents, kept[i]!))
}

/** The sparsity that a pattern has, or that it is asked for. Throws `bad-argument`. */
export function sparsityFor(pattern: Pattern, sparsity: number | undefined): number {
  const own = pattern.sparsity
  if (own !== undefined) {
    if (sparsity === undefined || Math.abs(sparsity - own) < 1e-9) return own
    throw new EspalierError('bad-argument', `the pattern ${pattern.name} has a sparsity of its own`, {
      where: { field: 'sparsity' },
      expected: `${own}, or none`,
      got: `${sparsity}`,
    })
  }
  if (sparsity !== undefined && sparsity >= 0 && sparsity <= 1) return sparsity
  throw new EspalierError('bad-argument', `the pattern ${pattern.name} needs a sparsity`, {
    where: { field: 'sparsity' },
    expected: 'the share of zeros, 0 to 1',
    got: sparsity === undefined ? 'none' : `${sparsity}`,
  })
}
