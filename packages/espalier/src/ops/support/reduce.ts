/**
 * Reductions over some axes of a tensor: schemas, axes as an attribute or as an input, shape inference, and the
 * loop over lines. What is done to one line is the operator's own file.
 */
import type { Dim } from '../../graph/graph.ts'
import { type DType, isFloat } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, numbers } from '../../tensor/elements.ts'
import { normalizeAxes, type Shape } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import type { Attributes, InferContext, Op } from '../op.ts'
import { highPrecision, highPrecision16, int, optional, type Schema, type TypeName } from '../schema.ts'
import { contentOf, dimWithin, holdsContents } from './contents.ts'
import { typed } from './infer.ts'
import { allNumbers, givenList, inferredList, listOf } from './integers.ts'
import { linesAlong } from './lines.ts'
import { lowerReduction, type Reduction } from './lower-reduce.ts'

/** Elements of a line: `x[start + step]` for every step. */
type Steps = Uint32Array
export type Integers = BigInt64Array | BigUint64Array

/** The value of a line of floating-point numbers. */
export type Fold = (x: Float64Array, start: number, steps: Steps) => number
/** The value of a line of integers or bools; wraps modulo the width of the type when it is stored. */
export type ExactFold = (x: Integers, start: number, steps: Steps, dtype: DType) => bigint

const outputs = ['reduced: T']

/** The schema of a reduction whose axes are an attribute. */
export const axesAsAttribute = (T: readonly TypeName[]): Schema => ({
  inputs: ['data: T'],
  outputs,
  types: { T },
  attributes: { axes: optional('ints'), keepdims: int(1) },
})

/** The schema of a reduction whose axes are an input. */
export const axesAsInput = (T: readonly TypeName[]): Schema => ({
  inputs: ['data: T', 'axes?: int64'],
  outputs,
  types: { T },
  attributes: { keepdims: int(1), noop_with_empty_axes: int(0) },
})

/** The versions that most reductions have. */
export const reductionVersions: Readonly<Record<number, Schema>> = {
  1: axesAsAttribute(highPrecision16),
  11: axesAsAttribute(highPrecision16),
  13: axesAsAttribute(highPrecision),
  18: axesAsInput(highPrecision),
}

/** The versions of `ReduceMax` and `ReduceMin`, which take 8-bit integers and later bools too. */
export const extremumVersions: Readonly<Record<number, Schema>> = {
  1: axesAsAttribute(highPrecision16),
  11: axesAsAttribute(highPrecision16),
  12: axesAsAttribute([...highPrecision16, 'uint8', 'int8']),
  13: axesAsAttribute([...highPrecision, 'uint8', 'int8']),
  18: axesAsInput([...highPrecision, 'uint8', 'int8']),
  20: axesAsInput([...highPrecision, 'uint8', 'int8', 'bool']),
}

type Header = Pick<Op, 'name' | 'doc' | 'versions' | 'contents'>

/**
 * A reduction. `operation` is the kernel's. Without `exact`, integers are folded as numbers and truncated.
 */
export function reduction(header: Header, operation: Reduction, fold: Fold, exact?: ExactFold): Op {
  return {
    ...header,
    infer: c => [typed(c.dtype(0), inferReduced(c))],
    lower: c => lowerReduction(c, operation, constantAxes(c)),
    evaluate(c) {
      const data = c.tensor(0)
      const { shape, dtype } = data
      const axes = reducedAxes(c.attributes, givenList(c, 'axes', 1), shape.length)
      const { starts, steps } = linesAlong(shape, axes)
      const reduced = reducedShape(shape, axes, c.attributes)
      if (exact !== undefined && !isFloat(dtype)) {
        const x = bigints(data)
        return [
          fromBigInts(
            dtype,
            reduced,
            Array.from(starts, start => exact(x, start, steps, dtype)),
          ),
        ]
      }
      const x = numbers(data)
      return [
        fromNumbers(
          dtype,
          reduced,
          Float64Array.from(starts, start => fold(x, start, steps)),
        ),
      ]
    },
  }
}

/** The axes of a node whose shapes are known; `undefined` where they are computed in each run. */
function constantAxes(c: LowerContext): readonly number[] | undefined {
  const given = c.attributes.optionalInts('axes')
  const input = c.hasInput(1) ? c.constant(1) : undefined
  if (c.hasInput(1) && input === undefined) return undefined
  return reducedAxes(c.attributes, given ?? (input && listOf(input, 'axes')), c.type(0).shape.length)
}

/** Axes to reduce over, ascending. Without any given: all, or none under `noop_with_empty_axes`. */
function reducedAxes(
  attributes: Attributes,
  given: readonly number[] | undefined,
  rank: number,
): readonly number[] {
  if (given !== undefined && given.length > 0) return normalizeAxes(given, rank)
  if (attributes.optionalInt('noop_with_empty_axes')) return []
  return Array.from({ length: rank }, (_, axis) => axis)
}

/** What is left of `shape`: extents of 1, or nothing, for the reduced axes. */
export function reducedShape(shape: Shape, axes: readonly number[], attributes: Attributes): number[]
export function reducedShape(shape: readonly Dim[], axes: readonly number[], attributes: Attributes): Dim[]
export function reducedShape(shape: readonly Dim[], axes: readonly number[], attributes: Attributes): Dim[] {
  return attributes.int('keepdims') !== 0
    ? shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
    : shape.filter((_, axis) => !axes.includes(axis))
}

function inferReduced(c: InferContext): readonly Dim[] | undefined {
  const shape = c.shape(0)
  if (shape === undefined) return undefined
  const given = inferAxes(c)
  if (given !== null) return reducedShape(shape, reducedAxes(c.attributes, given, shape.length), c.attributes)
  const count = c.shape(1)?.[0]
  if (c.attributes.int('keepdims') !== 0) return shape.map(() => null)
  return typeof count === 'number' && count > 0
    ? Array.from({ length: Math.max(0, shape.length - count) }, () => null)
    : undefined
}

/** The axes that the node names, if it names any; `null` when they are not known. */
function inferAxes(c: InferContext): readonly number[] | undefined | null {
  if (c.shape(1)?.[0] === 0) return []
  const list = inferredList(c, 'axes', 1)
  return list === undefined ? undefined : (allNumbers(list) ?? null)
}

/**
 * Shape arithmetic of a reduction: the contents of a list reduced to one dimension. `fold` gives `undefined` where
 * that is no dimension (the largest of none).
 */
export function reduceContents(
  fold: (contents: readonly Dim[]) => Dim | undefined,
): NonNullable<Op['contents']> {
  return c => {
    const [dtype, contents, shape] = [c.dtype(0), contentOf(c, 0), c.shape(0)]
    const axes = inferAxes(c)
    if (dtype === undefined || contents === undefined || shape === undefined || axes === null)
      return [undefined]
    if (!holdsContents(dtype)) return [undefined]
    if (reducedAxes(c.attributes, axes, shape.length).length === 0) return [contents]
    const result = fold(contents)
    return [result === undefined ? undefined : [dimWithin(dtype, result)]]
  }
}
