/** Running sums and products along an axis. Integers are exact and wrap modulo the width of their type. */
import { isFloat } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, numbers } from '../../tensor/elements.ts'
import { normalizeAxis } from '../../tensor/shape.ts'
import type { EvaluateContext, Op } from '../op.ts'
import { int, type Schema, type TypeName } from '../schema.ts'
import { sameAsFirst } from './infer.ts'
import { linesAlong } from './lines.ts'
import { single } from './scalars.ts'

export const cumulativeVersion = (T: readonly TypeName[]): Schema => ({
  inputs: ['x: T', 'axis: T2'],
  outputs: ['y: T'],
  types: { T, T2: ['int32', 'int64'] },
  attributes: { exclusive: int(0), reverse: int(0) },
})

/** An operation and its neutral element. */
interface Monoid<T> {
  readonly neutral: T
  readonly combine: (a: T, b: T) => T
}

export function cumulative(
  header: Pick<Op, 'name' | 'doc' | 'versions'>,
  floats: Monoid<number>,
  integers: Monoid<bigint>,
): Op {
  return {
    ...header,
    infer: sameAsFirst,
    evaluate(c) {
      const x = c.tensor(0)
      if (isFloat(x.dtype)) {
        const values = numbers(x)
        const result = new Float64Array(values.length)
        accumulate(c, values, result, floats)
        return [fromNumbers(x.dtype, x.shape, result)]
      }
      const values = bigints(x)
      const result = values.slice()
      accumulate<bigint>(c, values, result, integers)
      return [fromBigInts(x.dtype, x.shape, result)]
    },
  }
}

/** Writes the running results of `values` along the node's axis to `result`. */
function accumulate<T>(
  c: EvaluateContext,
  values: { readonly [index: number]: T },
  result: { [index: number]: T },
  { neutral, combine }: Monoid<T>,
): void {
  const { shape } = c.tensor(0)
  const axis = normalizeAxis(single(c.tensor(1), 'the axis'), shape.length)
  const exclusive = c.attributes.int('exclusive') !== 0
  const { starts, steps } = linesAlong(shape, [axis])
  const order = c.attributes.int('reverse') !== 0 ? steps.toReversed() : steps
  for (const start of starts) {
    let sum = neutral
    for (const step of order) {
      const next = combine(sum, values[start + step]!)
      result[start + step] = exclusive ? sum : next
      sum = next
    }
  }
}
