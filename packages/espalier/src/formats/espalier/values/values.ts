/**
 * A value codec: how a file stores the elements that a pattern has left. All of them give back the very bits; one that
 * would change an element declines.
 */
import type { DType } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Extents } from '../codecs/codec.ts'
import type { Patterns } from '../elements.ts'

/** Stored elements, in the order of their positions in the matrix. */
export interface StoredElements {
  readonly dtype: DType
  readonly patterns: Patterns
  readonly positions: Uint32Array
  readonly extents: Extents
}

export interface EncodedValues {
  /** Small integers that the file keeps; each codec says what they mean. */
  readonly parameters: readonly number[]
  /** One element for each stored one, in a type of at most as many bits. */
  readonly values: Tensor
  /** Factors, where the codec has some. */
  readonly scales?: Tensor<'float32'>
}

export interface ValueCodec {
  /** Its name in files. */
  readonly name: string
  /** Bits of a stored value. `undefined` for those of the data type itself. */
  readonly bits?: number
  /** The values, or `undefined` where one of them would change. */
  encode(elements: StoredElements): EncodedValues | undefined
  /** The type of the stored values. Throws `malformed` for parameters that the codec does not have. */
  valueType(dtype: DType, parameters: readonly number[]): DType
  /** Number of scales. */
  scaleCount(extents: Extents, parameters: readonly number[]): number
  /** The patterns that were encoded. */
  decode(dtype: DType, encoded: EncodedValues, positions: () => Uint32Array, extents: Extents): Patterns
}
