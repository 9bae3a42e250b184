/**
 * Lines: a tensor seen as runs of elements along some of its axes. Reductions, softmax, normalisations and
 * transforms all do one thing to every line; with the index arithmetic done once here, each of them is a plain loop
 * over `x[start + step]`.
 */
import { EspalierError } from '../../errors.ts'
import { forEachIndex, formatShape, type Shape, sizeOf, stridesOf } from '../../tensor/shape.ts'

export interface Lines {
  /** Position of the first element of every line, in row-major order of the axes left. */
  readonly starts: Uint32Array
  /** Distance of every element of a line from its first, in row-major order of the axes of the line. */
  readonly steps: Uint32Array
}

/** The lines of a dense tensor of `shape` along `axes`, which are normalised. No axes: every element is a line. */
export function linesAlong(shape: Shape, axes: readonly number[]): Lines {
  if (sizeOf(shape) > 2 ** 32)
    throw new EspalierError('too-large', `a tensor of shape ${formatShape(shape)} is too large to compute on`)
  const rest = shape.map((_, axis) => axis).filter(axis => !axes.includes(axis))
  return { starts: positions(shape, rest), steps: positions(shape, axes) }
}

/** Positions of all elements of the sub-tensor that has only `axes`. */
function positions(shape: Shape, axes: readonly number[]): Uint32Array {
  const strides = stridesOf(shape)
  const extents = axes.map(axis => shape[axis]!)
  const result = new Uint32Array(sizeOf(extents))
  forEachIndex(extents, [axes.map(axis => strides[axis]!)], (index, [position]) => {
    result[index] = position!
  })
  return result
}
