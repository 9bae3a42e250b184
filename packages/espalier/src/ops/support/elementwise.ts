/**
 * Operators that compute each element on its own: a function of one number, of two that are broadcast against
 * each other, or of any count of them. Computed in float64 and rounded once; 64-bit integers in bigint.
 */
import { EspalierError } from '../../errors.ts'
import { type DType, isBigInt, isInteger } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, numbers } from '../../tensor/elements.ts'
import {
  broadcastShapes,
  broadcastStrides,
  forEachIndex,
  type Shape,
  sameShape,
  sizeOf,
} from '../../tensor/shape.ts'
import { allocate, type Tensor, tensor } from '../../tensor/tensor.ts'
import type { EvaluateContext, InferContext, Op } from '../op.ts'
import { broadcastAll, sameAsFirst } from './infer.ts'

/** `f` of every element. */
export function mapNumbers(x: Tensor, f: (value: number) => number, dtype: DType = x.dtype): Tensor {
  const values = numbers(x)
  const result = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) result[i] = f(values[i]!)
  return fromNumbers(dtype, x.shape, result)
}

/** `f` of every element of a 64-bit integer tensor. */
export function mapBigInts(x: Tensor, f: (value: bigint) => bigint): Tensor {
  return fromBigInts(
    x.dtype,
    x.shape,
    Array.from(bigints(x), value => f(value)),
  )
}

/**
 * Calls `visit(index, p, q)` for every position of `shape`, where `p` and `q` are the positions in tensors of
 * shape `a` and `b` that are broadcast to it.
 */
export function forEachPair(
  a: Shape,
  b: Shape,
  shape: Shape,
  visit: (index: number, p: number, q: number) => void,
): void {
  forEachRun(a, b, shape, (start, count, p, stepP, q, stepQ) => {
    for (let i = 0; i < count; i++) visit(start + i, p + i * stepP, q + i * stepQ)
  })
}

/**
 * The same in runs of `count` positions from `start` on, along which `p` and `q` go on in steps (0 where a tensor
 * repeats an element): one run where nothing is broadcast, otherwise one for each row.
 */
function forEachRun(
  a: Shape,
  b: Shape,
  shape: Shape,
  visit: (start: number, count: number, p: number, stepP: number, q: number, stepQ: number) => void,
): void {
  if (sameShape(a, shape) && sameShape(b, shape)) {
    visit(0, sizeOf(shape), 0, 1, 0, 1)
    return
  }
  const last = shape.length - 1
  const width = shape[last]!
  const strides = [broadcastStrides(a, shape), broadcastStrides(b, shape)]
  const [stepP, stepQ] = strides.map(list => list[last]!) as [number, number]
  const outer = strides.map(list => list.slice(0, last))
  forEachIndex(shape.slice(0, last), outer, (row, [p, q]) => visit(row * width, width, p!, stepP, q!, stepQ))
}

/** `f` of every pair of elements, broadcast. The result has data type `dtype`. */
export function zipNumbers(
  a: Tensor,
  b: Tensor,
  f: (a: number, b: number) => number,
  dtype: DType = a.dtype,
): Tensor {
  const [x, y] = [numbers(a), numbers(b)]
  const shape = broadcastShapes(a.shape, b.shape)
  const result = new Float64Array(sizeOf(shape))
  forEachRun(a.shape, b.shape, shape, (start, count, p, stepP, q, stepQ) => {
    for (let i = 0; i < count; i++) result[start + i] = f(x[p + i * stepP]!, y[q + i * stepQ]!)
  })
  return fromNumbers(dtype, shape, result)
}

/** `f` of every pair of integers, broadcast, exactly. Results wrap into data type `dtype`. */
export function zipBigInts(
  a: Tensor,
  b: Tensor,
  f: (a: bigint, b: bigint) => bigint,
  dtype: DType = a.dtype,
): Tensor {
  const [x, y] = [bigints(a), bigints(b)]
  const shape = broadcastShapes(a.shape, b.shape)
  const result = new Array<bigint>(sizeOf(shape))
  forEachPair(a.shape, b.shape, shape, (i, p, q) => {
    result[i] = f(x[p]!, y[q]!)
  })
  return fromBigInts(dtype, shape, result)
}

/** What comparisons see: a number, a bigint for 64-bit integers, text for strings; both sides of one kind. */
export type Comparable = number | bigint | string

/** Whether `holds` for every pair of elements, broadcast, as a bool tensor. */
export function compareElements(
  a: Tensor,
  b: Tensor,
  holds: (a: Comparable, b: Comparable) => boolean,
): Tensor<'bool'> {
  const [x, y] = [comparables(a), comparables(b)]
  const shape = broadcastShapes(a.shape, b.shape)
  const result = allocate('bool', sizeOf(shape))
  forEachPair(a.shape, b.shape, shape, (i, p, q) => {
    result[i] = holds(x[p]!, y[q]!) ? 1 : 0
  })
  return tensor('bool', shape, result)
}

function comparables(x: Tensor): ArrayLike<Comparable> {
  if (x.dtype === 'string') return x.data
  return isBigInt(x.dtype) ? bigints(x) : numbers(x)
}

/** The one data type of several values; unknown ones are passed over. Throws `bad-dtype` when two differ. */
export function commonDType(types: readonly (DType | undefined)[]): DType | undefined {
  const known = types.filter(dtype => dtype !== undefined)
  const other = known.find(dtype => dtype !== known[0])
  if (other === undefined) return known[0]
  throw new EspalierError('bad-dtype', 'the inputs differ in data type', {
    expected: `${known[0]}, as the first`,
    got: other,
    hint: 'Put a Cast before the input that differs.',
  })
}

type Header = Pick<Op, 'name' | 'doc' | 'versions'> & Partial<Pick<Op, 'limits' | 'contents' | 'lower'>>

/**
 * An operator of one input. `f` is made once a run, from the attributes; `exact` takes over for 64-bit
 * integers.
 */
export function unary(
  header: Header,
  f: (c: EvaluateContext) => (value: number) => number,
  exact?: (c: EvaluateContext) => (value: bigint) => bigint,
): Op {
  return {
    ...header,
    infer: sameAsFirst,
    evaluate(c) {
      const x = c.tensor(0)
      return [isBigInt(x.dtype) && exact ? mapBigInts(x, exact(c)) : mapNumbers(x, f(c))]
    },
  }
}

/**
 * An operator of two inputs of one data type, broadcast. `exact` takes over for 64-bit integers, `integer`
 * for the narrower ones (where it is left out, `f` serves them too: its results wrap, and must be exact below
 * 2^53).
 */
export function binary(
  header: Header,
  f: (a: number, b: number) => number,
  exact?: (a: bigint, b: bigint) => bigint,
  integer: (a: number, b: number) => number = f,
): Op {
  return {
    ...header,
    infer: inferBroadcast,
    evaluate(c) {
      const [a, b] = [c.tensor(0), c.tensor(1)]
      const dtype = commonDType([a.dtype, b.dtype])!
      if (isBigInt(dtype) && exact) return [zipBigInts(a, b, exact)]
      return [zipNumbers(a, b, isInteger(dtype) ? integer : f)]
    },
  }
}

/** An operator that compares two inputs of one data type, broadcast, and gives bool. */
export function comparison(header: Header, holds: (a: Comparable, b: Comparable) => boolean): Op {
  return {
    ...header,
    infer(c) {
      commonDType([c.dtype(0), c.dtype(1)])
      return broadcastAll(c, 'bool')
    },
    evaluate(c) {
      const [a, b] = [c.tensor(0), c.tensor(1)]
      commonDType([a.dtype, b.dtype])
      return [compareElements(a, b, holds)]
    },
  }
}

/**
 * An operator of one or more inputs of one data type, broadcast, folded from the first on by `f`; `exact`
 * takes over for 64-bit integers. `finish` turns the fold of `count` inputs into the result. Rounded once, at
 * the end.
 */
export function variadic(
  header: Header,
  f: (a: number, b: number) => number,
  exact?: (a: bigint, b: bigint) => bigint,
  finish?: (total: number, count: number) => number,
): Op {
  return {
    ...header,
    infer: inferBroadcast,
    evaluate(c) {
      const inputs = Array.from({ length: Math.max(1, c.inputs.length) }, (_, index) => c.tensor(index))
      const dtype = commonDType(inputs.map(input => input.dtype))!
      const shape = broadcastShapes(...inputs.map(input => input.shape))
      if (isBigInt(dtype) && exact) {
        const total = new Array<bigint>(sizeOf(shape))
        fold(inputs, shape, bigints, exact, total)
        return [fromBigInts(dtype, shape, total)]
      }
      const total = new Float64Array(sizeOf(shape))
      fold(inputs, shape, numbers, f, total)
      const result = finish ? total.map(value => finish(value, inputs.length)) : total
      return [fromNumbers(dtype, shape, result)]
    },
  }
}

/** Elements of all inputs, broadcast to `shape` and folded position by position into `total`. */
function fold<T extends number | bigint>(
  inputs: readonly Tensor[],
  shape: Shape,
  elements: (input: Tensor) => ArrayLike<T>,
  f: (a: T, b: T) => T,
  total: { [index: number]: T },
): void {
  for (const [index, input] of inputs.entries()) {
    const values = elements(input)
    forEachPair(shape, input.shape, shape, (i, _, q) => {
      total[i] = index === 0 ? values[q]! : f(total[i]!, values[q]!)
    })
  }
}

/** The first output has the data type of all inputs and the shape they broadcast to. */
export function inferBroadcast(c: InferContext): ReturnType<Op['infer']> {
  const dtype = commonDType(c.inputs.map((_, index) => c.dtype(index)))
  return broadcastAll(c, dtype)
}
