/** Logarithm of the normalised exponentials. */
import type { Op } from '../op.ts'
import { exponentialsOf } from '../support/log-sum-exp.ts'
import { softmaxLike } from '../support/softmax.ts'

export const LogSoftmax: Op = softmaxLike(
  { name: 'LogSoftmax', doc: 'log(softmax(x)) along an axis.' },
  'logSoftmax',
  (x, y, start, steps) => {
    const { largest, sum } = exponentialsOf(x, start, steps)
    const logSum = Math.log(sum)
    for (const step of steps) y[start + step] = x[start + step]! - largest - logSum
  },
)
