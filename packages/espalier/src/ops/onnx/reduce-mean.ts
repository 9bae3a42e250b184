/** Mean over axes. */
import type { Op } from '../op.ts'
import { reduction, reductionVersions } from '../support/reduce.ts'

export const ReduceMean: Op = reduction(
  {
    name: 'ReduceMean',
    doc: 'Mean over the given axes; NaN for none. Means of integers are truncated towards zero.',
    versions: reductionVersions,
  },
  'mean',
  (x, start, steps) => {
    let sum = 0
    for (const step of steps) sum += x[start + step]!
    return sum / steps.length
  },
  (x, start, steps) => {
    let sum = 0n
    for (const step of steps) sum += x[start + step]!
    return steps.length === 0 ? 0n : sum / BigInt(steps.length)
  },
)
