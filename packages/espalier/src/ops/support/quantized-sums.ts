/**
 * What the project's own quantised products do with their exact sums, in float64: add a bias, scale, activate, and round
 * to 8 bits again. The reference of kernels/sums_i8.hpp.
 */

import type { Shape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { EvaluateContext } from '../op.ts'
import { activationFunction, activationOf } from './activation.ts'
import { quantizeNumbers, readPerChannel, requantization } from './quantization.ts'
import { single } from './scalars.ts'

/** Types of the inputs of a quantised product with a quantised result. */
export const quantizedTypes = {
  T1: ['int8', 'uint8'],
  T2: ['int8', 'uint8'],
  T3: ['int8', 'uint8'],
} as const

/** Inputs of a quantised product with a quantised result, in this order. */
export const quantizedInputs: readonly string[] = [
  'x: T1',
  'x_scale: float32',
  'x_zero_point: T1',
  'w: T2',
  'w_scale: float32',
  'w_zero_point: T2',
  'y_scale: float32',
  'y_zero_point: T3',
  'bias?: int32',
]

/** Where the lowering finds them. */
export const quantizedPlaces = {
  x: 0,
  xScale: 1,
  xZero: 2,
  w: 3,
  wScale: 4,
  wZero: 5,
  yScale: 6,
  yZero: 7,
  bias: 8,
} as const

/** The quantised result of sums [..., columns] that already contain the bias. */
export function requantized(c: EvaluateContext, shape: Shape, sums: Float64Array): Tensor {
  const columns = shape.at(-1) ?? 1
  const xScale = single(c.tensor(1), 'x_scale')
  const wScale = readPerChannel(c.tensor(4), 'w_scale', columns)
  const yScale = single(c.tensor(6), 'y_scale')
  const zero = single(c.tensor(7), 'y_zero_point')
  const activation = activationOf(c.attributes)
  const activate = activationFunction(activation)
  const scaled = sums.map((sum, i) => {
    const value = sum * requantization(xScale, wScale[(i % columns) % wScale.length]!, yScale)
    return activation.name === 'none' ? value : activate(value * yScale) / yScale
  })
  return quantizeNumbers(c.tensor(7).dtype, shape, scaled, () => zero)
}
