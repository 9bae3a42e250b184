/**
 * Integer inputs that steer an operator: shapes, axes, indices, counts. They are read as numbers; what lies beyond 2^53
 * ("to the end" in files) becomes the nearest safe integer. Older operator versions have the same lists as attributes.
 */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { isBigInt } from '../../tensor/dtype.ts'
import { numbers } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { EvaluateContext, InferContext } from '../op.ts'

/** The elements of an integer tensor as numbers, clamped to safe integers. */
export function integersOf(source: Tensor): ArrayLike<number> {
  const values = numbers(source)
  return isBigInt(source.dtype) ? values.map(clampToSafe) : values
}

/** The nearest safe integer. */
export function clampToSafe(value: number): number {
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
}

/** A list of integers: a 1-D tensor, or a scalar as a list of one. Throws `bad-shape` for more axes. */
export function listOf(source: Tensor, what: string): number[] {
  if (source.shape.length <= 1) return Array.from(integersOf(source))
  throw new EspalierError('bad-shape', `${what} is not a list`, {
    expected: 'a 1-D tensor',
    got: `shape ${formatShape(source.shape)}`,
  })
}

/** The list in attribute `name`, or else in input `index`; `undefined` when neither is given. */
export function givenList(
  c: Pick<EvaluateContext, 'attributes' | 'optionalTensor'>,
  name: string,
  index: number,
): readonly number[] | undefined {
  const attribute = c.attributes.optionalInts(name)
  if (attribute !== undefined) return attribute
  const input = c.optionalTensor(index)
  return input === undefined ? undefined : listOf(input, name)
}

/** As {@link givenList} when types are inferred: `undefined` when not given, `null` when given but not known. */
export function inferredList(
  c: InferContext,
  name: string,
  index: number,
): readonly Dim[] | null | undefined {
  const attribute = c.attributes.optionalInts(name)
  if (attribute !== undefined) return attribute
  return c.hasInput(index) ? (c.content(index) ?? null) : undefined
}

/** `list` when every element is a number. */
export function allNumbers(list: readonly Dim[] | null | undefined): readonly number[] | undefined {
  return list?.every(dim => typeof dim === 'number') ? (list as readonly number[]) : undefined
}

/**
 * Positions along an axis of `extent`, counted from the front. Throws `bad-argument` for one outside the axis, naming
 * it.
 */
export function positionsOf(indices: Tensor, extent: number): Float64Array {
  return numbers(indices).map(index => positionOf(index, extent))
}

/** One index counted from the front; negative ones count from the back. Throws `bad-argument` outside the axis. */
export function positionOf(index: number, extent: number): number {
  const position = index < 0 ? index + extent : index
  if (position >= 0 && position < extent) return position
  throw new EspalierError('bad-argument', `index ${index} is outside an axis of extent ${extent}`, {
    expected: extent === 0 ? 'no index' : `${-extent} to ${extent - 1}`,
  })
}
