/** Figures for files that hold tensors without a graph. */
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

/** Size and zeros of every tensor, in order. */
export function tensorStatistics(tensors: ReadonlyMap<string, Tensor>): TensorStatistics[] {
  return [...tensors].map(([name, tensor]) => ({
    name,
    dtype: tensor.dtype,
    shape: tensor.shape,
    elements: sizeOf(tensor.shape),
    bytes: storedBytes(tensor),
    zeros: countZeros(tensor),
  }))
}
