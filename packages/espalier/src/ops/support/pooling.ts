/**
 * What the pooling operators share: schemas, type inference, and the walk over windows. A pool runs over
 * every plane (one channel of one sample) tap by tap, as a convolution does.
 */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape, type Shape, sizeOf } from '../../tensor/shape.ts'
import { allocate } from '../../tensor/tensor.ts'
import type { Attributes, InferContext } from '../op.ts'
import { type AttributeSchema, int, optional, required, string } from '../schema.ts'
import { outputSize } from './movement.ts'
import {
  readWindow,
  type WindowAxis,
  type WindowRuns,
  type WindowSettings,
  windowAxes,
  windowOutputs,
  windowRuns,
} from './window.ts'

/** Attributes that every version of every pool has. */
export const poolAttributes: Readonly<Record<string, AttributeSchema>> = {
  auto_pad: string('NOTSET'),
  kernel_shape: required('ints'),
  pads: optional('ints'),
  strides: optional('ints'),
}
export const withCeilMode: Readonly<Record<string, AttributeSchema>> = {
  ...poolAttributes,
  ceil_mode: int(0),
}
export const withDilations: Readonly<Record<string, AttributeSchema>> = {
  ...withCeilMode,
  dilations: optional('ints'),
}

/** Shape of a pool's output; `undefined` where the input's rank is not known. */
export function poolShape(c: InferContext): Dim[] | undefined {
  const shape = c.shape(0)
  if (shape === undefined) return undefined
  return [...shape.slice(0, 2), ...windowOutputs(poolSettings(c.attributes, shape), shape.slice(2))]
}

function poolSettings(attributes: Attributes, shape: readonly Dim[]): WindowSettings {
  const kernel = attributes.ints('kernel_shape')
  if (shape.length >= 3 && kernel.length === shape.length - 2) return readWindow(attributes, kernel)
  throw new EspalierError('bad-shape', 'the kernel does not fit the rank of the input', {
    expected: `an input of rank ${kernel.length + 2}`,
    got: formatShape(shape),
  })
}

/** A pool with every number known. */
export interface Pool {
  readonly axes: readonly WindowAxis[]
  readonly runs: WindowRuns
  /** Samples times channels. */
  readonly planes: number
  /** Elements of a plane of the input and of the output. */
  readonly inputPlane: number
  readonly outputPlane: number
  readonly outputShape: Shape
}

/** Reads the pool of an input of `shape` [N, C, ...]. Throws `bad-shape` or `bad-argument`. */
export function readPool(attributes: Attributes, shape: Shape): Pool {
  const axes = windowAxes(poolSettings(attributes, shape), shape.slice(2))
  const outputShape = [...shape.slice(0, 2), ...axes.map(axis => axis.output)]
  return {
    axes,
    runs: windowRuns(axes),
    planes: shape[0]! * shape[1]!,
    inputPlane: sizeOf(shape.slice(2)),
    outputPlane: sizeOf(axes.map(axis => axis.output)),
    outputShape,
  }
}

/** The sum of the elements that each window covers. */
export function sumWindows(
  { runs, planes, inputPlane, outputPlane, outputShape }: Pool,
  x: Float64Array,
): Float64Array {
  const y = allocate('float64', outputSize('float64', outputShape))
  for (let plane = 0; plane < planes; plane++)
    for (let tap = 0; tap < runs.taps; tap++) {
      const length = runs.length[tap]!
      const step = runs.step[tap]!
      const end = runs.first[tap + 1]!
      for (let r = runs.first[tap]!; r < end; r++) {
        const from = plane * inputPlane + runs.input[r]!
        const to = plane * outputPlane + runs.output[r]!
        for (let j = 0; j < length; j++) y[to + j]! += x[from + j * step]!
      }
    }
  return y
}

/**
 * The largest element that each window covers, and its position in `x`; minus infinity and -1 for a window on
 * nothing but padding. The first of equals wins, and NaN wins over everything.
 */
export function maximumWindows(
  { runs, planes, inputPlane, outputPlane, outputShape }: Pool,
  x: Float64Array,
): { readonly values: Float64Array; readonly positions: Float64Array } {
  const values = allocate('float64', outputSize('float64', outputShape)).fill(Number.NEGATIVE_INFINITY)
  const positions = allocate('float64', values.length).fill(-1)
  for (let plane = 0; plane < planes; plane++)
    for (let tap = 0; tap < runs.taps; tap++) {
      const length = runs.length[tap]!
      const step = runs.step[tap]!
      const end = runs.first[tap + 1]!
      for (let r = runs.first[tap]!; r < end; r++) {
        const from = plane * inputPlane + runs.input[r]!
        const to = plane * outputPlane + runs.output[r]!
        for (let j = 0; j < length; j++) {
          const value = x[from + j * step]!
          const best = values[to + j]!
          if (value > best || positions[to + j]! < 0 || (Number.isNaN(value) && !Number.isNaN(best))) {
            values[to + j] = value
            positions[to + j] = from + j * step
          }
        }
      }
    }
  return { values, positions }
}

/** The attribute `p` of an Lp norm. Throws `bad-argument` below 1. */
export function readPower(attributes: Attributes): number {
  const p = attributes.int('p')
  if (p >= 1) return p
  throw new EspalierError('bad-argument', 'not the power of a norm', {
    where: { field: 'p' },
    expected: 'at least 1',
    got: `${p}`,
  })
}
