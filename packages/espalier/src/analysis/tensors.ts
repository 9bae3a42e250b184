/** Figures for tensors without a graph: of each, and by data type. */
import type { DType } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { countZeros, storedBytes } from './sparsity.ts'

export interface TensorStatistics {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly elements: number
  readonly bytes: number
  readonly zeros: number
}

/** Tensors of one data type. */
export interface DTypeStatistics {
  readonly dtype: DType
  readonly tensors: number
  readonly elements: number
  /** Bytes as stored. */
  readonly bytes: number
}

/** Size and zeros of every tensor, in order. */
export function tensorStatistics(
  tensors: ReadonlyMap<string, Tensor>,
  onProgress?: (done: number, total: number) => void,
): TensorStatistics[] {
  return [...tensors].map(([name, tensor], index) => {
    const found = {
      name,
      dtype: tensor.dtype,
      shape: tensor.shape,
      elements: sizeOf(tensor.shape),
      bytes: storedBytes(tensor),
      zeros: countZeros(tensor),
    }
    onProgress?.(index + 1, tensors.size)
    return found
  })
}

/** Sums by data type, most bytes first. */
export function dtypeStatistics(
  tensors: Iterable<Pick<TensorStatistics, 'dtype' | 'elements' | 'bytes'>>,
): DTypeStatistics[] {
  const byType = new Map<DType, DTypeStatistics>()
  for (const { dtype, elements, bytes } of tensors) {
    const sum = byType.get(dtype) ?? { tensors: 0, elements: 0, bytes: 0 }
    byType.set(dtype, {
      dtype,
      tensors: sum.tensors + 1,
      elements: sum.elements + elements,
      bytes: sum.bytes + bytes,
    })
  }
  return [...byType.values()].sort((a, b) => b.bytes - a.bytes || (a.dtype < b.dtype ? -1 : 1))
}
