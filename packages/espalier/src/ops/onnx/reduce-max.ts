/** Maximum over axes. */
import { maxDims } from '../../graph/dim.ts'
import type { Op } from '../op.ts'
import { integerRange } from '../support/integer-range.ts'
import { extremumVersions, reduceContents, reduction } from '../support/reduce.ts'

export const ReduceMax: Op = reduction(
  {
    name: 'ReduceMax',
    doc: 'Maximum over the given axes; the lowest value of the type for none. NaN wins.',
    versions: extremumVersions,
    contents: reduceContents(contents => (contents.length === 0 ? undefined : contents.reduce(maxDims))),
  },
  'max',
  (x, start, steps) => {
    let largest = Number.NEGATIVE_INFINITY
    for (const step of steps) largest = Math.max(largest, x[start + step]!)
    return largest
  },
  (x, start, steps, dtype) => {
    let largest = integerRange(dtype).least
    for (const step of steps) if (x[start + step]! > largest) largest = x[start + step]!
    return largest
  },
)
