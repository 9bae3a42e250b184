/**
 * Weights with zeros in a pattern as pruning leaves them, made from a seed: importances are drawn from an exponential
 * distribution, as absolute values of trained weights nearly are, and the least important units go. Rows (outputs) may
 * differ in scale, as those of real layers do, so that pruning thins some of them out more than others.
 */
import { extentsOf, type MatrixView, placeOf } from '../../formats/espalier/matrix.ts'
import { foldIn, normal, randomKey, uniform } from '../../tensor/random.ts'
import { type Shape, sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import { masksFor, type Pattern, type ScoredMatrix } from '../patterns/index.ts'

export interface SyntheticOptions {
  /** Same seed, same weights: 0 when left out. */
  readonly seed?: number
  /** Standard deviation of the logarithm of the scales of rows; 0, when left out, for rows that are alike. */
  readonly skew?: number
}

/** Importances for a weight of `shape` that is read by `view`. */
export function syntheticScores(
  shape: Shape,
  view: MatrixView,
  { seed = 0, skew = 0 }: SyntheticOptions = {},
): ScoredMatrix {
  const extents = extentsOf(shape, view)
  const key = randomKey(seed)
  const draws = uniform(foldIn(key, 0), sizeOf(shape))
  const scales = skew === 0 ? undefined : normal(foldIn(key, 1), extents.rows)
  const scores = new Float32Array(draws.length)
  for (let row = 0, at = 0; row < extents.rows; row++) {
    const scale = scales === undefined ? 1 : Math.exp(skew * scales[row]!)
    for (const end = at + extents.columns; at < end; at++) scores[at] = -Math.log(1 - draws[at]!) * scale
  }
  return { ...extents, scores }
}

/**
 * A weight with the zeros that `pattern` puts where scores are small. What is left is between 1/2 and 1 in size, so that
 * quantising makes no further zeros. Throws `bad-argument` for a sparsity that the pattern does not have.
 */
export function syntheticWeight(
  shape: Shape,
  view: MatrixView,
  scores: ScoredMatrix,
  pattern: Pattern,
  sparsity?: number,
): Tensor<'float32'> {
  const [mask] = masksFor(pattern, [scores], sparsity) as [Uint8Array]
  const place = placeOf(shape, view)
  const values = new Float32Array(mask.length)
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue
    const size = 0.5 + ((i * 37) % 64) / 128
    values[place(i)] = i % 3 === 0 ? -size : size
  }
  return tensor('float32', shape, values)
}
