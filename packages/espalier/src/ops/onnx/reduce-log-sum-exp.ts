/** Logarithm of the sum of exponentials over axes, taken relative to the largest so that nothing overflows. */
import type { Op } from '../op.ts'
import { logSumExp } from '../support/log-sum-exp.ts'
import { reduction, reductionVersions } from '../support/reduce.ts'

export const ReduceLogSumExp: Op = reduction(
  {
    name: 'ReduceLogSumExp',
    doc: 'Natural logarithm of the sum of exponentials over the given axes; minus infinity for none.',
    versions: reductionVersions,
  },
  'logSumExp',
  logSumExp,
)
