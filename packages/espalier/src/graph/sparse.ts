/** Sparse constants in coordinate form, made dense. */
import { dtypeInfo } from '../tensor/dtype.ts'
import { fromNumbers, numbers } from '../tensor/elements.ts'
import { sizeOf, stridesOf } from '../tensor/shape.ts'
import { allocate, type Tensor, tensor } from '../tensor/tensor.ts'
import { type Initializer, isSparse, type SparseTensor } from './graph.ts'

/** The dense tensor of a constant. */
export function denseOf(initializer: Initializer): Tensor {
  return isSparse(initializer) ? densify(initializer) : initializer
}

/** Positions of the stored values in the flattened tensor. */
export function positionsOf({ indices, shape }: SparseTensor): Float64Array {
  const [count = 0, rank] = indices.shape
  const strides = rank === undefined ? [1] : stridesOf(shape)
  const positions = new Float64Array(count)
  for (let i = 0; i < count; i++)
    for (let axis = 0; axis < strides.length; axis++)
      positions[i]! += Number(indices.data[i * strides.length + axis]) * strides[axis]!
  return positions
}

function densify(source: SparseTensor): Tensor {
  const { dtype, shape, values } = source
  const positions = positionsOf(source)
  if (dtypeInfo(dtype).stride !== 1) {
    // Packed and complex types: through numbers, which are exact for them.
    const width = Math.max(1, dtypeInfo(dtype).stride)
    const result = new Float64Array(sizeOf(shape) * width)
    const from = numbers(values)
    for (const [i, position] of positions.entries())
      for (let k = 0; k < width; k++) result[position * width + k] = from[i * width + k]!
    return fromNumbers(dtype, shape, result)
  }
  const data = allocate(dtype, sizeOf(shape)) as unknown[]
  const from = values.data as ArrayLike<unknown>
  for (const [i, position] of positions.entries()) data[position] = from[i]
  return tensor(dtype, shape, data as never)
}
