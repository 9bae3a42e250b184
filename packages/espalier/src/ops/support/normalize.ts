/**
 * What normalisations share: mean and variance of a line, a tensor seen as batch, channels and inner positions, and
 * vectors with one number for each channel. Variances are those of the population (divided by n), in two passes.
 */
import { EspalierError } from '../../errors.ts'
import { differentDims } from '../../graph/dim.ts'
import type { Dim, ValueType } from '../../graph/graph.ts'
import { numbers } from '../../tensor/elements.ts'
import { formatShape, normalizeAxis, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { InferContext } from '../op.ts'

export interface Moments {
  readonly mean: number
  readonly variance: number
}

/** Mean and variance of `x[start + step]`; NaN for an empty line. */
export function momentsOf(x: Float64Array, start: number, steps: Uint32Array): Moments {
  let sum = 0
  for (const step of steps) sum += x[start + step]!
  const mean = sum / steps.length
  let squares = 0
  for (const step of steps) squares += (x[start + step]! - mean) ** 2
  return { mean, variance: squares / steps.length }
}

/** A tensor [N, C, ...] seen as [batch, channels, inner]. */
export interface ChannelView {
  readonly batch: number
  readonly channels: number
  readonly inner: number
}

/** Throws `bad-shape` below rank 2. */
export function channelView(shape: Shape): ChannelView {
  checkChannels(shape)
  return { batch: shape[0]!, channels: shape[1]!, inner: sizeOf(shape.slice(2)) }
}

function checkChannels(shape: readonly Dim[]): void {
  if (shape.length < 2)
    throw new EspalierError('bad-shape', 'the input has no channels', {
      expected: 'shape N x C or N x C x ...',
      got: formatShape(shape),
    })
}

/** One number for each of `count`, whatever axes they are written with. `what` names them in the error, `bad-shape`. */
export function vectorOf(source: Tensor, count: number, what: string): Float64Array {
  const values = numbers(source)
  if (values.length === count) return values
  throw new EspalierError('bad-shape', `${what} does not fit the input`, {
    expected: `${count} elements`,
    got: formatShape(source.shape),
  })
}

/** The first output is as the first input, [N, C, ...]; each of the inputs `vectors` must have C elements. */
export function inferChannels(
  c: InferContext,
  vectors: readonly number[],
): readonly (ValueType | undefined)[] {
  const shape = c.shape(0)
  if (shape !== undefined) {
    checkChannels(shape)
    for (const index of vectors) {
      const vector = c.shape(index)
      if (vector?.length === 1 && differentDims(vector[0]!, shape[1]!))
        throw new EspalierError('bad-shape', `input ${index} does not have one element for each channel`, {
          expected: `${shape[1]}`,
          got: formatShape(vector),
        })
    }
  }
  return [c.inputs[0]]
}

/** Axes from `first`, which may count from the back, to the last. */
export function trailingAxes(first: number, rank: number): number[] {
  const axis = normalizeAxis(first, rank)
  return Array.from({ length: rank - axis }, (_, i) => axis + i)
}
