/**
 * A pattern codec: how a file says which elements of a matrix it stores. All codecs have this form, and the same
 * rules hold for them: positions ascend, the values of a tensor lie in the order of its positions, and what is not
 * stored is zero (all bits clear). A codec may store more elements than are not zero, where its form asks for it.
 */

/** A weight as a matrix of outputs by inputs, in row-major order. */
export interface Extents {
  readonly rows: number
  readonly columns: number
}

/** One way to store a pattern. */
export interface Plan {
  /** Small integers that the file keeps beside the pattern; each codec says what they mean. */
  readonly parameters: readonly number[]
  /** Bytes of the pattern. */
  readonly bytes: number
  /** Elements that are stored; at least those that are not zero. */
  readonly stored: number
}

export interface EncodedPattern {
  readonly pattern: Uint8Array
  /** The elements that are stored, ascending: those that were given, and those that fill up the form. */
  readonly positions: Uint32Array
}

export interface PatternCodec {
  /** Its name in files. */
  readonly name: string
  /** Whether it can store exactly the positions it is given, and none beside them. */
  readonly exact: boolean
  /** Ways to store `positions` (ascending, inside the matrix), with their exact sizes; none where they do not fit. */
  plans(positions: Uint32Array, extents: Extents): readonly Plan[]
  encode(positions: Uint32Array, extents: Extents, parameters: readonly number[]): EncodedPattern
  /**
   * The positions that `encode` stored, of which there are `stored`. Throws `malformed` for parameters that the codec
   * does not have, and for a pattern of another length, with positions outside the matrix or with bits left over.
   */
  decode(pattern: Uint8Array, extents: Extents, parameters: readonly number[], stored: number): Uint32Array
}
