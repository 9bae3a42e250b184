/**
 * 8-bit weights of which at most one or two of every four along k are not zero (1:4, 2:4), for few rows of activations
 * (kernels/some_of_four_i8.hpp). A word has room for four such numbers, of four or two fours that follow each other; a byte has
 * two bits for each that say which of its four it is. A step is the words of a panel of `columns` outputs at one place of k.
 *
 *   words   [panels][steps][columns][4]
 *   places  uint8 [panels][steps][columns]   of number i in the bits 2 i and 2 i + 1
 *   extra   as many bytes as are asked for
 */
import type { WeightMatrix } from './matrix.ts'
import type { Nonzeros } from './nonzeros.ts'

export interface OfFourShape {
  /** Of every four numbers. */
  readonly kept: 1 | 2
  readonly columns: number
  /** Numbers that the machine multiplies together: 4, or 2. Then the second and the third of a word are exchanged. */
  readonly depth: number
}

export interface OfFour extends OfFourShape {
  readonly bytes: Uint8Array
  readonly placesAt: number
  /** Where `extra` bytes begin. */
  readonly extraAt: number
}

/** Numbers of an output that a word spans. */
export const spanOf = ({ kept }: Pick<OfFourShape, 'kept'>): number => 16 / kept

/** How many fours have a number; `undefined` where one has more than `kept`. */
export function fours({ starts, ks }: Nonzeros, kept: number): number | undefined {
  let found = 0
  for (let output = 0; output < starts.length - 1; output++)
    for (let i = starts[output]!, four = -1, count = 0; i < starts[output + 1]!; i++) {
      if (ks[i]! >> 2 !== four) {
        four = ks[i]! >> 2
        count = 0
        found++
      }
      if (++count > kept) return undefined
    }
  return found
}

/** Bytes of a matrix, without any `extra` ones. */
export function ofFourBytes({ outputs, channels }: WeightMatrix, shape: OfFourShape): number {
  return round(wordsOf(outputs, channels, shape) * 5)
}

/** Packs a matrix of one tap, whose channels are a multiple of the span of a word and of whose fours none has too many. */
export function packOfFour(
  { starts, ks, values }: Nonzeros,
  { outputs, channels }: WeightMatrix,
  shape: OfFourShape,
  extra = 0,
): OfFour {
  const { kept, columns } = shape
  const placesAt = wordsOf(outputs, channels, shape) * 4
  const extraAt = round((placesAt / 4) * 5)
  const bytes = new Uint8Array(extraAt + extra)
  const span = spanOf(shape)
  const order = orderOf(shape)
  for (let output = 0; output < outputs; output++) {
    const first = firstWord(output, channels / span, columns)
    for (let i = starts[output]!, four = -1, next = 0; i < starts[output + 1]!; i++) {
      const k = ks[i]!
      if (k >> 2 !== four) {
        four = k >> 2
        next = ((k % span) >> 2) * kept
      }
      const word = first + Math.floor(k / span) * columns
      bytes[word * 4 + order[next]!] = values[i]!
      bytes[placesAt + word]! |= (k & 3) << (2 * next)
      next++
    }
  }
  return { ...shape, bytes, placesAt, extraAt }
}

/** The matrix again, as [outputs][k]. */
export function unpackOfFour(packed: OfFour, { outputs, channels }: WeightMatrix): Int8Array {
  const { bytes, placesAt, kept, columns } = packed
  const span = spanOf(packed)
  const order = orderOf(packed)
  const dense = new Int8Array(outputs * channels)
  for (let output = 0; output < outputs; output++) {
    const first = firstWord(output, channels / span, columns)
    for (let k = 0; k < channels; k += span) {
      const word = first + (k / span) * columns
      for (let i = 0; i < 4; i++) {
        const value = bytes[word * 4 + order[i]!]!
        const place = (bytes[placesAt + word]! >> (2 * i)) & 3
        if (value !== 0) dense[output * channels + k + Math.floor(i / kept) * 4 + place] = value
      }
    }
  }
  return dense
}

const wordsOf = (outputs: number, channels: number, shape: OfFourShape): number =>
  Math.ceil(outputs / shape.columns) * shape.columns * (channels / spanOf(shape))

/** The word of an output in the first step. */
const firstWord = (output: number, steps: number, columns: number): number =>
  Math.floor(output / columns) * columns * steps + (output % columns)

/** Where the numbers of a word lie in it. */
const orderOf = ({ depth }: OfFourShape): readonly number[] => (depth === 2 ? [0, 2, 1, 3] : [0, 1, 2, 3])

const round = (bytes: number): number => Math.ceil(bytes / 64) * 64
