/** The elements of an array as NumPy lays them out - in files and in pickles - as a tensor. */
import { dtypeInfo } from '../../tensor/dtype.ts'
import { type Shape, sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensor, tensorFromBytes, zeros } from '../../tensor/tensor.ts'
import { normalizeBools, swapBytes } from '../io/bytes.ts'
import type { Elements } from './dtypes.ts'
import { toRowMajor } from './order.ts'
import { decodeText } from './text.ts'

/**
 * The tensor of `shape` whose elements are `bytes`, which have the length that shape and type ask for. Little-endian
 * numbers in row-major order are a view of them; anything else is converted.
 */
export function arrayFromBytes(
  elements: Elements,
  shape: Shape,
  fortranOrder: boolean,
  bytes: Uint8Array,
): Tensor {
  const inFileOrder = decodeElements(elements, shape, bytes)
  if (!fortranOrder || shape.length < 2) return inFileOrder
  const result = zeros(elements.dtype, shape)
  toRowMajor(inFileOrder.data, result.data as Uint8Array, shape, dtypeInfo(elements.dtype).stride)
  return result
}

function decodeElements(elements: Elements, shape: Shape, bytes: Uint8Array): Tensor {
  const { dtype, width, bigEndian } = elements
  if (dtype === 'string') return tensor(dtype, shape, decodeText(bytes, sizeOf(shape), elements))
  if (dtype === 'bool') return tensorFromBytes(dtype, shape, normalizeBools(bytes))
  const numberWidth = width / dtypeInfo(dtype).stride // the two parts of a complex number are numbers of their own
  return tensorFromBytes(dtype, shape, bigEndian && width > 1 ? swapBytes(bytes, numberWidth) : bytes)
}
