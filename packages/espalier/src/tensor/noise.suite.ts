/** Numbers for tests that look like none in particular, the same in every run. */
import { sizeOf } from './shape.ts'
import { type Tensor, tensor } from './tensor.ts'

export const noise = (shape: readonly number[], seed: number): Tensor<'float32'> =>
  tensor(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(seed + i * 1.7)),
  )
