/** Logarithm of the sum over axes. */
import type { Op } from '../op.ts'
import { reduction, reductionVersions } from '../support/reduce.ts'

export const ReduceLogSum: Op = reduction(
  {
    name: 'ReduceLogSum',
    doc: 'Natural logarithm of the sum over the given axes; minus infinity for none.',
    versions: reductionVersions,
  },
  'logSum',
  (x, start, steps) => {
    let sum = 0
    for (const step of steps) sum += x[start + step]!
    return Math.log(sum)
  },
)
