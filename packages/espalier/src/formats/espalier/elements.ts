/**
 * Elements of a tensor as bit patterns, one array entry each, so that minus zero, NaN with its payload and packed types
 * are moved without a change. An element whose bits are all clear is what a pattern leaves out.
 */
import { EspalierError } from '../../errors.ts'
import { type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { packBits } from '../../tensor/elements.ts'
import { type Shape, sizeOf } from '../../tensor/shape.ts'
import { allocate, type Tensor, tensorBytes, tensorFromBytes } from '../../tensor/tensor.ts'
import { isNatural, type MatrixView, placeOf } from './matrix.ts'

/** Bit patterns of up to 32 bits; those of 64 as BigUint64Array. */
export type Patterns = Uint8Array | Uint16Array | Uint32Array | BigUint64Array

/** Whether elements of a type can be taken one by one. */
export function hasPatterns(dtype: DType): boolean {
  return dtype !== 'string' && dtype !== 'complex128'
}

/** Bits of an element. */
export function elementBits(dtype: DType): number {
  return dtypeInfo(dtype).bits
}

/** The elements of a tensor, unpacked; a view of its bytes where that is possible. Throws `bad-dtype`. */
export function patternsOf(source: Tensor): Patterns {
  if (!hasPatterns(source.dtype))
    throw new EspalierError('bad-dtype', `elements of ${source.dtype} stay whole`)
  const bits = elementBits(source.dtype)
  const bytes = tensorBytes(source)
  if (bits < 8) return unpack(bytes, sizeOf(source.shape), bits)
  const width = bits / 8
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes)
  return new (arrayFor(bits))(aligned.buffer as ArrayBuffer, aligned.byteOffset, bytes.length / width)
}

/** A tensor of patterns. */
export function tensorOfPatterns(dtype: DType, shape: Shape, patterns: Patterns): Tensor {
  const bits = elementBits(dtype)
  const packed = bits < 8 ? packBits(patterns as Uint8Array, bits) : patterns
  const bytes = new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength)
  return tensorFromBytes(dtype, shape, bytes)
}

/** Zeroed patterns for `count` elements. Throws `too-large`. */
export function newPatterns(dtype: DType, count: number): Patterns {
  const bits = elementBits(dtype)
  return allocate(bits <= 8 ? 'uint8' : bits === 16 ? 'uint16' : bits === 32 ? 'uint32' : 'uint64', count)
}

/** Places in the matrix of the elements that are not all clear, ascending. */
export function supportOf(patterns: Patterns, shape: Shape, view: MatrixView): Uint32Array {
  const place = isNatural(view) ? undefined : placeOf(shape, view)
  const zero = patterns instanceof BigUint64Array ? 0n : 0
  let count = 0
  for (let i = 0; i < patterns.length; i++) if (patterns[i] !== zero) count++
  const positions = allocate('uint32', count)
  for (let i = 0, at = 0; at < count; i++)
    if (patterns[place === undefined ? i : place(i)] !== zero) positions[at++] = i
  return positions
}

/** The elements at places of the matrix. */
export function gather(
  dtype: DType,
  patterns: Patterns,
  shape: Shape,
  view: MatrixView,
  positions: Uint32Array,
): Patterns {
  const place = isNatural(view) ? undefined : placeOf(shape, view)
  const result = newPatterns(dtype, positions.length)
  for (let i = 0; i < positions.length; i++)
    result[i] = patterns[place === undefined ? positions[i]! : place(positions[i]!)]!
  return result
}

/** The dense elements: `values` at places of the matrix, and zeros. */
export function scatter(
  dtype: DType,
  values: Patterns,
  shape: Shape,
  view: MatrixView,
  positions: Uint32Array,
): Patterns {
  const place = isNatural(view) ? undefined : placeOf(shape, view)
  const result = newPatterns(dtype, sizeOf(shape))
  for (let i = 0; i < positions.length; i++)
    result[place === undefined ? positions[i]! : place(positions[i]!)] = values[i]!
  return result
}

function arrayFor(bits: number): new (buffer: ArrayBuffer, offset: number, length: number) => Patterns {
  if (bits === 8) return Uint8Array
  if (bits === 16) return Uint16Array
  return bits === 32 ? Uint32Array : BigUint64Array
}

function unpack(bytes: Uint8Array, count: number, bits: number): Uint8Array {
  const perByte = 8 / bits
  const mask = 2 ** bits - 1
  const result = allocate('uint8', count)
  for (let i = 0; i < count; i++)
    result[i] = (bytes[Math.floor(i / perByte)]! >> ((i % perByte) * bits)) & mask
  return result
}
