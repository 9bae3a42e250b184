/**
 * Weights for few rows of activations (kernels/bitmask.hpp), in words of 32 bits: a float32, or four 8-bit numbers of an
 * output that follow each other along k. A bit says of each word whether it has a number other than zero, and those that
 * have are kept. Outputs are cut into panels of `columns`; a step is the words of a panel at one place of k. All lies in
 * the order in which the kernel walks:
 *
 *   bits    [panels][steps][columns] bits, the first in the lowest
 *   starts  uint32 [panels]            where a panel begins among the words that are kept
 *   words   [kept] of 4 bytes, and bytes that are read but do not count
 *   extra   as many bytes as are asked for
 *
 * The layouts for many rows (parts.ts) turn activations, which is not worth it for one or two.
 */
import type { Numbers, WeightMatrix } from './matrix.ts'
import type { Nonzeros } from './nonzeros.ts'
import { stepsOf } from './parts.ts'

export interface BitmaskShape {
  /** Outputs of a panel, a multiple of 8. */
  readonly columns: number
  /** Numbers that the machine multiplies together: 4, or 2. Then the second and the third of four are exchanged. */
  readonly depth: number
}

export interface Bitmask extends BitmaskShape {
  readonly bytes: Uint8Array
  readonly startsAt: number
  readonly wordsAt: number
  /** Where `extra` bytes begin. */
  readonly extraAt: number
  readonly kept: number
}

/** Bytes behind the words: `bitmask_overrun` of the kernel. */
const overrun = 64

/** Bytes of a matrix of which `kept` words of `width` numbers are kept, without any `extra` ones. */
export function bitmaskBytes(
  matrix: WeightMatrix,
  width: 1 | 4,
  kept: number,
  { columns }: BitmaskShape,
): number {
  return sectionsOf(matrix, width, kept, columns).extraAt
}

/** Where the sections begin. */
function sectionsOf(
  matrix: WeightMatrix,
  width: number,
  kept: number,
  columns: number,
): Pick<Bitmask, 'startsAt' | 'wordsAt' | 'extraAt'> {
  const panels = Math.ceil(matrix.outputs / columns)
  const startsAt = round((panels * stepsOf(matrix, width) * columns) / 8)
  const wordsAt = round(startsAt + panels * 4)
  return { startsAt, wordsAt, extraAt: round(wordsAt + 4 * kept + overrun) }
}

/** Packs a matrix of one tap, and leaves room for `extra` bytes behind it. */
export function packBitmask(
  nonzeros: Nonzeros,
  matrix: WeightMatrix,
  { columns, depth }: BitmaskShape,
  extra = 0,
): Bitmask {
  const width = widthOf(nonzeros.values)
  const shift = width === 4 ? 2 : 0
  const { starts, ks, values } = nonzeros
  const { outputs } = matrix
  const steps = stepsOf(matrix, width)
  const panels = Math.ceil(outputs / columns)
  const across = columns / 8
  const bits = new Uint8Array(panels * steps * across)
  /** The byte of an output in the first step. */
  const byteOf = (output: number): number => {
    const within = output % columns
    return ((output - within) / columns) * steps * across + (within >> 3)
  }
  for (let output = 0; output < outputs; output++) {
    const [byte, bit] = [byteOf(output), 1 << (output & 7)]
    for (let i = starts[output]!; i < starts[output + 1]!; i++)
      bits[byte + (ks[i]! >> shift) * across]! |= bit
  }
  // Words before each byte of bits.
  const before = new Uint32Array(bits.length)
  let kept = 0
  for (let i = 0; i < bits.length; i++) {
    before[i] = kept
    kept += bitCount(bits[i]!)
  }
  const { startsAt, wordsAt, extraAt } = sectionsOf(matrix, width, kept, columns)
  const bytes = new Uint8Array(extraAt + extra)
  bytes.set(bits)
  const panelStarts = new Uint32Array(bytes.buffer, startsAt, panels)
  for (let panel = 0; panel < panels; panel++) panelStarts[panel] = before[panel * steps * across] ?? 0
  const packed = numbersAt(values, bytes, wordsAt, kept * width)
  const places = placesOf(width, depth)
  for (let output = 0; output < outputs; output++) {
    const [byte, below] = [byteOf(output), (1 << (output & 7)) - 1]
    for (let i = starts[output]!; i < starts[output + 1]!; i++) {
      const k = ks[i]!
      const at = byte + (k >> shift) * across
      packed[(before[at]! + bitCount(bits[at]! & below)) * width + places[k & (width - 1)]!] = values[i]!
    }
  }
  return { columns, depth, bytes, startsAt, wordsAt, extraAt, kept }
}

/** The matrix again, as [outputs][k], in an array of the type of `like`. */
export function unpackBitmask<N extends Numbers>(packed: Bitmask, matrix: WeightMatrix, like: N): N {
  const { columns, depth, bytes, startsAt, wordsAt, kept } = packed
  const { outputs, channels } = matrix
  const width = widthOf(like)
  const steps = stepsOf(matrix, width)
  const places = placesOf(width, depth)
  const starts = new Uint32Array(bytes.buffer, startsAt, Math.ceil(outputs / columns))
  const words = numbersAt(like, bytes, wordsAt, kept * width)
  const dense = numbersAt(like, new Uint8Array(outputs * channels * like.BYTES_PER_ELEMENT), 0)
  for (let panel = 0; panel < starts.length; panel++) {
    let next = starts[panel]! * width
    for (let i = 0; i < steps * columns; i++) {
      const bit = panel * steps * columns + i
      if ((bytes[bit >> 3]! & (1 << (bit & 7))) === 0) continue
      const k = Math.floor(i / columns) * width
      const to = (panel * columns + (i % columns)) * channels + k
      for (let of = 0; of < width && k + of < channels; of++) dense[to + of] = words[next + places[of]!]!
      next += width
    }
  }
  return dense
}

/** Numbers of a word. */
const widthOf = (numbers: Numbers): 1 | 4 => (numbers instanceof Float32Array ? 1 : 4)

/** Where the numbers of a word lie in it. */
const placesOf = (width: number, depth: number): readonly number[] =>
  width === 1 ? [0] : depth === 2 ? [0, 2, 1, 3] : [0, 1, 2, 3]

function bitCount(byte: number): number {
  const pairs = byte - ((byte >> 1) & 0x55)
  const fours = (pairs & 0x33) + ((pairs >> 2) & 0x33)
  return (fours + (fours >> 4)) & 0x0f
}

const round = (bytes: number): number => Math.ceil(bytes / 64) * 64

function numbersAt<N extends Numbers>(like: N, bytes: Uint8Array, at: number, length?: number): N {
  const kind = like instanceof Float32Array ? Float32Array : Int8Array
  return new kind(bytes.buffer as ArrayBuffer, bytes.byteOffset + at, length) as N
}
