/** Normalised exponentials. */
import type { Op } from '../op.ts'
import { exponentialsOf } from '../support/log-sum-exp.ts'
import { softmaxLike } from '../support/softmax.ts'

export const Softmax: Op = softmaxLike(
  { name: 'Softmax', doc: 'exp(x) / sum(exp(x)) along an axis.' },
  'softmax',
  (x, y, start, steps) => {
    const { largest, sum } = exponentialsOf(x, start, steps)
    for (const step of steps) y[start + step] = Math.exp(x[start + step]! - largest) / sum
  },
)
