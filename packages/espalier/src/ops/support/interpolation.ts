/**
 * Interpolation kernels and one-dimensional resampling: what Resize, Upsample and GridSample share. Resampling is
 * separable, so an image is resampled one axis after the other, each output position a weighted sum of input positions
 * (its taps). Source of the cubic kernel: Keys, "Cubic convolution interpolation", equation 4.
 */
import { type Shape, sizeOf } from '../../tensor/shape.ts'
import { allocate } from '../../tensor/tensor.ts'

/** Weight of a sample at a distance, in samples; zero from `radius` on. */
export interface Kernel {
  readonly radius: number
  weight(distance: number): number
}

export const linearKernel: Kernel = { radius: 1, weight: distance => Math.max(0, 1 - Math.abs(distance)) }

/** Keys' cubic kernel; `a` is its slope at distance 1. */
export function cubicKernel(a: number): Kernel {
  return {
    radius: 2,
    weight(distance) {
      const x = Math.abs(distance)
      if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1
      return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
    },
  }
}

/** Calls `visit` with the samples that `kernel`, stretched by `stretch`, meets around `position`, and their weights. */
export function visitTaps(
  kernel: Kernel,
  position: number,
  stretch: number,
  visit: (index: number, weight: number) => void,
): void {
  const reach = kernel.radius * stretch
  const last = Math.ceil(position + reach) - 1
  for (let index = Math.floor(position - reach) + 1; index <= last; index++) {
    const weight = kernel.weight((index - position) / stretch)
    if (weight !== 0) visit(index, weight)
  }
}

/**
 * How one axis is resampled: output position `i` is the sum of `weights[t]` times input position `indices[t]` for taps
 * `first[i]` to `first[i + 1]`, or `outside` where it has no taps.
 */
export interface AxisTaps {
  readonly first: Int32Array
  readonly indices: Int32Array
  readonly weights: Float64Array
  readonly outside: number
}

/**
 * Collects the taps of `length` output positions, `visit` being called for each to name its taps (ascending; equal
 * neighbours are joined, and all are divided by their sum). Throws `too-large`.
 */
export function collectTaps(
  length: number,
  mostTaps: number,
  outside: number,
  visit: (position: number, add: (index: number, weight: number) => void) => void,
): AxisTaps {
  const first = allocate('int32', length + 1)
  const indices = allocate('int32', length * mostTaps)
  const weights = allocate('float64', length * mostTaps)
  let at = 0
  let sum = 0
  for (let position = 0; position < length; position++) {
    first[position] = at
    sum = 0
    visit(position, (index, weight) => {
      sum += weight
      if (at > first[position]! && indices[at - 1] === index) weights[at - 1]! += weight
      else {
        indices[at] = index
        weights[at++] = weight
      }
    })
    for (let tap = first[position]!; tap < at; tap++) weights[tap]! /= sum
  }
  first[length] = at
  return { first, indices, weights, outside }
}

/** `values` of `shape` with `axis` resampled. */
export function resampleAxis(values: Float64Array, shape: Shape, axis: number, taps: AxisTaps): Float64Array {
  const { first, indices, weights, outside } = taps
  const length = first.length - 1
  const inner = sizeOf(shape.slice(axis + 1))
  const outer = sizeOf(shape.slice(0, axis))
  const extent = shape[axis]!
  const result = new Float64Array(outer * length * inner)
  for (let row = 0; row < outer; row++)
    for (let i = 0; i < length; i++) {
      const to = (row * length + i) * inner
      if (first[i] === first[i + 1]) result.fill(outside, to, to + inner)
      for (let tap = first[i]!; tap < first[i + 1]!; tap++) {
        const weight = weights[tap]!
        const from = (row * extent + indices[tap]!) * inner
        for (let k = 0; k < inner; k++) result[to + k]! += weight * values[from + k]!
      }
    }
  return result
}
