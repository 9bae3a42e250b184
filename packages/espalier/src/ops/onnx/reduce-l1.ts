/** Sum of absolute values over axes. */
import type { Op } from '../op.ts'
import { reduction, reductionVersions } from '../support/reduce.ts'

export const ReduceL1: Op = reduction(
  {
    name: 'ReduceL1',
    doc: 'L1 norm over the given axes; 0 for none.',
    versions: reductionVersions,
  },
  'l1',
  (x, start, steps) => {
    let sum = 0
    for (const step of steps) sum += Math.abs(x[start + step]!)
    return sum
  },
  (x, start, steps) => {
    let sum = 0n
    for (const step of steps) {
      const value = x[start + step]!
      sum += value < 0n ? -value : value
    }
    return sum
  },
)
