/**
 * A sparsity pattern: which sets of weights may be kept. A weight is a matrix [out][in] (see `weightPlaces`: the columns of
 * a convolution are its taps and, within a tap, its channels), its importance a score for every element, 0 or more. All
 * patterns have this form. Scores come from elsewhere: magnitudes here, second-order criteria by the same door.
 *
 * Ties are broken by position: of equal scores the first in the matrix goes first.
 */
import type { Extents } from '../../formats/espalier/codecs/codec.ts'

export interface Pattern {
  /** As options and reports call it: `unstructured`, `2:4`, `block4`, `4x4`. */
  readonly name: string
  /** The share of zeros that the pattern itself demands, of a matrix whose rows are whole groups. Left out where it is free. */
  readonly sparsity?: number
  /**
   * Scores of the units that are kept or pruned whole: elements, or blocks, row by row. Left out where the pattern leaves
   * no choice between units, as N of every M.
   */
  units?(scores: Float32Array, extents: Extents): Float32Array
  /**
   * 1 for every element that is kept, 0 for every one that is pruned. `kept` has such a number for every unit, where the
   * pattern has units; a pattern without them decides by itself.
   */
  mask(scores: Float32Array, extents: Extents, kept: Uint8Array): Uint8Array
}
