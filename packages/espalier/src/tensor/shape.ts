/**
 * Shapes, strides, axes and broadcasting. A shape is a list of extents, outermost first; data is dense and
 * row-major everywhere. Broadcasting is NumPy's (ONNX "multidirectional").
 */
import { EspalierError } from '../errors.ts'

/** Extents of a tensor, outermost first; `[]` is a scalar. */
export type Shape = readonly number[]

/** Number of elements. Throws `too-large` past 2^53 and `bad-shape` on a negative or fractional extent. */
export function sizeOf(shape: Shape): number {
  let size = 1
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || extent < 0)
      throw new EspalierError('bad-shape', `not a shape: ${formatShape(shape)}`, {
        expected: 'non-negative integers',
      })
    size *= extent
  }
  if (!Number.isSafeInteger(size))
    throw new EspalierError('too-large', `a tensor of shape ${formatShape(shape)} cannot be addressed`)
  return size
}

/** Elements to step for each axis of a dense row-major tensor. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step
    step *= shape[axis]!
  }
  return strides
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis])
}

/** `[2, 3, 4]` as `2x3x4`; a scalar is `scalar`. */
export function formatShape(shape: readonly (number | string | null)[]): string {
  return shape.length === 0 ? 'scalar' : shape.map(extent => extent ?? '?').join('x')
}

/** The shape that all `shapes` broadcast to. Throws `bad-shape` when they do not fit. */
export function broadcastShapes(...shapes: Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map(shape => shape.length))
  const result = new Array<number>(rank).fill(1)
  for (const shape of shapes) {
    for (let axis = 0; axis < shape.length; axis++) {
      const at = rank - shape.length + axis
      const extent = shape[axis]!
      if (extent === 1 || extent === result[at]) continue
      if (result[at] !== 1)
        throw new EspalierError(
          'bad-shape',
          `shapes ${shapes.map(formatShape).join(' and ')} do not broadcast`,
        )
      result[at] = extent
    }
  }
  return result
}

/**
 * Strides that walk a tensor of `shape` as if it had been broadcast to `target`: 0 on repeated axes. Throws
 * `bad-shape` when `shape` does not broadcast to `target`.
 */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const own = stridesOf(shape)
  const lead = target.length - shape.length
  if (lead < 0 || shape.some((extent, axis) => extent !== 1 && extent !== target[lead + axis]))
    throw new EspalierError(
      'bad-shape',
      `shape ${formatShape(shape)} does not broadcast to ${formatShape(target)}`,
    )
  return target.map((_, axis) => (axis < lead || shape[axis - lead] === 1 ? 0 : own[axis - lead]!))
}

/** `axis` counted from the front, for a tensor of `rank`; negative axes count from the back. */
export function normalizeAxis(axis: number, rank: number): number {
  const result = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(axis) || result < 0 || result >= rank)
    throw new EspalierError('bad-argument', `axis ${axis} is outside a tensor of rank ${rank}`, {
      expected: rank === 0 ? 'no axis' : `-${rank} to ${rank - 1}`,
    })
  return result
}

/** `axes` normalised, sorted and checked for repetition. */
export function normalizeAxes(axes: readonly number[], rank: number): number[] {
  const result = axes.map(axis => normalizeAxis(axis, rank)).sort((a, b) => a - b)
  for (let i = 1; i < result.length; i++)
    if (result[i] === result[i - 1])
      throw new EspalierError('bad-argument', `axis ${result[i]} is named twice in [${axes.join(', ')}]`)
  return result
}

/**
 * Calls `visit(index, offsets)` for every position of `shape` in row-major order, where `offsets[k]` is the
 * position under `strides[k]`. The one general loop of the reference evaluations: `offsets` is reused between calls.
 */
export function forEachIndex(
  shape: Shape,
  strides: readonly (readonly number[])[],
  visit: (index: number, offsets: readonly number[]) => void,
): void {
  const size = sizeOf(shape)
  const rank = shape.length
  const at = new Array<number>(rank).fill(0)
  const offsets = new Array<number>(strides.length).fill(0)
  for (let index = 0; index < size; index++) {
    visit(index, offsets)
    for (let axis = rank - 1; axis >= 0; axis--) {
      at[axis]!++
      for (let k = 0; k < strides.length; k++) offsets[k]! += strides[k]![axis]!
      if (at[axis]! < shape[axis]!) break
      for (let k = 0; k < strides.length; k++) offsets[k]! -= strides[k]![axis]! * shape[axis]!
      at[axis] = 0
    }
  }
}
