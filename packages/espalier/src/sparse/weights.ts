/**
 * The nonzero numbers of a constant, however it is kept: dense in memory or in a file, as the pattern and values of a
 * compressed file, as coordinates, or computed from another constant by an optimisation. Only dense ones are ever seen
 * whole, in memory that the next one takes too.
 */
import { compressedOf } from '../formats/espalier/compressed.ts'
import { naturalView } from '../formats/espalier/matrix.ts'
import { coordinatesOf } from '../graph/sparse.ts'
import { copyBytes, type Derivation, storedBytes, type Tensor, tensorBytes } from '../tensor/tensor.ts'
import { beforeTranspose, type Numbers, type WeightMatrix } from './matrix.ts'
import { type Nonzeros, nonzerosOfDense, nonzerosOfList } from './nonzeros.ts'
import { scratch } from './scratch.ts'

/** Codecs of files that store nothing but what is not zero. */
const exactCodecs: readonly string[] = ['bitmask', 'rice']

/**
 * The numbers of a float32, int8 or uint8 weight that are not zero, unsigned ones less 128, as kernels multiply them;
 * `undefined` where they are more than `most`.
 */
export function nonzerosOf(weight: Tensor, matrix: WeightMatrix, most: number): Nonzeros | undefined {
  const derived = storedBytes(weight)?.derived
  const follows = derived?.factors === undefined || matrix.outputStrides[derived.factors.axis] === 1
  return derived !== undefined && follows
    ? derivedNonzeros(derived, matrix, most)
    : ownNonzeros(weight, matrix, most)
}

/** Those of a weight that is computed from another: that one's, moved and multiplied. */
function derivedNonzeros(
  { of, perm, factors }: Derivation,
  matrix: WeightMatrix,
  most: number,
): Nonzeros | undefined {
  const found = nonzerosOf(of, perm === undefined ? matrix : beforeTranspose(matrix, perm), most)
  if (found === undefined || factors === undefined) return found
  const { starts, values } = found
  for (let output = 0; output < matrix.outputs; output++) {
    const factor = factors.values[output]!
    for (let i = starts[output]!; i < starts[output + 1]!; i++) values[i] = values[i]! * factor
  }
  return found
}

function ownNonzeros(weight: Tensor, matrix: WeightMatrix, most: number): Nonzeros | undefined {
  const listed = weight.dtype === 'uint8' ? undefined : coordinatesOf(weight)
  if (listed !== undefined) {
    const values = listed.values.data as Numbers
    return nonzerosOfList(listed.positions, values, naturalView(matrix.shape), matrix, most)
  }
  const compressed = compressedOf(weight)
  // What a file leaves out of unsigned bytes is 0, which is -128 to kernels.
  if (compressed === undefined || compressed.codec === 'raw' || weight.dtype === 'uint8')
    return nonzerosOfDense(denseNumbers(weight), matrix, most)
  if (exactCodecs.includes(compressed.codec) && compressed.stored > most) return undefined
  const positions = compressed.positions()
  const values = compressed.elements(positions).data as Numbers
  return nonzerosOfList(positions, values, compressed.view, matrix, most)
}

/** How many numbers of a weight are not zero. One pass over what is stored, save where a file says it. */
export function countNonzero(weight: Tensor): number {
  const derived = storedBytes(weight)?.derived
  if (derived !== undefined) return countNonzero(derived.of)
  const numbers = storedNumbers(weight)
  if (typeof numbers === 'number') return numbers
  let count = 0
  for (let i = 0; i < numbers.length; i++) if (numbers[i] !== 0) count++
  return count
}

/** The numbers of which some may be zero, or how many of them are not, where that is known. */
function storedNumbers(weight: Tensor): Numbers | number {
  // What is left out of unsigned bytes is 0, which is -128 to kernels.
  if (weight.dtype === 'uint8') return denseNumbers(weight)
  const listed = coordinatesOf(weight)
  if (listed !== undefined) return listed.values.data as Numbers
  const compressed = compressedOf(weight)
  if (compressed === undefined || compressed.codec === 'raw') return denseNumbers(weight)
  if (exactCodecs.includes(compressed.codec)) return compressed.stored
  return compressed.elements(compressed.positions()).data as Numbers
}

const denseScratch = scratch()

/** All numbers of a weight, good until the next call. */
function denseNumbers(weight: Tensor): Numbers {
  const stored = storedBytes(weight)
  const unsigned = weight.dtype === 'uint8'
  let bytes =
    stored === undefined
      ? tensorBytes(weight)
      : new Uint8Array(denseScratch(stored.byteLength), 0, stored.byteLength)
  if (stored !== undefined) stored.fill(bytes)
  else if (unsigned || bytes.byteOffset % 4 !== 0) {
    bytes = new Uint8Array(denseScratch(bytes.byteLength), 0, bytes.byteLength)
    copyBytes(weight, bytes)
  }
  if (unsigned) for (let i = 0; i < bytes.length; i++) bytes[i]! ^= 0x80
  return weight.dtype === 'float32'
    ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    : new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
