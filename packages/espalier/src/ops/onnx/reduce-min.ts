/** Minimum over axes. */
import { minDims } from '../../graph/dim.ts'
import type { Op } from '../op.ts'
import { integerRange } from '../support/integer-range.ts'
import { extremumVersions, reduceContents, reduction } from '../support/reduce.ts'

export const ReduceMin: Op = reduction(
  {
    name: 'ReduceMin',
    doc: 'Minimum over the given axes; the highest value of the type for none. NaN wins.',
    versions: extremumVersions,
    contents: reduceContents(contents => (contents.length === 0 ? undefined : contents.reduce(minDims))),
  },
  'min',
  (x, start, steps) => {
    let smallest = Number.POSITIVE_INFINITY
    for (const step of steps) smallest = Math.min(smallest, x[start + step]!)
    return smallest
  },
  (x, start, steps, dtype) => {
    let smallest = integerRange(dtype).greatest
    for (const step of steps) if (x[start + step]! < smallest) smallest = x[start + step]!
    return smallest
  },
)
