/**
 * The position of the largest or smallest element along an axis. 64-bit integers are compared exactly. NaN counts as
 * the extremum, as in NumPy.
 */
import { EspalierError } from '../../errors.ts'
import { type Dim, tensorType } from '../../graph/graph.ts'
import { isBigInt } from '../../tensor/dtype.ts'
import { bigints, numbers } from '../../tensor/elements.ts'
import { formatShape, normalizeAxis } from '../../tensor/shape.ts'
import { tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { int, numeric, numeric16, type Schema, type TypeName } from '../schema.ts'
import { linesAlong } from './lines.ts'
import { lowerArgExtremum } from './lower-lines.ts'
import { reducedShape } from './reduce.ts'

type Values = Float64Array | BigInt64Array | BigUint64Array
/** Whether `a` is further out than `b`. */
type Beats = (a: number | bigint, b: number | bigint) => boolean

const version = (T: readonly TypeName[], selectable: boolean): Schema => ({
  inputs: ['data: T'],
  outputs: ['reduced: int64'],
  types: { T },
  attributes: { axis: int(0), keepdims: int(1), ...(selectable && { select_last_index: int(0) }) },
})

const versions: Op['versions'] = {
  1: version(numeric16, false),
  11: version(numeric16, false),
  12: version(numeric16, true),
  13: version(numeric, true),
}

export function argExtremum(header: Pick<Op, 'name' | 'doc'>, smallest: boolean): Op {
  const beats: Beats = smallest ? (a, b) => a < b : (a, b) => a > b
  return {
    ...header,
    versions,
    lower: c => lowerArgExtremum(c, smallest),
    infer(c) {
      const shape: readonly Dim[] | undefined = c.shape(0)
      if (shape === undefined) return [tensorType('int64')]
      const axis = normalizeAxis(c.attributes.int('axis'), shape.length)
      return [tensorType('int64', reducedShape(shape, [axis], c.attributes))]
    },
    evaluate(c) {
      const data = c.tensor(0)
      const axis = normalizeAxis(c.attributes.int('axis'), data.shape.length)
      const last = (c.attributes.optionalInt('select_last_index') ?? 0) !== 0
      const { starts, steps } = linesAlong(data.shape, [axis])
      if (steps.length === 0 && starts.length > 0)
        throw new EspalierError('bad-shape', `there is no ${header.name} of no elements`, {
          expected: `at least one element along axis ${axis}`,
          got: `shape ${formatShape(data.shape)}`,
        })
      const values = isBigInt(data.dtype) ? bigints(data) : numbers(data)
      const result = BigInt64Array.from(starts, start =>
        BigInt(extremumOf(values, start, steps, beats, last)),
      )
      return [tensor('int64', reducedShape(data.shape, [axis], c.attributes), result)]
    },
  }
}

/** Index along the line of its extremum: the first of equals, or the last. */
function extremumOf(x: Values, start: number, steps: Uint32Array, beats: Beats, last: boolean): number {
  let found = 0
  let best = x[start]!
  for (let i = 1; i < steps.length; i++) {
    const value = x[start + steps[i]!]!
    const same = value === best || (isNan(value) && isNan(best))
    if (same ? last : isNan(value) || (!isNan(best) && beats(value, best))) {
      found = i
      best = value
    }
  }
  return found
}

const isNan = (value: number | bigint): boolean => typeof value === 'number' && Number.isNaN(value)
