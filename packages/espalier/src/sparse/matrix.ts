/**
 * A weight read as a matrix of outputs by k, which every sparse layout is made from. k runs in the order in which kernels
 * walk: over the taps of a window and, within a tap, over channels. How the weight lies in its tensor is a stride for each
 * axis: a step along it moves by so many outputs and so many k.
 */
import { type Shape, sizeOf, stridesOf } from '../tensor/shape.ts'

export type Numbers = Float32Array | Int8Array

export interface WeightMatrix {
  readonly outputs: number
  /** Taps of the window; 1 for a product of matrices. */
  readonly taps: number
  readonly channels: number
  /** Of the tensor that the weight is. */
  readonly shape: Shape
  /** What a step along each axis moves by. */
  readonly outputStrides: readonly number[]
  readonly kStrides: readonly number[]
}

/** The second matrix of a product: [..., k, n], or [..., n, k] where it lies transposed; [k] for a vector. One matrix. */
export function productMatrix(shape: Shape, transposed: boolean): WeightMatrix {
  const rank = shape.length
  const kAxis = rank === 1 ? 0 : rank - (transposed ? 1 : 2)
  const outputAxis = rank === 1 ? -1 : rank - (transposed ? 2 : 1)
  return {
    outputs: shape[outputAxis] ?? 1,
    taps: 1,
    channels: shape[kAxis]!,
    shape,
    outputStrides: shape.map((_, axis) => (axis === outputAxis ? 1 : 0)),
    kStrides: shape.map((_, axis) => (axis === kAxis ? 1 : 0)),
  }
}

/** The weights of a convolution of one group, [outputs, channels, ...kernel]. */
export function convolutionMatrix(shape: Shape): WeightMatrix {
  const [outputs = 0, channels = 0, ...kernel] = shape
  return {
    outputs,
    taps: sizeOf(kernel),
    channels,
    shape,
    outputStrides: shape.map((_, axis) => (axis === 0 ? 1 : 0)),
    kStrides: [0, 1, ...stridesOf(kernel).map(stride => stride * channels)],
  }
}

/** The same matrix in the tensor whose axes, in the order `perm`, are those of the weight. */
export function beforeTranspose(matrix: WeightMatrix, perm: readonly number[]): WeightMatrix {
  const back = (values: readonly number[]): number[] => {
    const result = new Array<number>(perm.length)
    for (const [axis, from] of perm.entries()) result[from] = values[axis]!
    return result
  }
  return {
    ...matrix,
    shape: back(matrix.shape),
    outputStrides: back(matrix.outputStrides),
    kStrides: back(matrix.kStrides),
  }
}
