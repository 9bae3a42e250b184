/**
 * How sparse a weight is, and in which patterns: single zeros, blocks of four along the inputs, N:M groups. Only
 * the numbers count; whether a pattern makes anything smaller or faster is measured elsewhere.
 */
import type { WeightUse } from '../ops/op.ts'
import { isBigInt } from '../tensor/dtype.ts'
import { numbers } from '../tensor/elements.ts'
import { forEachIndex, type Shape, sizeOf, stridesOf } from '../tensor/shape.ts'
import { type Tensor, tensorBytes } from '../tensor/tensor.ts'

export interface Sparsity {
  readonly elements: number
  readonly zeros: number
  /** Zeros among all elements, 0 to 1; 0 for an empty weight. */
  readonly fraction: number
  /** Share of blocks of four consecutive inputs that hold nothing but zeros; 0 where there are fewer inputs than four. */
  readonly zeroBlocks4: number
  /** The tightest of 1:4, 2:4 and 4:8 (N nonzeros in M) that every group keeps; none where there are fewer inputs than M. */
  readonly pattern?: '1:4' | '2:4' | '4:8'
}

/**
 * Counts the zeros of a weight. `use` says which axes are summed over; groups run along the outermost of these, the
 * input channels of a convolution, and a shorter group at its end counts as a group.
 */
export function sparsityOf(weight: Tensor, use: Pick<WeightUse, 'rows' | 'columns'>): Sparsity {
  const elements = sizeOf(weight.shape)
  const isZero = zeroTest(weight)
  const zeros = countZeros(weight)
  const axis = use.columns[0]
  const extent = axis === undefined ? 0 : weight.shape[axis]!
  if (axis === undefined || extent < 4 || zeros === 0 || elements === 0)
    return { elements, zeros, fraction: elements === 0 ? 0 : zeros / elements, zeroBlocks4: 0 }
  const groups4 = groupCounts(weight.shape, axis, 4, isZero)
  const keeps4of8 = (): boolean => extent >= 8 && groupCounts(weight.shape, axis, 8, isZero).most <= 4
  const pattern = groups4.most <= 1 ? '1:4' : groups4.most <= 2 ? '2:4' : keeps4of8() ? '4:8' : undefined
  return {
    elements,
    zeros,
    fraction: zeros / elements,
    zeroBlocks4: groups4.empty / groups4.groups,
    ...(pattern && { pattern }),
  }
}

/** Number of elements that are zero; minus zero is, and so is no string. */
export function countZeros(tensor: Tensor): number {
  const isZero = zeroTest(tensor)
  const elements = sizeOf(tensor.shape)
  let zeros = 0
  for (let i = 0; i < elements; i++) if (isZero(i)) zeros++
  return zeros
}

/** Walks the groups of `size` along `axis`: how many there are, how many are all zero, most nonzeros in one. */
function groupCounts(
  shape: Shape,
  axis: number,
  size: number,
  isZero: (index: number) => boolean,
): { readonly groups: number; readonly empty: number; readonly most: number } {
  const strides = stridesOf(shape)
  const extent = shape[axis]!
  const step = strides[axis]!
  const outer = shape.map((length, index) => (index === axis ? 1 : length))
  let groups = 0
  let empty = 0
  let most = 0
  forEachIndex(outer, [strides], (_, [start]) => {
    for (let from = 0; from < extent; from += size) {
      const to = Math.min(from + size, extent)
      let nonzeros = 0
      for (let k = from; k < to; k++) if (!isZero(start! + k * step)) nonzeros++
      groups++
      if (nonzeros === 0) empty++
      if (nonzeros > most) most = nonzeros
    }
  })
  return { groups, empty, most }
}

/** Whether an element is zero. */
function zeroTest(weight: Tensor): (index: number) => boolean {
  if (weight.dtype === 'string') return () => false
  if (isBigInt(weight.dtype)) {
    const data = weight.data as BigInt64Array
    return index => data[index] === 0n
  }
  if (
    weight.dtype === 'float32' ||
    weight.dtype === 'float64' ||
    weight.dtype === 'int8' ||
    weight.dtype === 'uint8'
  ) {
    const { data } = weight
    return index => data[index] === 0
  }
  if (weight.dtype === 'float16' || weight.dtype === 'bfloat16') {
    const { data } = weight
    return index => (data[index]! & 0x7fff) === 0
  }
  const values = numbers(weight)
  return index => values[index] === 0
}

/** Bytes that a weight takes as it is stored; the UTF-8 length for strings. */
export function storedBytes(weight: Tensor): number {
  if (weight.dtype !== 'string') return tensorBytes(weight).length
  const encoder = new TextEncoder()
  return weight.data.reduce((total, text) => total + encoder.encode(text).length, 0)
}
