/** Sum of squares over axes. */
import type { Op } from '../op.ts'
import { reduction, reductionVersions } from '../support/reduce.ts'

export const ReduceSumSquare: Op = reduction(
  {
    name: 'ReduceSumSquare',
    doc: 'Sum of squares over the given axes; 0 for none.',
    versions: reductionVersions,
  },
  'sumSquare',
  (x, start, steps) => {
    let sum = 0
    for (const step of steps) sum += x[start + step]! ** 2
    return sum
  },
  (x, start, steps) => {
    let sum = 0n
    for (const step of steps) sum += x[start + step]! * x[start + step]!
    return sum
  },
)
